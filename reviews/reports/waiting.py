"""How long it takes from intake until the result is handed over: half of the items, and nine in ten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Func, IntegerField, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from reviews.reports.asking import Asked
from reviews.reports.tables import Chart, Column, Figure, Half, Report, Tile, count, lasting, text
from workflows.models import Item
from workflows.states import State


class Seconds(Func):
    """Whole seconds from the first time to the second, worked out by the database itself, not by a call of Python a row."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(ROUND((julianday(%(expressions)s)) * 86400) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(ROUND(EXTRACT(EPOCH FROM (%(expressions)s))) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **context)


@dataclass(frozen=True, slots=True)
class Waited:
    """Nearest rank: a time that an item really took. None where nothing was handed over."""

    n: int
    half: int
    nine_in_ten: int


def waited(items: QuerySet[Item]) -> Waited | None:
    found = _ranked(items.filter(state=State.DELIVERED), partition=None)
    return found.get(0)


def waited_by(items: QuerySet[Item], *, period: Any) -> dict[int, Waited]:
    return _ranked(items.filter(state=State.DELIVERED).annotate(period=period), partition="period")


def _ranked(items: QuerySet[Item], *, partition: str | None) -> dict[int, Waited]:
    """The rank of an item is the first whose share of all reaches a half, or nine tenths."""
    took = items.annotate(took=Seconds(F("state_since"), F("created_at")))
    ranked = took.annotate(
        rank=Window(RowNumber(), partition_by=partition, order_by=("took", "pk")),
        n=Window(Count("pk"), partition_by=partition),
    )
    ranked = ranked.annotate(twice=F("rank") * 2, tenfold=F("rank") * 10, nine=F("n") * 9)
    half = Q(twice__gte=F("n"), twice__lt=F("n") + 2)
    nine = Q(tenfold__gte=F("nine"), tenfold__lt=F("nine") + 10)
    found: dict[int, list[tuple[int, int, int]]] = {}
    columns = [partition, "rank", "n", "took"] if partition else ["rank", "n", "took"]
    for *of, rank, n, seconds in ranked.filter(half | nine).values_list(*columns):
        found.setdefault(of[0] if of else 0, []).append((rank, n, seconds))
    return {
        of: Waited(n=rows[0][1], half=min(rows)[2], nine_in_ten=max(rows)[2]) for of, rows in found.items()
    }


def waiting(asked: Asked) -> Report:
    periods, found = asked.periods, waited_by(asked.items, period=asked.periods.number())
    rows = []
    for number, told in enumerate(periods.told()):
        dates = {"since": periods.starts[number], "until": periods.end(number)}
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


def tile(asked: Asked) -> Tile:
    found = waited(asked.items)
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
