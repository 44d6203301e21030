"""Claims: a reviewer's lease on a review, so that two people do not work on the same item.

The columns are written by guarded `update()`s, one statement each, so that of two people one wins. A renewal leaves no
trace in the history; a take-over does. Deciding without a claim is allowed; deciding against one is refused in
`reviews.opening`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from reviews.models import Review
from workflows.access import Action, may, visible, workflow_ids
from workflows.decisions import may_decide
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.people import acting

AT_ONCE = 20  # reviews looked at in one query while the next free one is searched


def claim(*, review: Review, by: Any) -> Review:
    """Take the review for `settings.CLAIM_SECONDS`; one's own claim is renewed. Raises NotPermitted or Conflict."""
    if not may_decide(item=review.item, by=by):
        raise NotPermitted(
            f"You may not decide this item in {review.workflow.name}, so you cannot claim it. Nothing was changed. "
            "Ask whoever manages its access."
        )
    if not _take(pk=review.pk, by=by):
        raise _lost(review=review, by=by)
    return _fresh(review)


def renew(*, review: Review, by: Any) -> Review:
    """Prolong one's running claim. Raises Conflict when it ended: claim again."""
    now = timezone.now()
    mine = Review.objects.filter(pk=review.pk, state=Review.State.OPEN, claimed_by=by, claimed_until__gte=now)
    if not mine.update(claimed_until=_end(now)):
        raise _lost(review=review, by=by)
    return _fresh(review)


def release(*, review: Review, by: Any) -> None:
    """Leave it for others. What is not one's own stays as it is."""
    Review.objects.filter(pk=review.pk, claimed_by=by).update(
        claimed_by=None, claimed_until=None, claimed_at=None
    )


def take_over(*, review: Review, by: Any, reason: str) -> Review:
    """Take somebody's claim away. It becomes the claim of who asked, or nobody's when they may not decide the item.

    Raises NotPermitted, InvalidInput without a reason, or Conflict when the review is closed.
    """
    if not may_take_over(review=review, by=by):
        raise NotPermitted(
            f"You may not take a claim over in {review.workflow.name}. Nothing was changed. Ask whoever has the claim, "
            "or somebody who manages the workflow."
        )
    if not (reason := reason.strip()):
        message = "Say why, in a few words: whoever had the claim reads it."
        raise InvalidInput(f"{message} Nothing was changed.", problems={"reason": message})
    with transaction.atomic():
        row = (
            Review.objects.select_for_update(of=("self",))
            .select_related("item__workflow", "workflow", "claimed_by")
            .get(pk=review.pk)
        )
        if row.state != Review.State.OPEN:
            raise _closed(row)
        had = holder(review=row)
        mine = may_decide(item=row.item, by=by)
        now = timezone.now()
        row.claimed_by, row.claimed_until, row.claimed_at = (
            (by, _end(now), now) if mine else (None, None, None)
        )
        why = f"Claim taken over from {name_of(had)}: {reason}" if had else f"Claim taken over: {reason}"
        with acting(by=by, why=why, on=row):
            row.save(update_fields=["claimed_by", "claimed_until", "claimed_at"])
    return row


def may_take_over(*, review: Review, by: Any) -> bool:
    return may(by, Action.MANAGE, review) or may(by, Action.HANDLE_ESCALATION, review)


def holder(*, review: Review, now: datetime | None = None) -> Any | None:
    """Who has claimed it; None when nobody has, or when the claim has run out."""
    if review.claimed_until is None or review.claimed_until < (now or timezone.now()):
        return None
    return review.claimed_by


def free_for(*, user: Any, now: datetime | None = None) -> Q:
    """Reviews that this person may take: nobody's, their own, or with a claim that has run out."""
    return Q(claimed_by=None) | Q(claimed_by=user) | Q(claimed_until__lt=now or timezone.now())


def to_decide(*, user: Any, kind: Review.Kind = Review.Kind.DECISION) -> QuerySet[Review]:
    """Open reviews of a kind that this person may decide: the review list, before any order."""
    action = Action.HANDLE_ESCALATION if kind == Review.Kind.ESCALATION else Action.REVIEW
    rows = visible(user, Review.objects.filter(state=Review.State.OPEN, kind=kind), action)
    sensitive = workflow_ids(user=user, action=Action.DECIDE_SENSITIVE)
    return rows if sensitive is None else rows.filter(Q(sensitive=False) | Q(workflow__in=sensitive))


def claim_next(*, user: Any, after: Review | None = None) -> Review | None:
    """Claim the most urgent review that this person may decide and nobody else holds; None when there is none.

    `after` is the one they leave: the search goes on behind it, and from the front when nothing is left there.
    """
    for candidate in _candidates(user=user, after=after):
        if may_decide(item=candidate.item, by=user) and _take(pk=candidate.pk, by=user):
            return _fresh(candidate)
    return None


def name_of(person: Any) -> str:
    return str(person.get_full_name() or person.get_username())


def _candidates(*, user: Any, after: Review | None) -> Iterator[Review]:
    free = (
        to_decide(user=user)
        .filter(free_for(user=user))
        .select_related("item__workflow", "item__version")
        .order_by("due_at", "pk")
    )
    if after is None:
        yield from _in_order(free)
        return
    behind = Q(due_at__gt=after.due_at) | Q(due_at=after.due_at, pk__gt=after.pk)
    yield from _in_order(free.filter(behind))
    yield from _in_order(free.exclude(behind).exclude(pk=after.pk))


def _in_order(rows: QuerySet[Review]) -> Iterator[Review]:
    """All of them, a few at a time: the first is nearly always the one."""
    last: Review | None = None
    while True:
        behind = Q(due_at__gt=last.due_at) | Q(due_at=last.due_at, pk__gt=last.pk) if last else Q()
        some = list(rows.filter(behind)[:AT_ONCE])
        yield from some
        if len(some) < AT_ONCE:
            return
        last = some[-1]


def _take(*, pk: int, by: Any) -> bool:
    now = timezone.now()
    free = Review.objects.filter(free_for(user=by, now=now), pk=pk, state=Review.State.OPEN)
    # Who claims again what is theirs goes on with it; who comes back to a claim that ran out begins anew.
    began = Case(When(claimed_by=by, claimed_until__gte=now, then=F("claimed_at")), default=Value(now))
    return bool(free.update(claimed_by=by, claimed_until=_end(now), claimed_at=began))


def _end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.CLAIM_SECONDS)


def _fresh(review: Review) -> Review:
    return Review.objects.select_related("item__workflow", "workflow", "claimed_by").get(pk=review.pk)


def _lost(*, review: Review, by: Any) -> Conflict:
    """Why the statement touched no row."""
    row = _fresh(review)
    if row.state != Review.State.OPEN:
        return _closed(row)
    has = holder(review=row)
    if has is not None and has != by:
        return claimed_by_another(review=row)
    return Conflict(
        "Your claim has ended. Nothing was changed, and what you typed is still yours. Claim the item again to go on."
    )


def _closed(review: Review) -> Conflict:
    return Conflict(
        f"“{review.item.title}” does not wait for a person any more: somebody decided it. Nothing was changed. "
        "Open it again to see what happened."
    )


def claimed_by_another(*, review: Review) -> Conflict:
    until = timezone.localtime(review.claimed_until)
    return Conflict(
        f"{name_of(review.claimed_by)} has claimed this item until {until:%H:%M}. Nothing of yours was sent. "
        "Take another item, or ask them to leave it to you."
    )
