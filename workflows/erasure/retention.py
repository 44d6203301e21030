"""Each workflow says how long the content of an item is kept after it came to rest; the tick does it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from workflows.erasure.erasing import OPEN, erase
from workflows.erasure.holds import hold_of_workflow
from workflows.models import Delivery, Erasure, Item, LegalHold, Workflow
from workflows.states import CLOSED

log = logging.getLogger("countersign.erase")

MOST_AT_A_TICK = 50
GRACE = timedelta(days=1)  # a number that was mistyped can be mended before it does anything


def kept_days(*, workflow: Workflow) -> int | None:
    """The longest of what was set within the last day, and what was set before it: a shorter time counts from a day later."""
    rows: Any = workflow.history.order_by("-history_date", "-history_id")
    since = timezone.now() - GRACE
    lately = list(rows.filter(history_date__gt=since).values_list("keep_days", flat=True))
    before = rows.filter(history_date__lte=since).values_list("keep_days", flat=True).first()
    days = [workflow.keep_days, *lately, before]
    return None if None in days else max(day for day in days if day is not None)


def at_rest(*, workflow: Workflow) -> QuerySet[Item]:
    """Closed, with nothing on its way."""
    going = Delivery.objects.filter(item=OuterRef("pk"), state__in=OPEN)
    return Item.objects.filter(~Exists(going), workflow=workflow, state__in=CLOSED, erased_at=None)


def due_items(*, workflow: Workflow, days: int | None, now: datetime | None = None) -> QuerySet[Item]:
    """Those that nothing holds, the longest at rest first."""
    if days is None:
        return Item.objects.none()
    held = LegalHold.objects.filter(item=OuterRef("pk"), released_at=None)
    until = (now or timezone.now()) - timedelta(days=days)
    return (
        at_rest(workflow=workflow).filter(~Exists(held), state_since__lte=until).order_by("state_since", "pk")
    )


def erase_due() -> int:
    """At most so many a time; the rest comes with the next tick. Returns how many."""
    left = MOST_AT_A_TICK
    for workflow in Workflow.objects.exclude(keep_days=None).order_by("pk"):
        if hold_of_workflow(workflow.pk) is not None:
            continue
        days = kept_days(workflow=workflow)
        pks = list(due_items(workflow=workflow, days=days).values_list("pk", flat=True)[:left])
        if not pks:
            continue
        reason = f"Kept for {days} {'day' if days == 1 else 'days'} after it came to rest"
        done = erase(items=pks, by=None, reason=reason, kind=Erasure.Kind.RETENTION)
        log.info("%s: %d items were erased, as long kept as was set.", workflow.slug, done.items)
        left -= len(pks)
        if left <= 0:
            break
    return MOST_AT_A_TICK - left


@dataclass(frozen=True, slots=True)
class Kept:
    """For the page of a workflow."""

    days: int | None  # as set
    counting: int | None  # as it counts today
    due: int  # now
    next_at: datetime | None  # when the next one is due
    held: int  # items by themselves
    hold: LegalHold | None  # on the whole


def kept_of(*, workflow: Workflow) -> Kept:
    days = kept_days(workflow=workflow)
    hold = hold_of_workflow(workflow.pk)
    due = due_items(workflow=workflow, days=days).count() if hold is None else 0
    next_at = None
    if days is not None and hold is None and not due:
        held = LegalHold.objects.filter(item=OuterRef("pk"), released_at=None)
        oldest = (
            at_rest(workflow=workflow)
            .filter(~Exists(held))
            .order_by("state_since")
            .values_list("state_since", flat=True)
        )
        first = oldest.first()
        next_at = first + timedelta(days=days) if first else None
    return Kept(
        days=workflow.keep_days, counting=days, due=due, next_at=next_at, hold=hold,
        held=LegalHold.objects.filter(workflow=workflow, released_at=None).exclude(item=None).count(),
    )  # fmt: skip
