"""Minutes of people that were saved: what the work takes by hand, less what people still spent on it.

Of the items that people reviewed and that have ended: the accepted ones save the minutes by hand, and every one of them,
the rejected and the closed too, costs the minutes from claim to decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from reviews.reports.asking import Asked, Placed
from reviews.reports.cells import Ended
from reviews.reports.intervals import Sample, Spread, half_width
from reviews.reports.tables import Column, Figure, Half, Report, Tile, count, minutes, money, text
from workflows.models import Brief, Workflow
from workflows.worth import FEWEST_TIMED

NO_DECISIONS = "No decisions yet"
NOT_SAID = "No minutes by hand yet"


@dataclass(frozen=True, slots=True)
class Spent:
    """Of the items of one workflow that ended after a review. `measured` are the minutes of those whose claims are known."""

    reviewed: int
    accepted: int
    measured: Sample


@dataclass(frozen=True, slots=True)
class ByHand:
    """`timed` where somebody timed it; else what the owner said. None where nobody said anything."""

    stated: float | None
    timed: Sample | None

    @property
    def mean(self) -> float | None:
        return self.timed.mean if self.timed else self.stated


@dataclass(frozen=True, slots=True)
class Saved:
    """Minutes of all items together. `half`: half of the interval's width; None where it cannot be known."""

    accepted: int
    total: float
    half: float | None

    @property
    def an_item(self) -> float:
        return self.total / self.accepted


@dataclass(frozen=True, slots=True)
class Worth:
    workflow: Workflow
    spent: Spent
    by_hand: ByHand

    @property
    def known(self) -> bool:
        return bool(self.by_hand.mean is not None and self.spent.accepted and self.spent.measured.n)

    @property
    def total(self) -> float:
        assert self.by_hand.mean is not None
        return self.spent.accepted * self.by_hand.mean - self.spent.reviewed * self.spent.measured.mean

    @property
    def spreads(self) -> list[Spread] | None:
        """What makes the total uncertain; None where one side is no measurement, or too small a one."""
        timed, measured = self.by_hand.timed, self.spent.measured
        if timed is None or timed.variance is None or measured.variance is None:
            return None
        return [
            Spread(variance=self.spent.accepted**2 * timed.variance / timed.n, freedom=timed.n - 1),
            Spread(variance=self.spent.reviewed**2 * measured.variance / measured.n, freedom=measured.n - 1),
        ]


def saved(worths: Iterable[Worth]) -> Saved | None:
    """Of the workflows of which both sides are known; None where there is none."""
    known = [one for one in worths if one.known]
    if not known:
        return None
    spreads = [one.spreads for one in known]
    sure = (
        None
        if any(one is None for one in spreads)
        else half_width([s for one in spreads if one for s in one])
    )
    return Saved(
        accepted=sum(one.spent.accepted for one in known), total=sum(one.total for one in known), half=sure
    )


def worths(asked: Asked) -> list[Worth]:
    """One for each workflow that is counted, in their order."""
    spent = spent_by_workflow(asked.cells)
    nothing = Spent(reviewed=0, accepted=0, measured=Sample(n=0, total=0, squares=0))
    return [
        Worth(workflow=one, spent=spent.get(one.pk, nothing), by_hand=by_hand(getattr(one, "brief", None)))
        for one in asked.workflows
    ]


def by_hand(brief: Brief | None) -> ByHand:
    if brief is None:
        return ByHand(stated=None, timed=None)
    timed = [float(value) for row in brief.timed if (value := _number(row)) is not None]
    stated = float(brief.minutes_by_hand) if brief.minutes_by_hand is not None else None
    counts = timed and (len(timed) >= FEWEST_TIMED or stated is None)  # as in the so-what
    return ByHand(stated=stated, timed=Sample.of(timed) if counts else None)


def spent_by_workflow(cells: Iterable[Placed]) -> dict[int, Spent]:
    found: dict[int, list[Ended]] = defaultdict(list)
    for one in cells:
        found[one.workflow].append(one.cell.ended)
    return {workflow: _spent(own) for workflow, own in found.items()}


def _spent(rows: list[Ended]) -> Spent:
    measured = Sample(
        n=sum(row.measured for row in rows),
        total=sum(row.seconds for row in rows) / 60,
        squares=sum(row.squares for row in rows) / 3600,
    )
    return Spent(
        reviewed=sum(row.items for row in rows), accepted=sum(row.accepted for row in rows), measured=measured
    )


def _number(row: Any) -> Decimal | None:
    try:
        read = Decimal(str(row["minutes"]))
    except (InvalidOperation, KeyError, TypeError):
        return None
    return read if read.is_finite() else None


# Told


def tile(asked: Asked, found: list[Worth]) -> Tile:
    title = "Minutes saved an item"
    whole = saved(found)
    if whole is None:
        return Tile(title=title, halves=(why_unknown(found),), lines=_gaps(found))
    hours = whole.total / 60
    lines = [Figure(text=_interval(whole)), Figure(text=_both_sides(found))]
    worth = _money(found)
    told = f"{whole.accepted:,} accepted: {minutes(hours)} h{f', {worth}' if worth else ''}"
    lines.append(Figure(text=told, link=asked.link("accepted after review") if _all_known(found) else ""))
    return Tile(
        title=title,
        halves=(
            Half(minutes(whole.an_item), "saved" if whole.total >= 0 else "lost: by hand it takes less"),
        ),
        lines=[*lines, *_gaps(found)],
    )


