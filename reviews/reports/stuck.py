"""What moves nowhere by itself, whose it is, and the next step. It is about now, whenever an item came in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Prefetch, Q, QuerySet
from django.urls import reverse

from reviews.claims import holder, name_of
from reviews.models import Review
from reviews.reports.asking import Asked
from reviews.reports.parts import stuck
from reviews.reports.tables import Column, Figure, Report, items, lasting, text
from workflows.models import Item
from workflows.states import FOR_THE_WORKER, LABELS, State

SHOWN = 10
IN_A_FILE = 10_000
NOBODY = "Nobody"
LARGE = ("values", "route", "metadata", "note")


def summary(asked: Asked) -> dict[str, Any]:
    """How many, how many of them have no owner, since when the longest has not moved."""
    found: dict[str, Any] = stuck(asked.whenever().items, now=asked.now).aggregate(
        n=Count("pk"), unowned=Count("pk", filter=Q(workflow__owner=None)), since=Min("state_since")
    )
    return found


def report(asked: Asked, *, known: Mapping[str, Any] | None = None, most: int = SHOWN) -> Report:
    known = known or summary(asked)
    about = items(known["n"])
    if known["n"] > most:
        about += f", the {most} that stand longest"
    rows = [_row(item, now=asked.now) for item in _longest(asked)[:most]] if asked.opens else []
    return Report(
        key="stuck", title="Stuck, and whose it is",
        columns=(
            Column("Item"), Column("State"), Column("Not moved for", unit="seconds"), Column("Whose it is"), Column("Next step"),
        ),
        rows=rows, about=about, link=asked.whenever().link("stuck"), names_items=True,
        empty="Nothing is stuck." if not known["n"] else "You may see figures here, and not the items. Ask who manages access.",
        notes=("Whenever it came in: needs attention, is past its due time, or has not moved for a day.",),
    )  # fmt: skip


def _longest(asked: Asked) -> QuerySet[Item]:
    reviews = Review.objects.filter(state=Review.State.OPEN).select_related("group", "claimed_by")
    found = stuck(asked.whenever().items, now=asked.now).select_related(
        "workflow__owner", "workflow__reviewers"
    )
    return (
        found.defer(*LARGE)
        .prefetch_related(Prefetch("reviews", queryset=reviews, to_attr="open_reviews"))
        .order_by("state_since", "pk")
    )


def _row(item: Item, *, now: datetime) -> list[Figure]:
    seconds = max(0, round((now - item.state_since).total_seconds()))
    whose = _whose(item, now=now)
    return [
        text(
            item.title, small=item.workflow.name, open=reverse("admin:workflows_item_change", args=[item.pk])
        ),
        text(LABELS[State(item.state)]),
        Figure(text=lasting(seconds), value=seconds),
        text(whose, tone="warn" if whose == NOBODY else ""),
        text(_next_step(item)),
    ]


def _whose(item: Item, *, now: datetime) -> str:
    """Who has claimed it; else the group it waits for; else the owner, who answers for what no group was asked."""
    review: Review | None = next(iter(item.open_reviews), None)  # type: ignore[attr-defined]
    if review is not None:
        claimed = holder(review=review, now=now)
        if claimed is not None:
            return name_of(claimed)
        if review.group is not None:
            return review.group.name
    owner, group = item.workflow.owner, item.workflow.reviewers
    if owner is not None:
        return name_of(owner)
    return group.name if group is not None and item.state == State.ATTENTION else NOBODY


def _next_step(item: Item) -> str:
    if item.state == State.ATTENTION:
        return str((item.problem or {}).get("next_step") or "Open it")
    if item.state in FOR_THE_WORKER:
        return "See whether the workers run and the model answers"
    if item.state == State.APPROVED:
        return "Look at its deliveries"
    return "Answer the question" if item.state == State.ESCALATED else "Review it"
