"""What a workflow may spend on the model: set aside before each call, settled after it.

A limit is kept by one conditional update of the row of its span, which the database decides; no reading before it could
be true any more when it is written. Rows are touched in one order everywhere (item, days, months), so that no two
processes wait for each other. Sums are rounded to eight places in the database: SQLite adds with floating point, which
keeps 15 digits, so a sum is exact below ten million; above that one addition is wrong by a millionth of a cent at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import DecimalField, Expression, F, Sum, Value
from django.db.models.functions import Round
from django.utils import timezone

from integrations.llm.prices import Price as Rates
from integrations.llm.prices import own_price
from workflows.models import Budget, Price, Reservation, Run, Spending
from workflows.models.runs import AMOUNT

Span = Spending.Span
PLACES: int = AMOUNT["decimal_places"]
LOST_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call may not be made. `span` is empty where no limit was asked: `why` says what is missing."""

    span: str
    limit: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    opens_at: datetime | None = None
    why: str = ""
    to_do: str = ""

    @property
    def passes(self) -> bool:
        """Only what other calls hold at this moment is in the way: it settles within seconds, mostly at far less."""
        return bool(self.span) and self.held > 0 and self.spent + self.amount <= self.limit


class _Refused(Exception):
    def __init__(self, *, span: Spending.Span, limit: Decimal) -> None:
        self.span, self.limit = span, limit


def own_prices() -> dict[str, Rates]:
    """The installation's own prices, by the name of the model."""
    return {
        one.model: own_price(prompt=one.prompt, completion=one.completion, cached=one.cached)
        for one in Price.objects.all()
    }


def reserve(*, workflow: int, item: int | None, amount: Decimal) -> Reservation | Refusal | None:
    """Set aside what one call can cost at most, in every span that is limited or not; None: there is no budget.

    `workflow` and `item` are keys; without an item (a try) it counts to the day and the month alone. A refusal leaves
    nothing behind.
    """
    budget = Budget.objects.filter(workflow=workflow).first()
    if budget is None:
        return None
    today = timezone.localdate()
    try:
        with transaction.atomic():
            for place in _places(workflow=workflow, item=item, on=today):
                _hold(place=place, amount=amount, limit=limit_of(budget=budget, span=place.span))
            return Reservation.objects.create(
                workflow_id=workflow, item_id=item, amount=amount, reserved_on=today
            )
    except _Refused as refused:
        return _refusal(refused, workflow=workflow, item=item, amount=amount, today=today)


def settle(*, settled: Sequence[tuple[Reservation, Decimal]]) -> None:
    """Count what the calls cost in the place of what was held for them.

    Settling again is no fault: what was counted before is put right. So an answer that comes after `settle_lost` gave
    its call up still has the last word.
    """
    with transaction.atomic():
        amounts = {row.pk: spent for row, spent in settled}
        rows = Reservation.objects.select_for_update().filter(pk__in=amounts).order_by("pk")
        changes: dict[_Place, tuple[Decimal, Decimal]] = {}
        for row in rows:
            spent = amounts[row.pk]
            held = Decimal(0) if row.settled_at else row.amount
            for place in _places(workflow=row.workflow_id, item=row.item_id, on=row.reserved_on):
                was = changes.get(place, (Decimal(0), Decimal(0)))
                changes[place] = was[0] - held, was[1] + spent - (row.spent or 0)
            Reservation.objects.filter(pk=row.pk).update(spent=spent, settled_at=timezone.now())
        for place in sorted(changes):
            held, spent = changes[place]
            place.rows().update(held=_sum("held", held), spent=_sum("spent", spent))


def settle_lost(*, older_than: timedelta = LOST_AFTER, item: int | None = None) -> int:
    """Reservations whose calls never answered count in full. Returns how many. `item`: those of its earlier leases,
    whose worker is known to be gone."""
    lost = Reservation.objects.filter(settled_at=None)
    if item is not None:
        lost = lost.filter(item=item)
    else:
        lost = lost.filter(created_at__lt=timezone.now() - older_than)
    rows = list(lost[:500])
    if rows:
        settle(settled=[(row, row.amount) for row in rows])
    return len(rows)


def add(*, workflow: int, amount: Decimal, item: int | None = None) -> None:
    """Count money that nothing was set aside for, to today and this month; to its item where that is counted already (a row
    that is made later counts what its runs cost before)."""
    if not amount:
        return
    if item is not None:
        Spending.objects.filter(item=item).update(spent=_sum("spent", amount))
    for place in _places(workflow=workflow, item=None, on=timezone.localdate()):
        _change(place=place, filters={}, spent=_sum("spent", amount))


def limit_of(*, budget: Budget, span: str) -> Decimal | None:
    return {Span.ITEM: budget.per_item, Span.DAY: budget.per_day, Span.MONTH: budget.per_month}[Span(span)]


