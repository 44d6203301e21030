"""What the page of an item shows to one user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Q, prefetch_related_objects
from django.http import QueryDict
from django.utils import timezone

from reviews.admin.claim_shown import claim_shown, review_of
from reviews.admin.conflict import clash_of
from reviews.admin.fields_shown import fields_shown
from reviews.admin.past import events_of
from reviews.admin.runs_shown import runs_of
from reviews.admin.source_panel import sources_of
from reviews.admin.source_text import marks_of
from reviews.admin.typed_values import inputs_of
from reviews.admin.why import question_of, why_here
from workflows.access import Action, may, visible
from workflows.admin.telling import due, duration, state_chip
from workflows.decisions import fields_to_check, may_complete, may_decide
from workflows.masking import MASK, hidden_keys, hides_material, reasons_shown, without
from workflows.models import TAKES_WORK, Brief, Delivery, FieldResult, Item, Run, Workflow
from workflows.routing import is_empty, show_signal
from workflows.states import FOR_A_PERSON, TO_DECIDE, State

MOST_TARGETS = 100  # workflows to move an item to


def item_page(
    *,
    item: Item,
    user: Any,
    typed: QueryDict | None = None,
    problems: dict[str, str] | None = None,
    clashed: str = "",
) -> dict[str, Any]:
    """`typed` is what the person sent and had refused; `clashed` says who was first when that is why."""
    version = item.version or item.workflow.version
    if version is not None:
        prefetch_related_objects([version], "fields")  # asked for by several parts of the page
    specs = version.specs() if version else ()
    review = review_of(item=item)
    decides = item.state in TO_DECIDE and may_decide(item=item, by=user)
    claim = claim_shown(review=review, user=user, may_decide=decides)
    free = claim is None or not claim.is_others
    reviews = may(user, Action.REVIEW, item)
    completes = reviews and may_complete(item=item)
    hidden = hidden_keys(user=user, item=item, specs=specs)
    withheld = bool(hidden) and hides_material(user=user, item=item)
    values = without(item.values, hidden)
    results = without(_results(item=item), hidden)
    route = reasons_shown(item.route, hidden)
    to_check = set(fields_to_check(item=item))
    seen = _seen(item=item, typed=typed)
    marks = marks_of(
        results=results.values(), labels={spec.key: spec.label for spec in specs}, to_check=to_check
    )
    drafted = bool(results) or item.values is not None
    deliveries = list(
        visible(user, Delivery.objects.filter(item=item))
        .select_related("destination")
        .prefetch_related("attempts")
    )
    shown = fields_shown(
        inputs=inputs_of(fields=specs, values=values, typed=typed, problems=problems) if drafted or completes else [],
        values=values, results=results, to_check=to_check, seen=seen,
        marked={key for mark in marks for key in mark.keys},
    )  # fmt: skip
    shown = [
        replace(one, told=MASK)
        if not is_empty((item.values or {}).get(one.key)) and one.key in hidden
        else one
        for one in shown
    ]
    handed = any(one.state != Delivery.State.CANCELLED for one in deliveries)
    may_move = (decides or (item.state == State.ATTENTION and reviews)) and free and not handed
    events = events_of(item=item, specs=specs, review=review, hidden=hidden)
    sources = [] if withheld else sources_of(item=item, user=user, marks=marks)
    return {
        "item": item,
        "may_see_audit": may(user, Action.ACCESS, item),
        "version": version,
        "state": state_chip(item.state),
        "signal": None if item.signal is None else show_signal(item.signal),
        "due": due(item.due_at) if item.due_at and item.state in FOR_A_PERSON else None,
        "erasure": item.erasure if item.erased_at else None,
        "next_step": _next_step(item=item, deliveries=deliveries),
        "review": review,
        "instructions": _instructions(item=item) if item.state in FOR_A_PERSON else "",
        "question": question_of(review) if review and item.state == State.ESCALATED else "",
        "claim": claim,
        "fields": shown,
        "to_check": sum(field.to_check for field in shown) if decides or completes else 0,
        "looked_at": sum(field.to_check and field.seen for field in shown),
        "edits": sum(field.changed or bool(field.typed) for field in shown),
        "reasons": (route or {}).get("reasons", []) if item.state in TO_DECIDE else [],
        "whys": why_here(route=route, specs=specs) if item.state in TO_DECIDE else [],
        "problem": item.problem,
        "sources": sources,
        "withheld": withheld,
        "deliveries": deliveries,
        "to_mend": _to_mend(deliveries=deliveries) if reviews else set(),
        "events": events,
        "changes": [event for event in events if event.changes],
        "runs": [] if withheld else runs_of(item=item, user=user),
        "may_see_runs": may(user, Action.MODEL_LOGS, item) and not withheld,
        "related": _related(item=item, user=user),
        "may_decide": decides and free,
        "may_complete": completes,
        "may_type": completes or (decides and free),
        "may_try_again": item.erased_at is None
        and item.state in (State.ATTENTION, State.SKIPPED)
        and (reviews or may(user, Action.MANAGE, item))
        and not handed,
        "may_close": (item.state == State.ATTENTION and reviews) or (decides and free),
        "targets": _targets(item=item, user=user) if may_move else [],
        "may_erase": may(user, Action.MANAGE, item),
        "may_split": may_move and item.workflow.takes_work and may(user, Action.SUBMIT, item),
        "reason": (typed.get(f"reason-{typed.get('verb', '')}") or typed.get("reason", "")) if typed else "",
        "ask_again": typed.get("verb", "") if typed and "reason" in (problems or {}) else "",
        "problems": problems or {},
        "clash": clash_of(
            item=item,
            specs=[spec for spec in specs if spec.key not in hidden],
            drafted={key: one.value for key, one in results.items()},
            typed=typed,
            said=clashed,
        )
        if clashed and typed is not None
        else None,
    }


def _instructions(*, item: Item) -> str:
    return (
        Brief.objects.filter(workflow=item.workflow_id).values_list("instructions", flat=True).first() or ""
    )


def _seen(*, item: Item, typed: QueryDict | None) -> set[str]:
    """What was looked at counts for the draft that was looked at, and for no later one."""
    if typed is None or typed.get("revision") != str(item.revision):
        return set()
    return set(typed.getlist("seen"))


def _targets(*, item: Item, user: Any) -> Sequence[Workflow]:
    open_ones = Workflow.objects.filter(stage__in=TAKES_WORK, version__isnull=False).exclude(
        pk=item.workflow_id
    )
    return list(visible(user, open_ones, Action.SUBMIT).only("pk", "name")[:MOST_TARGETS])


def _related(*, item: Item, user: Any) -> Sequence[Item]:
    """The item it came from and those that were made of it, as far as this person may see them."""
    linked = Item.objects.filter(Q(pk=item.origin_id) | Q(origin=item.pk))
    return list(
        visible(user, linked).select_related("workflow").only("pk", "title", "workflow__name", "origin")[:20]
    )


def _next_step(*, item: Item, deliveries: Sequence[Delivery]) -> str:
    """Whose turn it is and what comes next: nothing waits for nobody."""
    workflow = item.workflow
    if item.erased_at is not None:
        return "Its content was erased. What is left of it still counts in reports."
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
