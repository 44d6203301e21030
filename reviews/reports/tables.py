"""What a report is made of. The page shows the text of a figure, files take its value: they are the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from reviews.reports.intervals import Share
from workflows.exporting import Cell

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class Figure:
    text: str
    value: Cell = None
    link: str = ""
    tone: str = ""
    small: str = ""  # below it
    open: str = ""  # where a name leads


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    number: bool = False
    unit: str = ""  # of its values in a file, where the page tells them in words


@dataclass(frozen=True, slots=True)
class Chart:
    """`kind`: stacked or lines. A value of None is a gap."""

    kind: str
    labels: list[str]
    series: list[tuple[str, Sequence[float | None]]]
    unit: str = ""
    top: float | None = None

    def as_json(self) -> dict[str, Any]:
        series = [{"label": label, "values": list(values)} for label, values in self.series]
        return {
            "kind": self.kind,
            "labels": self.labels,
            "series": series,
            "unit": self.unit,
            "top": self.top,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """`key` names it in addresses. `names_items`: its rows are items or people, which not everybody may take home."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: list[list[Figure]]
    about: str = ""
    notes: tuple[str, ...] = ()
    chart: Chart | None = None
    empty: str = "No items yet."
    names_items: bool = False
    link: str = ""  # of all of its items

    def titles(self) -> list[str]:
        return [f"{one.title}, {one.unit}" if one.unit else one.title for one in self.columns]

    def pairs(self) -> list[list[tuple[Column, Figure]]]:
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]

    def cells(self) -> list[list[Cell]]:
        return [
            [figure.value if figure.value is not None else figure.text for figure in row] for row in self.rows
        ]


@dataclass(frozen=True, slots=True)
class Half:
    """One figure of a tile."""

    figure: str
    text: str
    link: str = ""
    words: bool = False  # not a number: "No decisions yet"


@dataclass(frozen=True, slots=True)
class Tile:
    title: str
    halves: tuple[Half, ...]
    lines: list[Figure] = field(default_factory=list)


def text(said: str, **more: Any) -> Figure:
    return Figure(text=said, value=said, **more)


def count(number: int, *, link: str = "", tone: str = "") -> Figure:
    return Figure(text=f"{number:,}", value=number, link=link if number else "", tone=tone)


def share(of: Share) -> list[Figure]:
    """Two cells: the share, and its interval with n."""
    value = None if of.value is None else Decimal(str(round(of.value, 4)))
    return [
        Figure(text=of.told(), value=value),
        Figure(text=of.told_range(), value=of.told_interval(), small=f"n = {of.whole:,}"),
    ]


def moment(at: datetime | None) -> Figure:
    if at is None:
        return text("–")
    local = timezone.localtime(at)
    return Figure(text=f"{local.day} {local:%b %Y}", value=local.replace(tzinfo=None, microsecond=0))


def currency() -> str:
    return str(getattr(settings, "CURRENCY", "USD"))


def money(amount: Decimal) -> str:
    sign = SIGNS.get(currency())
    told = _digits(amount)
    return f"{sign}{told}" if sign else f"{told} {currency()}"


def _digits(amount: Decimal) -> str:
    """Whole from 100, two places from 1, and three that say something below."""
    if amount == 0 or abs(amount) >= 100:
        return f"{amount:,.0f}"
    if abs(amount) >= 1:
        return f"{amount:,.2f}"
    places = min(8, 2 - amount.adjusted())
    return f"{amount:.{places}f}".rstrip("0")


def minutes(value: float) -> str:
    return f"{value:,.1f}".replace("-", "−")


def lasting(seconds: int) -> str:
    """The two largest units: 38 min, 5 h 10 min, 3 days 4 h."""
    if seconds < 60:
        return f"{seconds} s"
    whole = seconds // 60
    if whole < 60:
        return f"{whole} min"
    hours, rest = divmod(whole, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, rest = divmod(hours, 24)
    return f"{days} days {rest} h" if rest else f"{days} days"


def items(number: int) -> str:
    return f"{number:,} {'item' if number == 1 else 'items'}"
