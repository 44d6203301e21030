"""What a figure must never say: all where it is nearly all, stopped of who goes on, a month from three days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reviews.reports import acceptance, cost, home, people
from reviews.reports.intervals import Share
from reviews.reports.parts import PARTS, narrow
from tests.factories import STAFF, make_user, make_version
from tests.reviews.reports.hand_made import NOW, accepted, add, ago, ask, texts
from workflows.decisions import complete
from workflows.measuring import actual_of
from workflows.models import Brief, Item, Workflow
from workflows.states import State

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(999, 1000, "over 99 %"), (1, 1000, "under 1 %"), (1000, 1000, "100 %"), (0, 9, "0 %"), (1, 3, "33 %")],
)
def test_a_share_is_rounded_neither_to_all_nor_to_nothing(part: int, whole: int, told: str) -> None:
    assert Share(part, whole).told() == told


@pytest.mark.parametrize("of", ["\x00", "9" * 23, "decided\x00by"])
@pytest.mark.parametrize("part", sorted(PARTS))
def test_an_address_that_no_database_takes_lists_nothing(workflow: Workflow, part: str, of: str) -> None:
    found = narrow(Item.objects.all(), part=part, of=of)
    assert found is not None
    assert list(found) == []


def test_who_went_on_with_later_items_did_not_stop(manager: Any, workflow: Workflow) -> None:
    ann, omar = make_user("ann"), make_user("omar")
    for person in (ann, omar):
        accepted(workflow=workflow, at=NOW - timedelta(days=100), by=person)
    accepted(workflow=workflow, at=NOW - timedelta(days=1), by=ann)
    asked = ask(manager, since=date(2026, 8, 1), until=date(2026, 8, 31))
    found = people.uses(asked)
    stopped = {one.name: one.stopped(now=NOW) for one in found.values()}
    assert stopped == {"ann": False, "omar": True}
    assert {one.name: one.decided for one in found.values()} == {"ann": 1, "omar": 1}


def test_versions_stand_by_their_numbers(manager: Any, workflow: Workflow) -> None:
    for number in (2, 9, 10):
        accepted(workflow=workflow, version=make_version(workflow=workflow, number=number))
    rows = [texts(row)[0] for row in acceptance.quality(ask(manager)).rows]
    assert rows == ["Leads, version 10", "Leads, version 9", "Leads, version 2"]


def test_three_days_are_no_month_to_expect_by(manager: Any, workflow: Workflow) -> None:
    for days in (1, 2, 3):
        add(workflow=workflow, at=NOW - timedelta(days=days), costs=[("ok", "10")])
    assert cost.month_of(ask(manager)).low is None
    for days in (4, 5, 6, 7):
        add(workflow=workflow, at=NOW - timedelta(days=days), costs=[("ok", "10")])
    month = cost.month_of(ask(manager))
    # 7 days of 10 each without spread: the 70 until yesterday, and 11 days that are left at 10.
    assert (month.low, month.high) == (Decimal(180), Decimal(180))


def test_what_was_completed_by_hand_was_not_accepted_as_drafted(manager: Any, workflow: Workflow) -> None:
    staff = make_user("staff", can=STAFF, on=workflow)
    item = add(workflow=workflow, state=State.ATTENTION, at=ago(hours=2), costs=[("ok", "1")])
    item.runs.get().results.create(key="name", value="A")
    # The draft of before it failed, as it was.
    assert complete(item=item, by=staff, values={"name": "A", "total": None, "due": None}).kind == "edit"


def test_a_computed_metric_is_the_figure_of_the_reports(manager: Any, workflow: Workflow) -> None:
    Source = Brief.Source
    sources = (Source.MINUTES, Source.UNEDITED, Source.NEXT_ACTION, Source.COST)
    assert [actual_of(workflow=workflow, source=one, user=manager) for one in sources] == [None] * 4
    # Minutes (2 + 4) / 2; 1 of 2 without edits; handed over after 1 and 3 hours, of which the first is the nearest rank
    # of a half; 0.10 and 0.30 for an item.
    accepted(workflow=workflow, at=ago(days=2), worked=120, costs=[("ok", "0.10")])
    accepted(
        workflow=workflow,
        at=ago(days=3),
        worked=240,
        edited=True,
        after=timedelta(hours=3),
        costs=[("ok", "0.30")],
    )
    accepted(workflow=workflow, at=ago(days=40), worked=1000, costs=[("ok", "9")])  # too long ago
    accepted(workflow=workflow, at=ago(days=2), worked=1000, costs=[("ok", "9")], channel="sample")
    found = {one: actual_of(workflow=workflow, source=one, user=manager) for one in sources}
    told = {one: (float(actual.value), actual.n) for one, actual in found.items() if actual}
    assert told == {
        Source.MINUTES: (3.0, 2), Source.UNEDITED: (50.0, 2), Source.NEXT_ACTION: (1.0, 2), Source.COST: (0.2, 2)
    }  # fmt: skip
    outsider = make_user("outsider", can=STAFF, on=workflow)  # who may not see reports
    assert actual_of(workflow=workflow, source=Source.COST, user=outsider) is None


def test_home_says_that_sample_history_is_in_its_figures(manager: Any, workflow: Workflow) -> None:
    assert not any("sample" in one.name for one in home.starts(user=manager))
    add(workflow=workflow, at=ago(days=1), channel="sample")
    assert all(one.name.endswith(", with sample history") for one in home.starts(user=manager))
