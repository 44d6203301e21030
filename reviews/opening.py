"""A review opens when an item comes to a person, and closes when the item leaves: in the same transaction.

Every way to decide leads through here, so a decision against somebody's claim is refused here and nowhere else.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from reviews.claims import claimed_by_another, holder
from reviews.models import MOST_SECONDS, Review
from reviews.urgency import urgency
from workflows.models import Item
from workflows.people import SYSTEM, acting
from workflows.states import TO_DECIDE, State


def follow_item(*, item: Item, was: State, by: Any, why: str) -> None:
    if was in TO_DECIDE:
        _end(item=item, by=by, why=why)
    if item.state in TO_DECIDE:
        _open(item=item, by=by, why=why, asked=was in TO_DECIDE)


def _open(*, item: Item, by: Any, why: str, asked: bool) -> None:
    assert item.due_at is not None, "what waits for a person has a time"
    escalated = item.state == State.ESCALATED
    review = Review(
        item=item, workflow=item.workflow,
        kind=Review.Kind.ESCALATION if escalated else Review.Kind.DECISION,
        group_id=item.workflow.escalation_id if escalated else item.workflow.reviewers_id,
        asked_by=by if asked else None, reason=why[:300], due_at=item.due_at,
        **urgency(item=item),
    )  # fmt: skip
    with acting(by=by, why=why, on=review):
        review.save(force_insert=True)


def _end(*, item: Item, by: Any, why: str) -> None:
    # Held, so that a claim that comes now waits, and finds the review closed.
    review = Review.objects.select_for_update().filter(item=item, state=Review.State.OPEN).first()
    if review is None:
        return
    _refuse_if_claimed_by_another(review=review, by=by)
    decision = item.decisions.filter(created_at__gte=review.opened_at).order_by("-pk").first()
    review.state = Review.State.DONE if decision else Review.State.WITHDRAWN
    review.decision, review.closed_at = decision, timezone.now()
    review.worked_seconds = _worked(review=review, by=by) if decision else None
    review.claimed_by = review.claimed_until = review.claimed_at = None
    with acting(by=by, why=why, on=review):
        review.save(
            update_fields=[
                "state", "decision", "closed_at", "worked_seconds", "claimed_by", "claimed_until", "claimed_at",
            ]
        )  # fmt: skip


def _worked(*, review: Review, by: Any) -> int | None:
    """Nothing where the decision came without a claim of one's own: a guess would stand in a report as a measurement."""
    if review.claimed_at is None or review.claimed_by_id != by.pk:
        return None
    return min(MOST_SECONDS, max(0, round((timezone.now() - review.claimed_at).total_seconds())))


def _refuse_if_claimed_by_another(*, review: Review, by: Any) -> None:
    """Raises Conflict, which undoes the whole decision. What the worker does is nobody's decision."""
    if by is None or by.get_username() == SYSTEM:
        return
    has = holder(review=review)
    if has is not None and has.pk != by.pk:
        raise claimed_by_another(review=review)
