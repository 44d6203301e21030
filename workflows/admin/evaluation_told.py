"""What an evaluation and a comparison came to, told as the pages show it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from workflows.access import Action, may
from workflows.admin.telling import told_value
from workflows.drafting.fields import FieldSpec
from workflows.evaluation.comparing import Comparison, Difference, Side
from workflows.evaluation.labels import specs_of
from workflows.evaluation.summary import Share, Summary, is_reused, is_right, summarise
from workflows.evaluation.telling import reused_told
from workflows.models import Case, CaseResult, Evaluation
from workflows.money import told_cost

OUTCOMES = {
    "refused": "The model refused", "truncated": "The answer was cut off", "filtered": "A content filter stopped it",
    "invalid": "The answer had another form", "timeout": "No answer in time", "rate_limited": "The server took no more calls",
    "unavailable": "The model could not be reached", "over_budget": "Over budget: not called",
    "too_long": "Longer than the model can read", "unreadable_source": "It could not be read", "": "Not asked: a copy of another case",
}  # fmt: skip


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def share_told(share: Share) -> dict[str, Any]:
    interval = share.interval
    return {
        "label": share.label, "right": share.right, "due": share.due,
        "share": percent(share.right / share.due) if share.due else "–",
        "interval": f"{percent(interval[0])} to {percent(interval[1])}" if interval else "–",
    }  # fmt: skip


def evaluation_told(*, row: Evaluation, request: HttpRequest) -> dict[str, Any]:
    summary = summarise(evaluation=row)
    specs = specs_of(workflow=row.version.workflow)
    manages = may(request.user, Action.MANAGE, row)
    return {
        "row": row, "fields": [share_told(share) for share in summary.fields.values()], "groups": _groups(summary),
        "cases": [_case(one, specs=specs, manages=manages) for one in summary.results],
        "reused": reused_told(reused=summary.reused, of=len(summary.results)), "failed": summary.failed,
        "manages": manages, "cost": _cost(summary),
    }  # fmt: skip


def _groups(summary: Summary) -> list[dict[str, Any]]:
    return [
        {**share_told(group.items), "fields": f"{group.fields.right} of {group.fields.due}"}
        for group in summary.groups
    ]


def _case(result: CaseResult, *, specs: dict[str, FieldSpec], manages: bool) -> dict[str, Any]:
    shows = manages and not result.case.held_out
    return {
        "row": result, "case": result.case, "right": is_right(result), "reused": is_reused(result),
        "failed": _failed(result),
        "shows": shows, "error": result.error if shows and result.outcome else "",
        "wrong": [
            {
                "label": _label(one["key"], specs),
                "drafted": told_value(value=one["drafted"], spec=specs.get(one["key"])) if shows else "",
                "gold": told_value(value=one["gold"], spec=specs.get(one["key"])) if shows else "",
            }
            for one in result.fields
            if not one["right"] and result.outcome == "ok"
        ],
    }  # fmt: skip


def _failed(result: CaseResult) -> str:
    if not result.outcome and result.error:
        return result.error  # a copy of nothing: our words, and no value in them
    return "" if result.outcome == "ok" else OUTCOMES.get(result.outcome, result.outcome)


def _label(key: str, specs: dict[str, FieldSpec]) -> str:
    return specs[key].label if key in specs else key.replace("_", " ")


def _cost(summary: Summary) -> str:
    """Of this evaluation; what was taken from stored runs was paid before."""
    asked = [one for one in summary.results if not is_reused(one) and one.asked_model]
    if not asked:
        return "No call of the model was made."
    computed = [one.cpu_seconds for one in asked if one.cpu_seconds is not None]
    costs = [one.cost for one in asked if one.cost is not None]
    tokens_in, tokens_out = (
        sum(one.prompt_tokens or 0 for one in asked),
        sum(one.completion_tokens or 0 for one in asked),
    )
    if len(costs) < len(asked):
        told = "cost not known: no price is known for this model"
    else:
        told = (
            f"cost {told_cost(cost=sum(costs, Decimal(0)), cpu_seconds=sum(computed) if computed else None)}"
        )
    return f"{len(asked)} asked now: {tokens_in:,} tokens in, {tokens_out:,} out, {told}."


def comparison_told(*, told: Comparison, request: HttpRequest) -> dict[str, Any]:
    manages = may(request.user, Action.MANAGE, told.second)
    specs = specs_of(workflow=told.second.version.workflow)
    return {
        "first": told.first, "second": told.second, "shared": told.shared, "left_out": told.only_first + told.only_second,
        "changed_gold": told.changed_gold, "better": told.count("better"), "worse": told.count("worse"),
        "other": told.count("other"), "manages": manages,
        "fields": [
            {"label": pair.label, "first": share_told(pair.first), "second": share_told(pair.second)}
            for pair in told.fields
        ],
        "cases": [
            {
                "case": one.case, "held_out": one.case.held_out,
                "differences": [
                    _difference(each, case=one.case, spec=specs.get(each.key), manages=manages) for each in one.differences
                ],
            }
            for one in told.cases
        ],
    }  # fmt: skip


VERDICTS = {"better": ("Better", "good", "trending_up"), "worse": ("Worse", "bad", "trending_down"), "other": ("Other", "", "swap_horiz")}  # fmt: skip


def _difference(one: Difference, *, case: Case, spec: FieldSpec | None, manages: bool) -> dict[str, Any]:
    word, tone, icon = VERDICTS[one.verdict]
    shows = manages and not case.held_out
    return {
        "label": one.label, "word": word, "tone": tone, "icon": icon,
        "first": _side(one.first, spec=spec, shows=shows), "second": _side(one.second, spec=spec, shows=shows),
        "gold": told_value(value=one.gold, spec=spec) if shows and one.key else "",
    }  # fmt: skip


def _side(side: Side, *, spec: FieldSpec | None, shows: bool) -> dict[str, Any]:
    if side.right is None:
        said = "Not asked for"
    elif side.outcome != "ok":
        said = OUTCOMES.get(side.outcome, side.outcome)
    else:
        said = told_value(value=side.drafted, spec=spec) if shows and spec else ""
    return {"said": said, "right": side.right}
