"""Who has claimed an item, and what that lets this person do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from reviews.claims import holder, may_take_over, name_of
from reviews.models import Review
from workflows.models import Item


@dataclass(frozen=True, slots=True)
class ShownClaim:
    """`left`: minutes and seconds of one's own claim, as the clock begins."""

    mine: bool
    by: str
    until: datetime | None
    left: str
    may_claim: bool
    may_take_over: bool

    @property
    def is_others(self) -> bool:
        return bool(self.by) and not self.mine


def review_of(*, item: Item) -> Review | None:
    """The one open review of the item."""
    return (
        Review.objects.filter(item=item, state=Review.State.OPEN)
        .select_related("claimed_by", "asked_by", "group", "workflow", "item__workflow", "item__version")
        .first()
    )


def claim_shown(*, review: Review | None, user: Any, may_decide: bool) -> ShownClaim | None:
    if review is None:
        return None
    now = timezone.now()
    has = holder(review=review, now=now)
    mine = has is not None and has.pk == user.pk
    seconds = int((review.claimed_until - now).total_seconds()) if mine and review.claimed_until else 0
    return ShownClaim(
        mine=mine, by=name_of(has) if has else "", until=review.claimed_until if has else None,
        left=f"{seconds // 60}:{seconds % 60:02d}", may_claim=has is None and may_decide,
        may_take_over=has is not None and not mine and may_take_over(review=review, by=user),
    )  # fmt: skip
