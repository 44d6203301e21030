"""A budget against a real model server: what is charged, what is refused, and what the item says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from integrations.llm.answers import Answer
from integrations.llm.outcomes import Outcome
from integrations.llm.profiles import Profile
from tests.factories import ADMIN, STAFF, make_user, make_workflow
from workflows.decisions import try_again
from workflows.intake import submit
from workflows.leasing import count_call, lease_items
from workflows.models import Budget, Item, Price, Reservation, Spending, Workflow
from workflows.money import settle_lost
from workflows.recording import Prepared, prepare, record
from workflows.states import State

pytestmark = pytest.mark.django_db(transaction=True)

LETTER = "Name: Ines Okafor\nTotal: 12.50 EUR\nDue: 30 November 2026\nTopic: quote\n"


@pytest.fixture
def workflow() -> Workflow:
    workflow = make_workflow()
    owner = make_user("priya", can=ADMIN, on=workflow)
    workflow.owner = owner
    workflow.save()
    return workflow


def price(model: str = "scripted", prompt: str = "100", completion: str = "200") -> None:
    Price.objects.create(model=model, prompt=Decimal(prompt), completion=Decimal(completion))


def give(workflow: Workflow, text: str = LETTER) -> Item:
    return submit(workflow=workflow, by=make_user(can=STAFF, on=workflow), channel="admin", text=text).item


def spent(workflow: Workflow) -> dict[str, tuple[Decimal, Decimal]]:
    return {row.span: (row.held, row.spent) for row in Spending.objects.filter(workflow=workflow)}


def test_a_run_costs_what_its_tokens_cost_and_nothing_stays_set_aside(work: Any, workflow: Workflow) -> None:
    price()
    Budget.objects.create(workflow=workflow, per_item=5, per_day=5, per_month=5)
    item = give(workflow)
    work()
    item.refresh_from_db()
    run = item.runs.get()
    assert item.state == State.IN_REVIEW
    cost = (Decimal(100) * run.prompt_tokens + Decimal(200) * run.completion_tokens) / 1_000_000
    assert run.cost == cost > 0
    assert spent(workflow) == dict.fromkeys(("item", "day", "month"), (0, cost))
    reservation = Reservation.objects.get()
    assert reservation.amount > reservation.spent == cost


def test_without_a_budget_the_day_and_the_month_are_added_up(work: Any, workflow: Workflow) -> None:
    price()
    item = give(workflow)
    work()
    cost = item.runs.get().cost
    assert spent(workflow) == {"day": (0, cost), "month": (0, cost)}
    assert not Reservation.objects.exists()


def test_over_budget_the_model_is_not_called_and_the_item_says_all_of_it(
    work: Any, model: Any, workflow: Workflow
) -> None:
    price()
    Budget.objects.create(workflow=workflow, per_day=Decimal("0.01"))
    item = give(workflow)
    work()
    item.refresh_from_db()
    assert not model.requests
    assert (item.state, item.calls) == (State.ATTENTION, 0)
    told = item.problem
    assert told["happened"] == "Over budget: the model was not called."
    assert "The limit of a day is 0.01 USD. 0.00 USD of it is used" in told["detail"]
    assert "kept" in told["kept"]
    assert "one call alone can cost more than the limit" in told["next_step"]
    assert "priya may do that, under “Money”" in told["next_step"]
    Budget.objects.update(per_day=5)
    try_again(item=item, by=workflow.owner)
    work()
    item.refresh_from_db()
    assert item.state == State.IN_REVIEW


def test_a_limit_that_is_used_up_says_when_it_opens_again(work: Any, model: Any, workflow: Workflow) -> None:
    price()
    Budget.objects.create(workflow=workflow, per_day=5)
    give(workflow)
    work()
    Spending.objects.filter(span="day").update(spent=Decimal("4.99"))
    item = give(workflow, f"{LETTER} another")
    work()
    item.refresh_from_db()
    assert len(model.requests) == 1
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert (
        f"It opens again on {tomorrow.day} {tomorrow:%b %Y} at 00:00; try again then."
        in item.problem["next_step"]
    )
    assert "4.99 USD of it is used" in item.problem["detail"]


def test_a_model_without_a_price_is_not_called_under_a_budget(
    work: Any, model: Any, workflow: Workflow
) -> None:
    Budget.objects.create(workflow=workflow, per_day=5)
    item = give(workflow)
    work()
    item.refresh_from_db()
    assert not model.requests
    assert "no price is known of the model “scripted”" in item.problem["detail"]
    assert "Enter the price of “scripted” under “Prices of models”" in item.problem["next_step"]


def test_an_empty_budget_and_a_price_of_nothing_reserve_nothing(work: Any, workflow: Workflow) -> None:
    Budget.objects.create(workflow=workflow)
    item = give(workflow)
    work()
    item.refresh_from_db()
    assert (item.state, item.runs.get().cost) == (State.IN_REVIEW, None)
    Budget.objects.update(per_day=0)
    price(prompt="0", completion="0")
    free = give(workflow, f"{LETTER} another")
    work()
    free.refresh_from_db()
    assert (free.state, free.runs.get().cost) == (State.IN_REVIEW, 0)


def test_what_only_other_calls_hold_makes_an_item_wait_and_costs_it_nothing(
    work: Any, model: Any, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.recording.HELD_SECONDS", 0.2)
    price()
    Budget.objects.create(workflow=workflow, per_month=Decimal("1.2"))  # one worst case, many real ones
    items = [give(workflow, f"{LETTER}\n[[slow 1]] [[item {number}]]") for number in range(3)]
    work(idle_seconds=2.0)
    for item in items:
        item.refresh_from_db()
        assert item.state == State.IN_REVIEW, item.problem
        assert (item.calls, item.runs.count()) == (1, 1)
    assert len(model.requests) == 3


def test_a_fallback_to_another_model_is_reserved_and_paid_at_its_own_price(
    work: Any, model: Any, workflow: Workflow
) -> None:
    price()
    price("dear", prompt="1000", completion="2000")
    Budget.objects.create(workflow=workflow, per_day=50)
    item = give(workflow, f"{LETTER}\n[[broken x2]]")
    fallback = Profile(name="second", base_url=model.base_url, model="dear")
    work(fallbacks=(fallback,))
    item.refresh_from_db()
    assert item.state == State.IN_REVIEW, item.problem
    first, repair, dear = Reservation.objects.order_by("pk")
    assert dear.amount == 10 * first.amount
    assert repair.amount > first.amount
    run = item.runs.get()
    assert run.cost == sum(row.spent for row in (first, repair, dear))
    calls = run.calls
    assert (
        dear.spent
        == (1000 * Decimal(calls[2]["prompt_tokens"]) + 2000 * calls[2]["completion_tokens"]) / 1_000_000
    )


def test_a_silent_server_counts_at_the_most_that_it_can_have_cost(work: Any, workflow: Workflow) -> None:
    price()
    Budget.objects.create(workflow=workflow, per_day=50)
    item = give(workflow, f"{LETTER}\n[[silence]]")
    work(read_seconds=0.3)
    run = item.runs.first()
    assert run.outcome == "timeout"
    assert run.cost == sum(row.amount for row in Reservation.objects.all())
    assert spent(workflow)["day"] == (0, run.cost)


def test_a_worker_that_dies_between_reserving_and_answering_is_counted_in_full(
    workflow: Workflow, settings: Any
) -> None:
    price()
    Budget.objects.create(workflow=workflow, per_day=5)
    give(workflow)
    [(pk, lease)] = lease_items(limit=1)
    prepared = prepare(item_id=pk, lease=lease)
    assert isinstance(prepared, Prepared)
    profile = Profile(base_url="http://127.0.0.1:9/v1", model="scripted")
    assert prepared.meter.begin(profile=profile, count=lambda: count_call(item_id=pk, lease=lease, most=6))
    held = Reservation.objects.get().amount
    assert spent(workflow)["day"] == (held, 0)
    assert settle_lost() == 0  # it may still answer
    Item.objects.filter(pk=pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    [(pk, lease)] = lease_items(limit=1)
    assert isinstance(prepare(item_id=pk, lease=lease), Prepared)
    assert spent(workflow)["day"] == (0, held)
    # The answer comes after all, to whoever began it: nothing is counted twice.
    answer = Answer(outcome=Outcome.UNAVAILABLE, values=None, raw_text="")
    assert record(prepared=prepared, answer=answer) is None
    assert spent(workflow)["day"] == (0, held)
