"""What was closed without review, and why."""

from __future__ import annotations

from django.db.models import Count

from reviews.reports.asking import Asked
from reviews.reports.intervals import Share
from reviews.reports.parts import SAME_CONTENT, with_reason
from reviews.reports.tables import Column, Figure, Report, count, share, text
from workflows.states import State

MOST = 30  # reasons; people write their own
KNOWN = {SAME_CONTENT: "Each names the first one"}


def reasons(asked: Asked) -> list[tuple[str, int]]:
    """Each reason and its items, the most frequent first."""
    found = with_reason(asked.items).values_list("why").annotate(n=Count("pk")).order_by("-n", "why")
    return list(found)


def skipped(asked: Asked) -> Report:
    found, whole = reasons(asked), asked.total(State.SKIPPED)
    rows = [
        [
            _reason(asked, why), count(n, link=asked.link("why", why)), *share(Share(n, asked.total())),
            text(KNOWN.get(why, "Closed by a person")),
        ]
        for why, n in found[:MOST]
    ]  # fmt: skip
    if rest := found[MOST:]:
        n = sum(n for _, n in rest)
        rows.append(
            [text(f"{len(rest):,} other reasons"), count(n), *share(Share(n, asked.total())), text("–")]
        )
    return Report(
        key="skipped", title="Skipped, and why",
        columns=(
            Column("Reason"), Column("Items", number=True), Column("Share of all", number=True), Column("95 % interval"),
            Column("Good to know"),
        ),
        rows=rows, about=f"{whole:,} of {asked.total():,}", empty="Nothing was skipped.", link=asked.link("skipped"),
        names_items=any(why not in KNOWN for why, _ in found),  # people's own words about items
    )  # fmt: skip


def told(asked: Asked, why: str) -> str:
    """What a person wrote about an item is for those who may see the item."""
    return why if asked.opens or why in KNOWN else "closed by a person"


def _reason(asked: Asked, why: str) -> Figure:
    return text(told(asked, why))
