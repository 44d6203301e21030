"""Named parts of the items, each the meaning of one figure: what a report counts and what its link lists are the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.fields.json import KT
from django.utils import timezone

from reviews.models import Review
from workflows.models import Decision, Item, Run
from workflows.states import CLOSED, FOR_THE_WORKER, TO_DECIDE, State

ACCEPTED = frozenset({State.APPROVED, State.DELIVERED})
ENDED = ACCEPTED | CLOSED
ACCEPTING = (Decision.Kind.APPROVE, Decision.Kind.EDIT)
TOO_LONG = timedelta(days=1)  # without a move, where no person has a due time
MOST_DIGITS = 18
SAME_CONTENT = "The same content came in before"

Items = QuerySet[Item]


def narrow(items: Items, *, part: str, of: str = "") -> Items | None:
    """None where there is no such part. `of` is what an address says: no database takes each of its letters, or each number."""
    if "\x00" in of or (of.isdecimal() and len(of) > MOST_DIGITS):
        return items.none() if part in PARTS else None
    return PARTS[part](items, of) if part in PARTS else None


def accepting_kind() -> Subquery:
    """Of the decision that accepted an item: the last one counts, should one have been taken back."""
    last = Decision.objects.filter(item=OuterRef("pk"), kind__in=ACCEPTING).order_by("-pk").values("kind")[:1]
    return Subquery(last)


def accepted_as(items: Items) -> QuerySet[Any]:
    reviewed = Review.objects.filter(item=OuterRef("pk"), state=Review.State.DONE)
    return items.filter(Exists(reviewed), state__in=ACCEPTED).annotate(accepted_as=accepting_kind())


def stuck(items: Items, *, now: datetime | None = None) -> Items:
    """Needs attention; waits for a person past its due time; or moved nowhere for a day although nobody is waited for."""
    now = now or timezone.now()
    # The first condition says nothing new: by it the database finds the few open items, and reads no others.
    return items.filter(state__in=frozenset(State) - ENDED | {State.APPROVED}).filter(
        Q(state=State.ATTENTION)
        | Q(state__in=TO_DECIDE, due_at__lt=now)
        | Q(state__in=[*FOR_THE_WORKER, State.APPROVED], state_since__lt=now - TOO_LONG)
    )


def with_reason(items: Items) -> QuerySet[Any]:
    """Skipped items, each with why: a person's words, or what the intake found."""
    return items.filter(state=State.SKIPPED).annotate(
        why=Case(
            When(problem__has_key="item", then=Value(SAME_CONTENT)),
            When(problem__has_key="happened", then=KT("problem__happened")),
            default=Value("No reason was given"), output_field=CharField(),
        )
    )  # fmt: skip


def _of_reason(items: Items, of: str) -> Items:
    later = Review.objects.filter(item=OuterRef("item"), pk__gt=OuterRef("pk"))
    newest = Review.objects.filter(~Exists(later), item=OuterRef("pk"))
    chosen = newest.filter(reason_kinds__contains=f"|{of}|") if of else newest.filter(reason_kinds="")
    return items.filter(Exists(chosen))


def _run(items: Items, of: str) -> Items:
    return items.filter(Exists(Run.objects.filter(item=OuterRef("pk"), outcome=of)))


def _decided_by(items: Items, of: str) -> Items:
    if not of.isdecimal():
        return items.none()
    return items.filter(Exists(Decision.objects.filter(item=OuterRef("pk"), by=int(of))))


PARTS: dict[str, Callable[[Items, str], Items]] = {
    "all": lambda items, of: items,
    "accepted": lambda items, of: items.filter(state__in=ACCEPTED),
    "rejected": lambda items, of: items.filter(state=State.REJECTED),
    "skipped": lambda items, of: items.filter(state=State.SKIPPED),
    "open": lambda items, of: items.exclude(state__in=ENDED),
    "reviewed": lambda items, of: items.filter(
        Exists(Review.objects.filter(item=OuterRef("pk"), state=Review.State.DONE)), state__in=ENDED
    ),
    "accepted after review": lambda items, of: accepted_as(items),
    "unedited": lambda items, of: accepted_as(items).filter(accepted_as=Decision.Kind.APPROVE),
    "edited": lambda items, of: accepted_as(items).filter(accepted_as=Decision.Kind.EDIT),
    "to people": lambda items, of: items.filter(Exists(Review.objects.filter(item=OuterRef("pk")))),
    "reason": _of_reason,
    "outcome": _run,
    "handed over": lambda items, of: items.filter(state=State.DELIVERED),
    "why": lambda items, of: with_reason(items).filter(why=of),
    "stuck": lambda items, of: stuck(items),
    "stuck, state": lambda items, of: stuck(items).filter(state=of),
    "priced": lambda items, of: items.filter(Exists(Run.objects.filter(item=OuterRef("pk"), cost__isnull=False))),
    "drafted": lambda items, of: items.filter(Exists(Run.objects.filter(item=OuterRef("pk")))),
    "submitted by": lambda items, of: items.filter(submitted_by=int(of)) if of.isdecimal() else items.none(),
    "decided by": _decided_by,
}  # fmt: skip
