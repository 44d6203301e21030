"""How long it takes from intake until the result is handed over: half of the items, and nine in ten."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from reviews.reports.asking import Asked
from reviews.reports.tables import Chart, Column, Figure, Half, Report, Tile, count, lasting, text


@dataclass(frozen=True, slots=True)
class Waited:
    """Nearest rank: a time that an item really took. None where nothing was handed over."""

    n: int
    half: int
    nine_in_ten: int


@dataclass(frozen=True, slots=True)
class Times:
    """Of all items together, and of those of each period."""

    whole: Waited | None
    by_period: dict[int, Waited]


def times(asked: Asked) -> Times:
    found: dict[int, list[int]] = defaultdict(list)
    for placed in asked.cells:
        found[placed.period].extend(placed.cell.took)
    return Times(
        whole=ranked([seconds for some in found.values() for seconds in some]),
        by_period={period: one for period, some in found.items() if (one := ranked(some))},
    )


def ranked(seconds: list[int]) -> Waited | None:
    """The rank of the item is the first whose share of all reaches a half, or nine tenths."""
    if not (n := len(seconds)):
        return None
    seconds.sort()
    return Waited(n=n, half=seconds[(n + 1) // 2 - 1], nine_in_ten=seconds[(9 * n + 9) // 10 - 1])


def waiting(asked: Asked, known: Times) -> Report:
    periods, found = asked.periods, known.by_period
    rows = []
    for number, told in enumerate(periods.told()):
        dates: dict[str, Any] = {"since": periods.starts[number], "until": periods.end(number)}
        if one := found.get(number):
            rows.append(
                [
                    text(told),
                    count(one.n, link=asked.link("handed over", **dates)),
                    _took(one.half),
                    _took(one.nine_in_ten),
                ]
            )
    return Report(
        key="waiting", title="From intake to hand-over",
        columns=(
            Column(f"{periods.word.capitalize()} of intake"), Column("Handed over", number=True), Column("Half within (p50)", number=True, unit="seconds"),
            Column("Nine in ten within (p90)", number=True, unit="seconds"),
        ),
        rows=rows, empty="Nothing was handed over yet.",
        notes=("From the intake until the last destination had the result. What is still on its way is left out.",),
        chart=Chart(
            kind="lines", labels=periods.told(), unit="h",
            series=[
                ("Half within (p50)", [_hours(found.get(at), "half") for at in range(len(periods.starts))]),
                ("Nine in ten within (p90)", [_hours(found.get(at), "nine_in_ten") for at in range(len(periods.starts))]),
            ],
        ),
    )  # fmt: skip


def tile(asked: Asked, found: Waited | None) -> Tile:
    if found is None:
        return Tile(
            title="Intake to next action", halves=(Half("Nothing yet", "was handed over", words=True),)
        )
    return Tile(
        title="Intake to next action",
        halves=(
            Half(lasting(found.half), "half of the items (p50)"),
            Half(lasting(found.nine_in_ten), "nine in ten (p90)"),
        ),
        lines=[Figure(text=f"{found.n:,} handed over", link=asked.link("handed over")),
               Figure(text="Until the last destination had the result.")],
    )  # fmt: skip


def _took(seconds: int) -> Figure:
    return Figure(text=lasting(seconds), value=seconds)


def _hours(one: Waited | None, which: str) -> float | None:
    return None if one is None else round(getattr(one, which) / 3600, 2)
