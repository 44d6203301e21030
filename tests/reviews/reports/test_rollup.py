"""Figures that are kept say what figures counted now say, and a change of an old item is seen at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from reviews.models import DayFigures, Recount, Review
from reviews.reports import rollup
from reviews.reports.asking import Asked
from reviews.reports.cells import count_cells
from reviews.reports.filters import Filter
from reviews.reports.page import Reports
from reviews.reports.rollup import spans_of
from reviews.reports.triggers import WATCHED, make_triggers
from tests.factories import MANAGER, grant_all, make_user, make_version
from tests.reviews.reports.hand_made import accepted, add, ago, brief, two_workflows
from workflows.models import Decision, Item, Run, Workflow
from workflows.states import State

pytestmark = pytest.mark.django_db
NOW = timezone.now()  # so that what waits does not wait longer from one look to the next


@pytest.fixture
def boss() -> Any:
    """Two workflows with work of today, of this week and of long ago."""
    boss, ines = make_user("boss"), make_user("ines")
    for workflow in two_workflows():
        grant_all(to=boss, on=workflow, actions=MANAGER)
        brief(workflow=workflow, timed=["8", "9", "11"], hour="30")
        second = make_version(workflow=workflow, number=2)
        for since in (0.02, 1.2, 4, 4.1, 30, 61):
            at = ago(days=since)
            accepted(
                workflow=workflow, at=at, by=ines, reasons="|bar|", costs=[("timeout", None), ("ok", "0.1")]
            )
            accepted(
                workflow=workflow,
                at=at,
                edited=True,
                version=second,
                worked=None,
                channel="api",
                costs=[("ok", None)],
            )
            add(workflow=workflow, at=at, state=State.REJECTED, by=ines, decided="reject", worked=[30, 40])
            add(workflow=workflow, at=at, state=State.SKIPPED, problem={"happened": "Not for us"})
            add(workflow=workflow, at=at, state=State.IN_REVIEW, review_open=True, due=ago(hours=1))
    return boss


def told(boss: Any, **narrowed: Any) -> list[Any]:
    reports = Reports(Asked(user=boss, filter=Filter(**narrowed), now=NOW))
    rows = [
        (key, one.about, [list(row) for row in one.rows], one.chart) for key, one in reports.all().items()
    ]
    return [*rows, *reports.tiles()]


def roll_up() -> int:
    return rollup.roll_up(most_seconds=600)


def noted() -> bool:
    """Of days that are kept: those of yesterday wait until their day is."""
    return Recount.objects.filter(created_at__lt=ago(days=3)).exists()


def filters() -> dict[str, dict[str, Any]]:
    leads = Workflow.objects.get(slug="leads")
    return {
        "everything": {},
        "some weeks": {"since": ago(days=45).date(), "until": ago(days=2).date()},
        "one workflow": {"workflow": leads.pk},
        "one version": {"version": leads.version_id},
        "one team": {"team": leads.reviewers_id},
        "one source": {"source": "api"},
    }


@pytest.mark.parametrize(
    "name", ["everything", "some weeks", "one workflow", "one version", "one team", "one source"]
)
def test_what_is_kept_says_the_same_as_what_is_counted_now(boss: Any, name: str) -> None:
    narrowed = filters()[name]
    before = told(boss, **narrowed)
    assert roll_up() > 60
    assert not noted()
    assert str(told(boss, **narrowed)) == str(before)


def test_days_that_are_over_are_not_read_again(boss: Any, django_assert_num_queries: Any) -> None:
    roll_up()
    old = Filter(since=ago(days=45).date(), until=ago(days=3).date())
    asked = Asked(user=boss, filter=old)
    assert asked.workflows
    with django_assert_num_queries(2):  # what is kept, and what changed since
        assert asked.total() == 30


CHANGES: dict[str, Callable[[Item], Any]] = {
    "an item moves": lambda item: Item.objects.filter(pk=item.pk).update(state=State.REJECTED),
    "an item is erased": lambda item: item.delete(),
    "an item came in late": lambda item: accepted(workflow=item.workflow, at=item.created_at),
    "a run begins": lambda item: Run.objects.create(item=item, version=item.version, outcome="ok", cost=Decimal(9)),
    "a run ends": lambda item: Run.objects.filter(item=item).update(outcome="refused"),
    "a run is erased": lambda item: Run.objects.filter(item=item).delete(),
    "a decision is made": lambda item: Decision.objects.create(item=item, kind="edit", by=make_user("late")),
    "a decision is taken over": lambda item: Decision.objects.filter(item=item).update(by=make_user("late")),
    "a review opens": lambda item: Review.objects.create(
        item=item, workflow=item.workflow, group=item.workflow.escalation, due_at=timezone.now(), reason_kinds="|rule|"
    ),
    "a review is measured": lambda item: Review.objects.filter(item=item).update(worked_seconds=999),
    "a review is erased": lambda item: Review.objects.filter(item=item).delete(),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_an_old_item_is_seen_at_once_and_kept_later(boss: Any, name: str) -> None:
    roll_up()
    before = told(boss)
    item = Item.objects.filter(state=State.DELIVERED, channel="admin", created_at__lt=ago(days=20)).latest(
        "pk"
    )
    if "erased" in name and name.startswith("an item"):
        Decision.objects.filter(item=item).update(run=None)
        Review.objects.filter(item=item).delete()
        before = []
    CHANGES[name](item)
    now = told(boss)
    assert now != before
    assert roll_up() == 1
    assert not noted()
    assert str(told(boss)) == str(now)
    DayFigures.objects.all().delete()
    assert str(told(boss)) == str(now)


def test_a_lease_that_is_renewed_is_no_news(boss: Any) -> None:
    roll_up()
    Item.objects.update(lease_until=timezone.now())
    Review.objects.update(claimed_until=timezone.now())
    assert not noted()


def test_yesterday_is_counted_as_it_is_asked_and_kept_when_no_transaction_can_reach_it(boss: Any) -> None:
    roll_up()
    kept = set(DayFigures.objects.values_list("day", flat=True))
    today = timezone.localdate()
    assert not kept & {today, today - timedelta(days=1)} or timezone.localtime().hour >= 2
    assert max(kept) <= timezone.localdate(timezone.now() - timedelta(hours=26)) - timedelta(days=1)


def test_a_change_between_reading_and_keeping_is_not_lost(boss: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The change stands in, after the rows were counted and before what was counted is kept."""
    roll_up()
    item = Item.objects.filter(state=State.DELIVERED, created_at__lt=ago(days=20)).latest("pk")
    Item.objects.filter(pk=item.pk).update(state=State.APPROVED)

    def slowly(items: Any) -> Any:
        counted = count_cells(items)
        Item.objects.filter(pk=item.pk).update(state=State.REJECTED)
        return counted

    monkeypatch.setattr("reviews.reports.rollup.count_cells", slowly)
    roll_up()
    monkeypatch.undo()
    assert noted()
    now = str(told(boss))
    DayFigures.objects.all().delete()
    assert str(told(boss)) == now


def test_when_triggers_were_lost_what_was_kept_is_not_trusted(boss: Any) -> None:
    roll_up()
    name = f"{Item._meta.db_table}_update_recount"
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TRIGGER {name}"
            + (f" ON {Item._meta.db_table}" if connection.vendor == "postgresql" else "")
        )
    make_triggers()
    assert not DayFigures.objects.exists()
    roll_up()
    make_triggers()  # nothing was lost
    assert DayFigures.objects.exists()


def test_every_watched_column_is_there() -> None:
    for model, columns in WATCHED.items():
        assert set(columns) <= {field.column for field in model._meta.concrete_fields}


def test_days_that_follow_one_another_are_one_span() -> None:
    first = timezone.localdate()
    days = [first + timedelta(days=number) for number in (0, 1, 3, 4, 5)]
    assert spans_of(days) == [(days[0], days[1]), (days[2], days[4])]
