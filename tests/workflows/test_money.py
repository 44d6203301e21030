"""Reserving and settling: what fits, what is refused, and that every sum is exact."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import make_item, make_run, make_workflow
from workflows import money
from workflows.models import Budget, Reservation, Spending, Workflow
from workflows.money import Refusal, Span, reserve, settle, settle_lost

pytestmark = pytest.mark.django_db
CENT = Decimal("0.01")


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow()


def limit(workflow: Workflow, **limits: Any) -> Budget:
    return Budget.objects.create(workflow=workflow, **limits)


def hold(workflow: Workflow, amount: Decimal = CENT, item: int | None = None) -> Reservation:
    reserved = reserve(workflow=workflow.pk, item=item, amount=amount)
    assert isinstance(reserved, Reservation)
    return reserved


def sums(workflow: Workflow) -> dict[str, tuple[Decimal, Decimal]]:
    return {row.span: (row.held, row.spent) for row in Spending.objects.filter(workflow=workflow)}


def test_without_a_budget_nothing_is_set_aside_and_what_was_spent_is_still_added_up(
    workflow: Workflow,
) -> None:
    assert reserve(workflow=workflow.pk, item=None, amount=CENT) is None
    money.add(workflow=workflow.pk, amount=CENT)
    money.add(workflow=workflow.pk, amount=CENT)
    assert sums(workflow) == {"day": (0, 2 * CENT), "month": (0, 2 * CENT)}
    assert not Reservation.objects.exists()


def test_a_limit_is_used_to_its_last_digit_and_not_one_call_further(workflow: Workflow) -> None:
    limit(workflow, per_day=Decimal("1"))
    for _ in range(100):
        hold(workflow)
    refused = reserve(workflow=workflow.pk, item=None, amount=Decimal("0.00000001"))
    assert isinstance(refused, Refusal)
    assert (refused.span, refused.held, refused.spent, refused.passes) == ("day", 1, 0, True)
    assert Reservation.objects.count() == 100
    assert sums(workflow)["day"] == (1, 0)


def test_settling_counts_what_it_cost_and_frees_the_rest(workflow: Workflow) -> None:
    limit(workflow, per_month=CENT)
    first = hold(workflow)
    assert isinstance(reserve(workflow=workflow.pk, item=None, amount=CENT), Refusal)
    settle(settled=[(first, Decimal("0.00123457"))])
    assert sums(workflow)["month"] == (0, Decimal("0.00123457"))
    assert sums(workflow)["day"] == (0, Decimal("0.00123457"))
    hold(workflow, CENT - Decimal("0.00123457"))
    refused = reserve(workflow=workflow.pk, item=None, amount=CENT)
    assert isinstance(refused, Refusal)
    assert not refused.passes


def test_settling_twice_counts_once(workflow: Workflow) -> None:
    limit(workflow, per_day=1)
    reserved = hold(workflow)
    settle(settled=[(reserved, Decimal("0.004"))])
    settle(settled=[(reserved, Decimal("0.004"))])
    assert sums(workflow)["day"] == (0, Decimal("0.004"))


def test_a_call_that_never_answered_counts_in_full_and_a_late_answer_puts_it_right(
    workflow: Workflow,
) -> None:
    limit(workflow, per_day=1)
    lost, fresh = hold(workflow), hold(workflow)
    Reservation.objects.filter(pk=lost.pk).update(created_at=timezone.now() - timedelta(hours=2))
    assert settle_lost() == 1
    assert settle_lost() == 0
    lost.refresh_from_db()
    assert (lost.spent, lost.settled_at is not None) == (CENT, True)
    assert sums(workflow)["day"] == (CENT, CENT)
    settle(settled=[(lost, Decimal("0.002")), (fresh, Decimal("0.003"))])
    assert sums(workflow)["day"] == (0, Decimal("0.005"))


def test_the_limit_of_an_item_counts_what_its_earlier_runs_cost(workflow: Workflow) -> None:
    limit(workflow, per_item=3 * CENT)
    item, other = make_item(workflow=workflow), make_item(workflow=workflow)
    run = make_run(item=item)
    run.cost = 2 * CENT
    run.save()
    hold(workflow, item=item.pk)
    refused = reserve(workflow=workflow.pk, item=item.pk, amount=CENT)
    assert isinstance(refused, Refusal)
    assert (refused.span, refused.spent, refused.held, refused.opens_at) == ("item", 2 * CENT, CENT, None)
    hold(workflow, 3 * CENT, item=other.pk)


def test_a_refused_call_leaves_nothing_in_any_span(workflow: Workflow) -> None:
    limit(workflow, per_item=1, per_day=1, per_month=CENT)
    item = make_item(workflow=workflow)
    refused = reserve(workflow=workflow.pk, item=item.pk, amount=2 * CENT)
    assert isinstance(refused, Refusal)
    assert refused.span == "month"
    assert not Spending.objects.exclude(held=0).exists()
    assert not Reservation.objects.exists()


def test_limits_of_one_workflow_are_not_those_of_another(workflow: Workflow) -> None:
    limit(workflow, per_day=CENT)
    other = make_workflow()
    limit(other, per_day=CENT)
    hold(workflow)
    hold(other)


def test_a_month_begins_where_the_installation_is(
    workflow: Workflow, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"  # 13 hours ahead in summer
    limit(workflow, per_day=CENT, per_month=2 * CENT)
    clock = {"now": datetime(2026, 11, 30, 10, 30, tzinfo=UTC)}  # 23:30 there
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock["now"])
    with timezone.override("Pacific/Auckland"):
        before = hold(workflow)
        refused = reserve(workflow=workflow.pk, item=None, amount=CENT)
        assert isinstance(refused, Refusal)
        assert refused.opens_at == datetime(2026, 11, 30, 11, 0, tzinfo=UTC)
        clock["now"] += timedelta(hours=1)
        hold(workflow)
        # What was set aside before midnight is settled where it was set aside.
        settle(settled=[(before, CENT)])
    days = {
        row.starts_on: (row.held, row.spent)
        for row in Spending.objects.filter(span=Span.DAY, workflow=workflow)
    }
    assert days == {date(2026, 11, 30): (0, CENT), date(2026, 12, 1): (CENT, 0)}
    assert Spending.objects.filter(span=Span.MONTH).count() == 2


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "0.00 USD"),
        ("0.0012", "0.0012 USD"),
        ("0.00000015", "0.00000015 USD"),
        ("1234.5", "1,234.50 USD"),
    ],
)
def test_an_amount_is_never_told_as_nothing(amount: str, words: str) -> None:
    assert money.told(Decimal(amount)) == words


def test_a_cost_says_when_it_is_local_and_when_it_is_not_known() -> None:
    assert money.told_cost(cost=Decimal(0), cpu_seconds=14.21) == "0, local: 14.2 CPU-s"
    assert money.told_cost(cost=None) == "no price known"
    assert money.told_cost(cost=Decimal("0.0012")) == "0.0012 USD"


def test_a_limit_in_a_currency_of_large_figures_is_kept_like_any_other(workflow: Workflow) -> None:
    """The largest limit that a budget takes, used to its end: no sum is wider than its column."""
    most = Decimal("99999999.9999")
    limit(workflow, per_day=most, per_month=most)
    part = Decimal("33333333.33330000")
    held = [hold(workflow, part) for _ in range(3)]
    assert sums(workflow)["month"] == (most, 0)
    refused = reserve(workflow=workflow.pk, item=None, amount=CENT)
    assert isinstance(refused, Refusal)
    assert (refused.held, refused.limit) == (most, most)
    settle(settled=[(row, part) for row in held])
    assert sums(workflow)["month"] == (0, most)
    money.add(workflow=workflow.pk, amount=Decimal("900000000"))
    assert sums(workflow)["day"] == (0, most + 900_000_000)


def test_sums_above_ten_million_stay_right_to_far_less_than_a_cent(workflow: Workflow) -> None:
    start, each = Decimal("98765432.1"), Decimal("0.12345678")
    money.add(workflow=workflow.pk, amount=start)
    for _ in range(200):
        money.add(workflow=workflow.pk, amount=each)
    assert abs(sums(workflow)["month"][1] - start - 200 * each) < Decimal("0.00001")


def test_the_limit_of_an_item_counts_what_its_runs_cost_while_there_was_none(workflow: Workflow) -> None:
    budget = limit(workflow, per_item=1)
    item = make_item(workflow=workflow)
    settle(settled=[(hold(workflow, CENT, item.pk), CENT)])
    Budget.objects.all().delete()
    money.add(workflow=workflow.pk, item=item.pk, amount=Decimal(5))
    budget.save(force_insert=True)
    refused = reserve(workflow=workflow.pk, item=item.pk, amount=CENT)
    assert isinstance(refused, Refusal)
    assert (refused.span, refused.spent) == ("item", Decimal("5.01"))
    # An item that was never counted before is counted from its runs, and not twice.
    other = make_item(workflow=workflow)
    money.add(workflow=workflow.pk, item=other.pk, amount=Decimal(5))
    assert not Spending.objects.filter(item=other).exists()
