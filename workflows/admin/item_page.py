"""What the page of an item shows to one user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch
from django.http import QueryDict
from django.utils import timezone

from workflows.access import Action, may, visible
from workflows.admin.source_text import Mark, marked_pages, marks_of
from workflows.admin.telling import due, duration, state_chip, told_value
from workflows.admin.typed_values import Input, inputs_of
from workflows.decisions import may_complete, may_decide
from workflows.drafting.fields import FieldSpec
from workflows.models import Delivery, FieldResult, Item, Page, Run, Source
from workflows.routing import show_signal
from workflows.states import FOR_A_PERSON, TO_DECIDE, State

MOST_CHARACTERS = 100_000  # of a source on the page; the file itself can be taken home
MOST_EVENTS = 100


def item_page(
    *, item: Item, user: Any, typed: QueryDict | None = None, problems: dict[str, str] | None = None
) -> dict[str, Any]:
    version = item.version or item.workflow.version
    specs = version.specs() if version else ()
    reviews = may(user, Action.REVIEW, item)
    completes = reviews and may_complete(item=item)
    results = _results(item=item)
    to_check = set((item.route or {}).get("to_check", []))
    marks = marks_of(
        results=results.values(), labels={spec.key: spec.label for spec in specs}, to_check=to_check
    )
    drafted = bool(results) or item.values is not None
    inputs = inputs_of(fields=specs, values=item.values or {}, typed=typed, problems=problems)
    deliveries = list(
        visible(user, Delivery.objects.filter(item=item))
        .select_related("destination")
        .prefetch_related("attempts")
    )
    return {
        "item": item,
        "state": state_chip(item.state),
        "signal": None if item.signal is None else show_signal(item.signal),
        "due": due(item.due_at) if item.due_at and item.state in FOR_A_PERSON else None,
        "next_step": _next_step(item=item, deliveries=deliveries),
        "fields": _fields(item=item, inputs=inputs, results=results, marks=marks, to_check=to_check)
        if drafted or completes
        else [],
        "to_check": len(to_check & {spec.key for spec in specs}),
        "reasons": (item.route or {}).get("reasons", []) if item.state in TO_DECIDE else [],
        "problem": item.problem,
        "sources": _sources(item=item, user=user, marks=marks),
        "deliveries": deliveries,
        "to_mend": _to_mend(deliveries=deliveries) if reviews else set(),
        "events": item.history.select_related("history_user").order_by("-history_date", "-history_id")[
            :MOST_EVENTS
        ],
        "decided": item.decisions.select_related("by"),
        "runs": visible(user, Run.objects.filter(item=item)).defer("prompt", "raw_text", "draft", "calls"),
        "may_see_runs": may(user, Action.MODEL_LOGS, item),
        "may_decide": item.state in TO_DECIDE and may_decide(item=item, by=user),
        "may_complete": completes,
        "may_type": completes or (item.state in TO_DECIDE and may_decide(item=item, by=user)),
        "may_try_again": item.state in (State.ATTENTION, State.SKIPPED)
        and (reviews or may(user, Action.MANAGE, item))
        and all(one.state == Delivery.State.CANCELLED for one in deliveries),
        "may_close": item.state == State.ATTENTION and reviews,
        "reason": typed.get("reason", "") if typed else "",
        "reason_problem": (problems or {}).get("reason", ""),
    }


def _next_step(*, item: Item, deliveries: Sequence[Delivery]) -> str:
    """Whose turn it is and what comes next: nothing waits for nobody."""
    workflow = item.workflow
    match State(item.state):
        case State.RECEIVED | State.WORKING:
            return "It is being drafted. Nobody has to do anything now."
        case State.IN_REVIEW:
            return f"It waits for a decision by {workflow.reviewers or 'a reviewer'}."
        case State.ESCALATED:
            return f"It waits for a decision by {workflow.escalation or 'somebody who answers escalations'}."
        case State.ATTENTION:
            return f"It waits for {workflow.reviewers or 'a reviewer'}: something failed, and a person has the next step."
        case State.APPROVED:
            waiting = [one.due_at for one in deliveries if one.state == Delivery.State.WAITING]
            if waiting and min(waiting) > timezone.now():
                minutes = max(1, round((min(waiting) - timezone.now()).total_seconds() / 60))
                return f"Approved; it is handed over in {duration(minutes)}."
            return "Approved; it is being handed over."
        case State.DELIVERED:
            return "It is delivered. Nothing is left to do."
        case State.REJECTED:
            return "It is rejected. Nothing is handed over."
        case State.SKIPPED:
            return "It is closed. Nothing more is done with it."


def _to_mend(*, deliveries: Sequence[Delivery]) -> set[int]:
    """Deliveries that a person can send again or mark as arrived, unless that was done already."""
    sent_again = {one.resend_of_id for one in deliveries}
    stuck = (Delivery.State.DEAD, Delivery.State.UNCERTAIN)
    return {one.pk for one in deliveries if one.state in stuck and one.pk not in sent_again}


def _results(*, item: Item) -> dict[str, FieldResult]:
    run = Run.objects.filter(item=item, outcome="ok").only("pk").first()
    return {one.key: one for one in FieldResult.objects.filter(run=run)} if run else {}


def _fields(
    *,
    item: Item,
    inputs: Sequence[Input],
    results: dict[str, FieldResult],
    marks: Sequence[Mark],
    to_check: set[str],
) -> list[dict[str, Any]]:
    """Those to check first, the rest in the version's order."""
    marked = {key for mark in marks for key in mark.keys}
    values = item.values or {}
    fields = [
        _field(spec=one.spec, value=values.get(one.spec.key), result=results.get(one.spec.key))
        | {
            "input": one,
            "to_check": one.spec.key in to_check,
            "marked": one.spec.key in marked,
            "typed": _differs(one, stored),
        }
        for one, stored in zip(
            inputs, inputs_of(fields=[one.spec for one in inputs], values=values), strict=True
        )
    ]
    return sorted(fields, key=lambda field: not field["to_check"])