def why_unknown(found: list[Worth]) -> Half:
    if not any(one.spent.reviewed for one in found):
        return Half(NO_DECISIONS, "", words=True)
    if not any(one.by_hand.mean is not None for one in found):
        return Half(NOT_SAID, "", words=True)
    if not any(one.spent.accepted for one in found):
        return Half("Nothing accepted yet", "", words=True)
    return Half("No minutes measured yet", "", words=True)


def hours_told(whole: Saved) -> tuple[str, str]:
    """Hours, and their range in words."""
    hours = whole.total / 60
    if whole.half is None:
        return f"{minutes(hours)} h saved", "no interval: minutes by hand are stated"
    low, high = (whole.total - whole.half) / 60, (whole.total + whole.half) / 60
    return f"{minutes(hours)} h saved", f"{minutes(low)} to {minutes(high)} h"


def report(asked: Asked, found: list[Worth]) -> Report:
    rows = []
    for one in found:
        part: dict[str, Any] = {"workflow": one.workflow.pk}
        rows.append(
            [
                text(one.workflow.name),
                count(one.spent.accepted, link=asked.link("accepted after review", **part)),
                count(one.spent.reviewed, link=asked.link("reviewed", **part)),
                _told_by_hand(one.by_hand), _told_spent(one.spent), *_told_saved(one),
            ]
        )  # fmt: skip
    return Report(
        key="minutes", title="Minutes by hand, and minutes of people now",
        columns=(
            Column("Workflow"), Column("Accepted", number=True), Column("Reviewed", number=True), Column("By hand, an item", number=True),
            Column("People, an item", number=True), Column("Saved, an item", number=True), Column("95 % interval"),
            Column("Hours saved", number=True),
        ),
        rows=rows if any(one.spent.reviewed for one in found) else [], empty=f"{NO_DECISIONS}.",
        notes=(
            "People: from claim to decision, at most 30 minutes a review. An item of which a review had no claim is not measured.",
            "What was rejected or closed saves nothing and costs its minutes. What was completed by hand is left out.",
        ),
    )  # fmt: skip


def _told_by_hand(one: ByHand) -> Figure:
    if one.mean is None:
        return text("not said")
    small = f"{one.timed.n} timed" if one.timed else "stated, not timed"
    return Figure(text=minutes(one.mean), value=_rounded(one.mean), small=small)


def _told_spent(one: Spent) -> Figure:
    if not one.measured.n:
        return text("not measured")
    return Figure(
        text=minutes(one.measured.mean),
        value=_rounded(one.measured.mean),
        small=f"{one.measured.n:,} measured",
    )


def _told_saved(one: Worth) -> list[Figure]:
    whole = saved([one])
    if whole is None:
        return [text("–"), text(why_unknown([one]).figure), text("–")]
    return [
        Figure(text=minutes(whole.an_item), value=_rounded(whole.an_item)),
        text(_interval(whole).removeprefix("95 % interval ")),
        Figure(text=minutes(whole.total / 60), value=_rounded(whole.total / 60)),
    ]


def _interval(whole: Saved) -> str:
    if whole.half is None:
        return "No interval: minutes by hand are stated, or too few are measured"
    each = whole.half / whole.accepted
    return f"95 % interval {minutes(whole.an_item - each)} to {minutes(whole.an_item + each)}"


def _both_sides(found: list[Worth]) -> str:
    known = [one for one in found if one.known]
    accepted = sum(one.spent.accepted for one in known)
    hand = sum(one.spent.accepted * (one.by_hand.mean or 0) for one in known) / accepted
    people = sum(one.spent.reviewed * one.spent.measured.mean for one in known) / accepted
    n = sum(one.spent.measured.n for one in known)
    timed = sum(one.by_hand.timed.n for one in known if one.by_hand.timed)
    said = f"{timed} timed" if all(one.by_hand.timed for one in known) else "stated"
    return f"{minutes(hand)} by hand ({said}) − {minutes(people)} of people now ({n:,} measured)"


def _money(found: list[Worth]) -> str:
    """Where the cost of an hour was said for each of them."""
    known = [one for one in found if one.known]
    costs = [(one, getattr(one.workflow, "brief", None)) for one in known]
    if any(brief is None or brief.hour_cost is None for _, brief in costs):
        return ""
    return money(
        sum((Decimal(str(one.total / 60)) * brief.hour_cost for one, brief in costs if brief), Decimal(0))
    )


def _all_known(found: list[Worth]) -> bool:
    return all(one.known for one in found if one.spent.accepted)


def _gaps(found: list[Worth]) -> list[Figure]:
    missing = [one.workflow.name for one in found if one.spent.accepted and not one.known]
    if not missing:
        return []
    return [Figure(text=f"Left out, as one side is not known: {', '.join(missing)}.", tone="warn")]


def _rounded(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))
