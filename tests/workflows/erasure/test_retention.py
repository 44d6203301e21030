from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import ADMIN, make_item, make_user, make_workflow
from workflows.erasure import retention
from workflows.erasure.holds import place_hold
from workflows.erasure.retention import erase_due, kept_days, kept_of
from workflows.models import Erasure, Item, Workflow
from workflows.states import State

pytestmark = pytest.mark.django_db


def keeping(days: int | None, *, set_days_ago: float = 2) -> Workflow:
    workflow = make_workflow()
    workflow.keep_days = days
    workflow.save()
    workflow.history.update(history_date=timezone.now() - timedelta(days=set_days_ago))
    return workflow


def rested(workflow: Workflow, *, days: float, state: State = State.REJECTED) -> Item:
    item = make_item(workflow=workflow, state=state)
    Item.objects.filter(pk=item.pk).update(state_since=timezone.now() - timedelta(days=days))
    return item


def is_erased(item: Item) -> bool:
    item.refresh_from_db()
    return item.erased_at is not None


def test_what_rested_long_enough_is_erased_and_nothing_else() -> None:
    workflow, for_ever = keeping(30), keeping(None)
    due, young = rested(workflow, days=31), rested(workflow, days=29)
    waiting, elsewhere = rested(workflow, days=400, state=State.IN_REVIEW), rested(for_ever, days=4000)
    assert erase_due() == 1
    assert [is_erased(one) for one in (due, young, waiting, elsewhere)] == [True, False, False, False]
    record = Erasure.objects.get()
    assert (record.kind, record.by, record.reason) == (
        "retention",
        None,
        "Kept for 30 days after it came to rest",
    )
    assert erase_due() == 0


def test_what_is_held_is_kept_and_is_told() -> None:
    workflow = keeping(30)
    admin = make_user(can=ADMIN, on=workflow)
    held, due = rested(workflow, days=40), rested(workflow, days=40)
    place_hold(on=held, by=admin, reason="Lawsuit 7")
    assert kept_of(workflow=workflow).due == 1
    assert kept_of(workflow=workflow).held == 1
    erase_due()
    assert [is_erased(held), is_erased(due)] == [False, True]

    other = rested(workflow, days=40)
    place_hold(on=workflow, by=admin, reason="Audit")
    assert erase_due() == 0
    assert not is_erased(other)
    assert kept_of(workflow=workflow).hold is not None


def test_a_shorter_time_counts_from_a_day_later() -> None:
    workflow = keeping(365)
    item = rested(workflow, days=40)
    workflow.keep_days = 1
    workflow.save()
    assert kept_days(workflow=workflow) == 365
    assert erase_due() == 0
    workflow.history.update(history_date=timezone.now() - timedelta(hours=25))
    assert kept_days(workflow=workflow) == 1
    erase_due()
    assert is_erased(item)


def test_a_new_workflow_and_one_that_kept_for_ever_wait_a_day_too() -> None:
    assert kept_days(workflow=keeping(5, set_days_ago=0.1)) is None
    workflow = keeping(None)
    workflow.keep_days = 5
    workflow.save()
    assert kept_days(workflow=workflow) is None


def test_at_most_so_many_a_tick(monkeypatch: Any) -> None:
    monkeypatch.setattr(retention, "MOST_AT_A_TICK", 2)
    workflow = keeping(30)
    items = [rested(workflow, days=40 + number) for number in range(3)]
    assert erase_due() == 2
    assert [is_erased(one) for one in items] == [False, True, True], "the longest at rest first"
    assert erase_due() == 1


def test_the_page_says_when_the_next_one_is_due() -> None:
    workflow = keeping(30)
    rested(workflow, days=29)
    kept = kept_of(workflow=workflow)
    assert kept.due == 0
    assert kept.next_at is not None
    assert timedelta(hours=23) < kept.next_at - timezone.now() < timedelta(hours=25)