def spent_in(*, workflow: int, span: Spending.Span, on: date) -> tuple[Decimal, Decimal]:
    """Spent and held, of the day or the month that `on` is in."""
    row = _Place.of(workflow=workflow, span=span, on=on).rows().values_list("spent", "held").first()
    return row or (Decimal(0), Decimal(0))


def told(amount: Decimal) -> str:
    """An amount in words: never rounded to nothing, and never with more places than say something."""
    places = 2 if abs(amount) >= 1 else 4 if abs(amount) >= Decimal("0.001") else PLACES
    whole, _, rest = f"{amount:,.{places}f}".partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')} {settings.CURRENCY}"


def told_cost(*, cost: Decimal | None, cpu_seconds: float | None = None) -> str:
    if cost is not None and not cost and cpu_seconds is not None:
        return f"0, local: {cpu_seconds:,.1f} CPU-s"
    return "no price known" if cost is None else told(cost)


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """One row of Spending, before it is known whether it is there. Their order is the order of locks."""

    rank: int
    starts_on: date
    span: str
    workflow: int
    item: int | None

    @classmethod
    def of(cls, *, workflow: int, span: Spending.Span, on: date, item: int | None = None) -> _Place:
        starts = on.replace(day=1) if span == Span.MONTH else on if span == Span.DAY else date.min
        return cls(list(Span).index(span), starts, span.value, workflow, item)

    def rows(self) -> Any:
        if self.span == Span.ITEM:
            return Spending.objects.filter(item=self.item)
        return Spending.objects.filter(
            workflow=self.workflow, span=self.span, starts_on=self.starts_on, item=None
        )

    def make(self) -> None:
        """Unless another made it meanwhile: the database keeps one. What an item cost before is counted from its runs."""
        row = Spending(
            workflow_id=self.workflow, span=self.span, item_id=self.item, spent=self.before(),
            starts_on=None if self.span == Span.ITEM else self.starts_on,
        )  # fmt: skip
        Spending.objects.bulk_create([row], ignore_conflicts=True)

    def before(self) -> Decimal:
        if self.span != Span.ITEM:
            return Decimal(0)
        return Run.objects.filter(item=self.item).aggregate(cost=Sum("cost"))["cost"] or Decimal(0)


def _places(*, workflow: int, item: int | None, on: date) -> Iterable[_Place]:
    if item is not None:
        yield _Place.of(workflow=workflow, span=Span.ITEM, on=on, item=item)
    yield _Place.of(workflow=workflow, span=Span.DAY, on=on)
    yield _Place.of(workflow=workflow, span=Span.MONTH, on=on)


def _hold(*, place: _Place, amount: Decimal, limit: Decimal | None) -> None:
    # The condition and the change are one statement: whoever comes second sees what the first one took.
    filters = {} if limit is None else {"used__lte": limit - amount}
    if not _change(place=place, filters=filters, held=_sum("held", amount)):
        assert limit is not None, "a span without a limit takes every amount"
        raise _Refused(span=Span(place.span), limit=limit)


def _change(*, place: _Place, filters: dict[str, Any], **columns: Expression) -> bool:
    """Whether the row was changed: false when it does not meet the filters."""

    def update() -> int:
        rows = place.rows()
        if filters:
            rows = rows.alias(used=_sum("held", F("spent"))).filter(**filters)
        changed: int = rows.update(**columns)
        return changed

    if update():
        return True
    # It was not there, or another made it between the two: made or found, only a second miss means the filters.
    place.make()
    return bool(update())


def _sum(column: str, other: Any) -> Expression:
    number: DecimalField[Any, Any] = DecimalField(**AMOUNT)
    if isinstance(other, Decimal):
        other = Value(other, output_field=number)
    added: Expression = Round(F(column) + other, precision=PLACES, output_field=number)
    return added


def _refusal(refused: _Refused, *, workflow: int, item: int | None, amount: Decimal, today: date) -> Refusal:
    place = _Place.of(workflow=workflow, span=refused.span, on=today, item=item)
    spent, held = place.rows().values_list("spent", "held").first() or (place.before(), Decimal(0))
    return Refusal(
        span=refused.span.value, limit=refused.limit, spent=spent, held=held, amount=amount,
        opens_at=_end_of(span=refused.span, on=today),
    )  # fmt: skip


def _end_of(*, span: Spending.Span, on: date) -> datetime | None:
    """When the next day or month begins where the installation is."""
    if span == Span.ITEM:
        return None
    next_day = on + timedelta(days=1)
    if span == Span.MONTH:
        next_day = (on.replace(day=1) + timedelta(days=32)).replace(day=1)
    return timezone.make_aware(datetime.combine(next_day, time.min))
