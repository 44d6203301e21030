"""An evaluation in lines of text and as JSON, for the command line. Values of held-out cases are in neither."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workflows.drafting.telling import told_value
from workflows.evaluation.summary import Share, Summary, is_reused, is_right, summarise
from workflows.models import CaseResult, Evaluation


def share_told(share: Share) -> str:
    if share.interval is None:
        return "nothing due"
    low, high = share.interval
    return (
        f"{share.right} of {share.due}, {100 * share.right / share.due:.0f} % "
        f"(95 % interval {100 * low:.0f} to {100 * high:.0f} %)"
    )


def reused_told(*, reused: int, of: int) -> str:
    if not reused:
        return f"All {of} cases were asked now" if of != 1 else "The case was asked now"
    return f"{reused} of {of} from stored runs"


def result_line(result: CaseResult) -> str:
    """The progress line of one case."""
    what = (
        f"{result.right} of {result.due} fields right"
        if result.case.expect == "drafted"
        else "nothing was drafted, as it should be"
        if is_right(result)
        else "not as it should be"
    )
    outcome = "" if result.outcome in ("ok", "") else f", {result.get_outcome_display()}"
    source = (
        ", from a stored run"
        if is_reused(result)
        else f", {result.seconds:.1f} s"
        if result.seconds is not None
        else ""
    )
    return f"{result.case.name}: {what}{outcome}{source}"


def report_lines(evaluation: Evaluation) -> Iterator[str]:
    summary = summarise(evaluation=evaluation)
    width = max((len(one.label) for one in [*summary.fields.values(), *_shares(summary)]), default=0)
    yield ""
    yield "Fields"
    for share in summary.fields.values():
        yield f"  {share.label.ljust(width)}  {share_told(share)}"
    yield "Cases"
    for share in _shares(summary):
        yield f"  {share.label.ljust(width)}  {share_told(share)}"
    wrong = [one for one in summary.results if not is_right(one)]
    if wrong:
        yield "Not right"
    names = {key: share.label for key, share in summary.fields.items()}
    for result in wrong:
        yield f"  {result.case.name}{': ' + result.get_outcome_display() if result.outcome not in ('ok', '') else ''}"
        for one in result.fields if result.outcome == "ok" else []:
            if not one["right"]:
                yield f"    {names.get(one['key'], one['key'])}{_difference(one, held_out=result.case.held_out)}"
    yield ""
    yield f"{evaluation.right} of {evaluation.due} fields right. {reused_told(reused=summary.reused, of=len(summary.results))}."
    if summary.failed:
        yield f"{summary.failed} {'case' if summary.failed == 1 else 'cases'} without a draft: each of their fields counts as wrong."


def _shares(summary: Summary) -> list[Share]:
    return [group.items for group in summary.groups]


def _difference(one: dict[str, Any], *, held_out: bool) -> str:
    if held_out:
        return " (held out: not shown)"
    drafted, gold = (told_value(value=one[which]).replace("\n", " | ") for which in ("drafted", "gold"))
    return f": {drafted}, right is {gold}"


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    summary = summarise(evaluation=evaluation)
    return {
        "evaluation": evaluation.pk, "workflow": evaluation.version.workflow.slug, "version": evaluation.version.number,
        "model": evaluation.model, "cases": len(summary.results), "reused": summary.reused, "said": evaluation.said,
        "fields_right": evaluation.right, "fields_due": evaluation.due,
        "fields": [{"key": key, **_share_json(share)} for key, share in summary.fields.items()],
        "groups": [
            {"label": group.label, "items": _share_json(group.items), "fields_right": group.fields.right, "fields_due": group.fields.due}
            for group in summary.groups
        ],
        "results": [_result_json(result) for result in summary.results],
    }  # fmt: skip


def _share_json(share: Share) -> dict[str, Any]:
    return {
        "label": share.label, "right": share.right, "due": share.due,
        "interval_95": [round(end, 4) for end in share.interval] if share.interval else None,
    }  # fmt: skip


def _result_json(result: CaseResult) -> dict[str, Any]:
    hidden = result.case.held_out
    return {
        "case": result.case.name, "expect": result.case.expect, "held_out": hidden, "messy": result.case.messy,
        "outcome": result.outcome, "right": is_right(result), "reused": is_reused(result), "error": result.error,
        "seconds": result.seconds, "cpu_seconds": result.cpu_seconds,
        "cost": str(result.cost) if result.cost is not None else None,
        "fields": [{"key": one["key"], "right": one["right"]} if hidden else one for one in result.fields],
    }  # fmt: skip
