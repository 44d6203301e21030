"""What the model cost: an item, this month so far, and the month to be expected."""

from __future__ import annotations

import calendar
import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    Expression,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.utils import timezone

from integrations.llm.outcomes import Outcome
from reviews.reports.asking import Asked
from reviews.reports.cells import Runs
from reviews.reports.filters import items_of, midnight
from reviews.reports.intervals import Sample, student
from reviews.reports.tables import Column, Figure, Half, Report, Tile, count, currency, lasting, money, text
from workflows.models import Run

DAYS = 28  # whole days that the rest of the month is judged by
NO_PRICE = "No price is known"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of the runs of the items that are counted. `amount` sums those whose price is known."""

    items: int  # with a run
    priced: int  # with a run whose price is known
    amount: Decimal
    failed: Decimal  # of the amount: on attempts that did not end well
    unpriced_runs: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Month:
    """By the day a run began, whatever the dates of the filter. `low` and `high`: where the whole month is expected to end."""

    name: str
    so_far: Decimal
    low: Decimal | None
    high: Decimal | None
    runs: int
    unpriced: int


def runs_of(asked: Asked) -> list[Runs]:
    """By model and outcome."""
    found: dict[tuple[str, str], Runs] = {}
    for one in (runs for placed in asked.cells for runs in placed.cell.runs):
        both = found.setdefault((one.model, one.outcome), Runs(model=one.model, outcome=one.outcome))
        both.add(n=one.n, amount=one.amount, unpriced=one.unpriced, cpu=one.cpu)
    return list(found.values())


def cost_of(asked: Asked) -> Cost:
    runs, cells = runs_of(asked), [one.cell for one in asked.cells]
    return Cost(
        items=sum(one.drafted for one in cells), priced=sum(one.priced for one in cells),
        amount=sum((one.amount or Decimal(0) for one in runs), Decimal(0)),
        failed=sum((one.amount or Decimal(0) for one in runs if one.outcome != Outcome.OK), Decimal(0)),
        unpriced_runs=sum(one.unpriced for one in runs if one.outcome),
        cpu_seconds=sum(one.cpu or 0.0 for one in runs),
    )  # fmt: skip


def month_of(asked: Asked) -> Month:
    today = timezone.localdate(asked.now)
    first, begin = today.replace(day=1), min(today.replace(day=1), today - timedelta(days=DAYS))
    days = [begin + timedelta(days=number) for number in range((today - begin).days + 1)]
    runs = Run.objects.filter(
        started_at__gte=midnight(begin), started_at__lt=midnight(today + timedelta(days=1))
    )
    # Asked of each run of these days, which are few, and not of each item there ever was.
    runs = runs.filter(Exists(_items(asked).filter(pk=OuterRef("item")))).order_by()
    found = runs.annotate(day=_number(days, 0, len(days) - 1)).values_list("day").annotate(
        amount=Sum("cost"), runs=Count("pk"), unpriced=Count("pk", filter=Q(cost=None))
    )  # fmt: skip
    amounts, counts, unpriced = (
        dict.fromkeys(days, Decimal(0)),
        dict.fromkeys(days, 0),
        dict.fromkeys(days, 0),
    )
    for at, amount, n, none in found:
        amounts[days[at]], counts[days[at]], unpriced[days[at]] = amount or Decimal(0), n, none
    so_far = sum((amount for day, amount in amounts.items() if day >= first), Decimal(0))
    # Days before the first run are not days on which nothing was spent.
    began = next((day for day in days if counts[day]), today)
    judged = [amounts[day] for day in days if max(began, today - timedelta(days=DAYS)) <= day < today]
    low, high = expected(before=so_far - amounts[today], spent=so_far, days=judged, left=_left(today))
    return Month(
        name=f"{today:%B}", so_far=so_far, low=low, high=high,
        runs=sum(n for day, n in counts.items() if day >= first),
        unpriced=sum(n for day, n in unpriced.items() if day >= first),
    )  # fmt: skip


def expected(
    *, before: Decimal, spent: Decimal, days: list[Decimal], left: int
) -> tuple[Decimal | None, Decimal | None]:
    """Where the month ends in 95 of 100 cases, when the days that are left, today among them, are as the `days` were.

    `before` was spent until yesterday, `spent` until now; the end is never below that. None with less than a week to judge by.
    """
    values = [float(day) for day in days]
    sample = Sample.of(values)
    if sample.n < 7 or not any(values) or sample.variance is None:
        return None, None
    rest = left * sample.mean
    half = student(freedom=sample.n - 1) * math.sqrt(sample.variance * (left + left * left / sample.n))
    return max(spent, before + _decimal(rest - half)), max(spent, before + _decimal(rest + half))


def report(asked: Asked) -> Report:
    """By model and outcome: where the money went."""
    found = sorted(
        (one for one in runs_of(asked) if one.outcome),
        key=lambda one: (-(one.amount or 0), one.model, one.outcome),
    )
    rows = [
        [
            text(one.model or "No model answered"), text(one.outcome.replace("_", " ")), count(one.n), _amount(one.amount),
            text(f"{one.unpriced:,} without a price") if one.unpriced else text("all priced"), _cpu(one.cpu),
        ]
        for one in found
    ]  # fmt: skip
    return Report(
        key="cost", title="Cost by model and outcome",
        columns=(
            Column("Model"), Column("Outcome"), Column("Runs", number=True), Column("Cost", number=True, unit=currency()),
            Column("Price"), Column("CPU", number=True, unit="seconds"),
        ),
        rows=rows, empty="No model was asked yet.",
    )  # fmt: skip


def tile(asked: Asked, cost: Cost, month: Month) -> Tile:
    lines = [_month_line(month)]
    if cost.failed:
        lines.append(
            Figure(text=f"{money(cost.failed)} of {money(cost.amount)} went on attempts that failed")
        )
    if cost.unpriced_runs:
        lines.append(
            Figure(
                text=f"{cost.unpriced_runs:,} runs without a price are not in it",
                tone="warn" if cost.priced else "",
            )
        )
    if cost.cpu_seconds:
        lines.append(Figure(text=f"{lasting(round(cost.cpu_seconds))} of CPU for models of our own"))
    if not cost.priced:
        said = NO_PRICE if cost.items else "Nothing drafted yet"
        return Tile(title="Cost of an item", halves=(Half(said, "", words=True),), lines=lines)
    lines.insert(1, Figure(text=f"{cost.priced:,} items with a price", link=asked.link("priced")))
    return Tile(
        title="Cost of an item", halves=(Half(money(cost.amount / cost.priced), "of the model"),), lines=lines
    )


def month_told(month: Month) -> tuple[str, str]:
    """What was spent, and what is expected."""
    if month.runs and month.runs == month.unpriced:
        return NO_PRICE, f"{month.runs:,} runs this month"
    if month.low is None or month.high is None:
        return money(month.so_far), "too few days to expect anything by"
    return money(month.so_far), f"{money(month.low)} to {money(month.high)} expected"


def _month_line(month: Month) -> Figure:
    spent, more = month_told(month)
    if spent == NO_PRICE:
        return Figure(text=f"{month.name}: {NO_PRICE.lower()} ({more})")
    return Figure(text=f"{month.name}: {spent} spent on items, {more}")


def _items(asked: Asked) -> QuerySet[Any]:
    return asked.filter.whenever().narrow(items_of(pks=[one.pk for one in asked.workflows])).order_by()


def _number(days: list[date], low: int, high: int) -> Expression:
    """Of the day a run began, by halves: five comparisons of times a row and no call of a function for it."""
    if low == high:
        return Value(low, output_field=IntegerField())
    middle = (low + high + 1) // 2
    before = When(started_at__lt=midnight(days[middle]), then=_number(days, low, middle - 1))
    return Case(before, default=_number(days, middle, high), output_field=IntegerField())


def _left(today: date) -> int:
    return calendar.monthrange(today.year, today.month)[1] - today.day + 1  # today is not over


def _amount(amount: Decimal | None) -> Figure:
    return text("–") if amount is None else Figure(text=money(amount), value=amount)


def _cpu(seconds: float | None) -> Figure:
    return text("–") if seconds is None else Figure(text=lasting(round(seconds)), value=round(seconds))


def _decimal(value: float) -> Decimal:
    return Decimal(str(round(value, 8)))