def _differs(shown: Input, stored: Input) -> str:
    """What a person typed over the stored value, for a page on which it can no longer stand in an input."""
    said = (shown.text, shown.currency, shown.chosen)
    if said == (stored.text, stored.currency, stored.chosen):
        return ""
    labels = dict(shown.options)
    chosen = ", ".join(labels.get(one, one) for one in shown.chosen) if shown.options else shown.text
    return f"{chosen} {shown.currency}".strip()


def _field(*, spec: FieldSpec, value: Any, result: FieldResult | None) -> dict[str, Any]:
    return {
        "key": spec.key,
        "label": spec.label,
        "told": told_value(value=value, spec=spec),
        "drafted": told_value(value=result.value, spec=spec) if result else "",
        "changed": result is not None and result.value != value,
        "signal": None if result is None or result.signal is None else show_signal(result.signal),
        "evidence": _evidence(result),
        "missing": result is not None and (result.evidence or {}).get("status") == "not_found",
    }


def _evidence(result: FieldResult | None) -> str:
    if result is None or result.value is None:
        return ""
    told = result.evidence or {}
    place = f", page {told['page']}" if told.get("page") else ""
    quote = f": “{told['quote']}”" if told.get("quote") else ""
    worked_out = "; the value was worked out from it" if told.get("derived") else ""
    match told.get("status"):
        case "verbatim":
            return f"Found word for word{quote}{place}{worked_out}."
        case "normalised":
            return f"Found normalised{quote}{place}{worked_out}."
        case "not_found":
            return "Draft value not found in the source."
    return "No quote was due."


def _sources(*, item: Item, user: Any, marks: Sequence[Mark]) -> list[dict[str, Any]]:
    stored = Prefetch("pages", queryset=Page.objects.defer("pieces"))
    shown = []
    for source in visible(user, Source.objects.filter(item=item)).prefetch_related(stored):
        pages, cut = marked_pages(
            pages=list(source.pages.all()), marks=[mark for mark in marks if mark.source == source.pk],
            most_characters=MOST_CHARACTERS,
        )  # fmt: skip
        shown.append({"source": source, "pages": pages, "cut": cut})
    return shown
