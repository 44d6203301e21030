"""What an address says is read, or said to be unreadable; what is hidden and what never was read the same."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from reviews.reports.filters import ALL, Filter, default_filter, in_words, read_filter
from reviews.reports.periods import periods_of
from tests.factories import make_item, make_workflow
from workflows.access import Action, countable, may_count
from workflows.models import Item, Workflow

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 20)


def read(user: Any, **sent: str) -> Filter:
    return read_filter(sent=sent, user=user, today=TODAY)[0]


def test_without_a_word_it_is_the_last_twelve_weeks_from_a_monday(manager: Any) -> None:
    found = read(manager)
    assert (found.since, found.until, found.problems) == (date(2026, 8, 31), TODAY, ())
    assert found == default_filter(today=TODAY)


def test_each_part_is_read_and_written_the_same(manager: Any, workflow: Workflow) -> None:
    make_item(workflow=workflow, channel="api")
    sent = {
        "since": "2026-10-01", "until": ALL, "workflow": str(workflow.pk), "version": str(workflow.version_id),
        "team": str(workflow.reviewers_id), "source": "api",
    }  # fmt: skip
    found = read(manager, **sent)
    assert found.problems == ()
    assert found.query() == sent
    told = in_words(filter=found, choices=read_filter(sent=sent, user=manager)[1])
    assert told == "taken in from 1 Oct 2026; Leads; Leads, version 1; team leads reviewers; source: api"


@pytest.mark.parametrize("written", ["2026-13-01", "yesterday", "0001-01-01", "9999-01-01"])
def test_what_is_no_day_is_said_and_the_usual_one_taken(manager: Any, written: str) -> None:
    found = read(manager, since=written)
    assert found.since == date(2026, 8, 31)
    assert found.problems == ("“From” is not a day. Write it as 2026-11-30. The usual day is taken.",)


def test_days_the_wrong_way_round_are_said(manager: Any) -> None:
    found = read(manager, since="2026-11-10", until="2026-11-01")
    assert "is after “to”" in found.problems[0]
    assert (found.since, found.until) == (date(2026, 8, 31), TODAY)


def test_more_than_five_years_are_cut(manager: Any) -> None:
    assert read(manager, since="1999-01-01").problems == (
        "At most five years are shown at once. The last five are.",
    )


def test_a_hidden_workflow_and_one_that_never_was_are_told_alike_and_no_choice(manager: Any) -> None:
    hidden = make_workflow("hidden", name="Hidden one")
    make_item(workflow=hidden, channel="mailbox")
    for name, value in (
        ("workflow", hidden.pk),
        ("version", hidden.version_id),
        ("team", hidden.reviewers_id),
    ):
        for sent in (str(value), "999999", "x", "9" * 40):
            found = read(manager, **{name: sent})
            assert found.problems == (
                f"There is no such {name} among those whose figures you may see. It is left out of the filter.",
            )
            assert getattr(found, name) is None
    _, choices = read_filter(sent={}, user=manager, today=TODAY)
    assert list(choices.workflows.values()) == ["Leads"]
    assert "Hidden one, version 1" not in choices.versions.values()
    assert "hidden reviewers" not in choices.teams.values()
    assert choices.sources == {}


def test_figures_take_see_reports_and_nothing_else(workflow: Workflow) -> None:
    from tests.factories import make_user

    make_item(workflow=workflow)
    for action in Action:
        person = make_user(can=[action], on=workflow)
        counts = action is Action.REPORTS
        assert may_count(person) is counts, action
        assert countable(person, Item.objects.all()).exists() is counts, action
    assert may_count(make_user(superuser=True))
    assert not may_count(make_user())


def test_weeks_begin_on_monday_and_the_ends_are_cut_by_the_filter() -> None:
    periods = periods_of(first=date(2026, 11, 4), last=date(2026, 11, 20))
    assert periods.starts == (date(2026, 11, 4), date(2026, 11, 9), date(2026, 11, 16))
    assert [periods.end(number) for number in range(3)] == [
        date(2026, 11, 8),
        date(2026, 11, 15),
        date(2026, 11, 20),
    ]
    assert periods.told() == ["4 Nov", "9 Nov", "16 Nov"]


def test_more_than_sixty_weeks_are_told_by_month() -> None:
    periods = periods_of(first=date(2025, 1, 15), last=date(2026, 11, 20))
    assert periods.word == "month"
    assert periods.starts[:3] == (date(2025, 1, 15), date(2025, 2, 1), date(2025, 3, 1))
    assert len(periods.starts) == 23
