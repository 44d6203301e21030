"""Each figure on a hand-made set. Every test says how its answer is worked out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reviews.reports import acceptance, cost, minutes, people, skipped, waiting
from reviews.reports import stuck as stuck_report
from reviews.reports.exceptions import exceptions, failures
from reviews.reports.flow import flow
from reviews.reports.intervals import student
from reviews.reports.page import Reports
from tests.factories import MANAGER, STAFF, grant_all, make_user, make_version, make_workflow
from tests.reviews.reports.hand_made import FIRST, LAST, NOW, accepted, add, ask, brief, texts
from workflows.models import Evaluation, Workflow
from workflows.people import system_user
from workflows.states import State

pytestmark = pytest.mark.django_db


def day(number: int, hour: int = 9) -> datetime:
    return datetime(2026, 11, number, hour, 0, tzinfo=UTC)


# Items by week


def test_items_are_counted_by_week_of_intake_and_state(manager: Any, workflow: Workflow) -> None:
    accepted(workflow=workflow, at=day(2))
    accepted(workflow=workflow, at=day(8, 23), state=State.APPROVED)  # Sunday
    add(workflow=workflow, at=day(9), state=State.REJECTED)
    add(workflow=workflow, at=day(15), state=State.SKIPPED)
    add(workflow=workflow, at=day(16), state=State.IN_REVIEW)
    add(workflow=workflow, at=day(20), state=State.ATTENTION)
    add(workflow=workflow, at=datetime(2026, 11, 1, 23, 59, tzinfo=UTC))  # the day before the filter
    add(workflow=workflow, at=datetime(2026, 11, 21, 0, 0, tzinfo=UTC))  # and the day after
    rows = [texts(row) for row in flow(ask(manager)).rows]
    assert rows == [
        ["2 Nov", "2", "0", "0", "0", "2"],
        ["9 Nov", "0", "1", "1", "0", "2"],
        ["16 Nov", "0", "0", "0", "2", "2"],
    ]


def test_nothing_of_a_workflow_without_see_reports_is_counted(manager: Any, workflow: Workflow) -> None:
    hidden = make_workflow("hidden", name="Hidden one")
    grant_all(to=manager, on=hidden, actions=STAFF)  # sees its items, and may not see its figures
    accepted(workflow=workflow)
    accepted(workflow=hidden, costs=[("ok", "5")])
    add(workflow=hidden, state=State.SKIPPED, problem={"happened": "Hidden reason"})
    asked = ask(manager)
    assert asked.total() == 1
    told = str([[texts(row) for row in one.rows] for one in Reports(asked).all().values()])
    assert "Hidden" not in told
    assert asked.link("all")
    assert cost.cost_of(asked).amount == 0


# Accepted without edits


def test_the_share_without_edits_counts_what_people_accepted_after_a_review(
    manager: Any, workflow: Workflow
) -> None:
    for _ in range(3):
        accepted(workflow=workflow)
    accepted(workflow=workflow, edited=True)
    add(workflow=workflow, state=State.REJECTED, decided="reject", worked=[60])
    add(workflow=workflow, decided="edit")  # completed by hand, without a draft and so without a review
    add(workflow=workflow, state=State.IN_REVIEW)
    found = acceptance.unedited(ask(manager))
    assert (found.part, found.whole) == (3, 4)  # 75 %
    tile = acceptance.tile(ask(manager))
    assert [half.figure for half in tile.halves] == ["75 %", "No audits yet"]
    assert tile.lines[0].text == "95 % interval 30.1 to 95.4 %, n = 4"


def test_of_an_item_that_was_accepted_twice_the_last_decision_counts(
    manager: Any, workflow: Workflow
) -> None:
    item = accepted(workflow=workflow, edited=True)
    item.decisions.create(kind="approve", by=manager)
    found = acceptance.unedited(ask(manager))
    assert (found.part, found.whole) == (1, 1)


def test_without_a_decision_the_share_is_words_and_the_audits_keep_their_place(
    manager: Any, workflow: Workflow
) -> None:
    add(workflow=workflow, state=State.IN_REVIEW)
    assert [half.figure for half in acceptance.tile(ask(manager)).halves] == [
        "No decisions yet",
        "No audits yet",
    ]


def test_quality_has_a_line_for_each_version_with_its_newest_evaluation(
    manager: Any, workflow: Workflow
) -> None:
    second = make_version(workflow=workflow, number=2)
    accepted(workflow=workflow)
    accepted(workflow=workflow, edited=True)
    accepted(workflow=workflow, version=second)
    add(workflow=workflow, version=second, state=State.REJECTED, decided="reject", worked=[60])
    for right, ended in ((5, day(10)), (9, day(12))):
        Evaluation.objects.create(version=second, right=right, due=10, ended_at=ended)
    Evaluation.objects.create(version=second, right=1, due=10)  # at work
    rows = [texts(row) for row in acceptance.quality(ask(manager)).rows]
    assert [row[:4] for row in rows] == [
        ["Leads, version 2", "2", "1", "100 %"], ["Leads, version 1", "2", "2", "50 %"],
    ]  # fmt: skip
    assert rows[0][5:8] == ["no audits yet", "1", "50 %"]  # rejected: 1 of 2 decided
    assert rows[0][9:] == ["9 of 10", "12 Nov 2026"]
    assert rows[1][9:] == ["not evaluated", "–"]


# Minutes


def test_minutes_saved_are_by_hand_less_what_people_spent_with_welchs_interval(
    manager: Any, workflow: Workflow
) -> None:
    # By hand 8, 10, 12 minutes: mean 10, variance 4. People 2, 3, 4 minutes on accepted ones and 3 on a rejected one:
    # mean 3, variance 2/3. Three accepted of four reviewed: 3 * 10 - 4 * 3 = 18 minutes, 6 an item.
    brief(workflow=workflow, timed=["8", "10", "12"], hour="30")
    for seconds in (120, 180, 240):
        accepted(workflow=workflow, worked=seconds)
    add(workflow=workflow, state=State.REJECTED, decided="reject", worked=[180])
    found = minutes.worths(ask(manager))
    whole = minutes.saved(found)
    assert whole is not None
    assert (whole.accepted, whole.total, whole.an_item) == (3, pytest.approx(18), pytest.approx(6))
    # Variance 3² * 4/3 + 4² * (2/3)/4 = 12 + 2.6667; freedom 14.6667² / (12²/2 + 2.6667²/3) = 2.8923.
    half = student(freedom=14.66667**2 / (144 / 2 + 2.66667**2 / 3)) * 14.66667**0.5
    assert whole.half == pytest.approx(half, abs=0.001)
    tile = minutes.tile(ask(manager), found)
    assert tile.halves[0].figure == "6.0"
    assert tile.lines[0].text == f"95 % interval {6 - half / 3:.1f} to {6 + half / 3:.1f}"
    assert tile.lines[1].text == "10.0 by hand (3 timed) − 4.0 of people now (4 measured)"
    assert tile.lines[2].text == "3 accepted: 0.3 h, $9.00"  # 18 minutes at 30 an hour


def test_the_reviews_of_an_item_are_added_up_and_one_without_a_claim_leaves_the_item_out(
    manager: Any, workflow: Workflow
) -> None:
    brief(workflow=workflow, stated="10")
    add(workflow=workflow, decided="approve", worked=[60, 180])  # sent back once: 4 minutes
    add(workflow=workflow, decided="approve", worked=[None, 60])  # one of its two reviews is not known
    add(workflow=workflow, decided="approve")  # completed by hand: no review
    (worth,) = minutes.worths(ask(manager))
    assert (worth.spent.reviewed, worth.spent.accepted) == (2, 2)
    assert (worth.spent.measured.n, worth.spent.measured.mean) == (1, 4)
    whole = minutes.saved([worth])
    assert whole is not None
    assert (whole.total, whole.half) == (12, None)  # 2 * 10 - 2 * 4; stated, so no interval
    assert "No interval" in minutes.tile(ask(manager), [worth]).lines[0].text


def test_work_that_takes_longer_than_by_hand_is_a_loss_and_says_so(manager: Any, workflow: Workflow) -> None:
    brief(workflow=workflow, stated="1")
    accepted(workflow=workflow, worked=300)
    tile = minutes.tile(ask(manager), minutes.worths(ask(manager)))
    assert (tile.halves[0].figure, tile.halves[0].text) == ("−4.0", "lost: by hand it takes less")


def test_what_is_missing_for_minutes_is_said(manager: Any, workflow: Workflow) -> None:
    def told() -> str:
        return minutes.tile(ask(manager), minutes.worths(ask(manager))).halves[0].figure

    assert told() == "No decisions yet"
    accepted(workflow=workflow, worked=None)
    assert told() == "No minutes by hand yet"
    brief(workflow=workflow, stated="10")
    assert told() == "No minutes measured yet"


def test_a_workflow_of_which_one_side_is_unknown_is_left_out_by_name(
    manager: Any, workflow: Workflow
) -> None:
    other = make_workflow("invoices", name="Invoices")
    grant_all(to=manager, on=other, actions=MANAGER)
    brief(workflow=workflow, stated="10")
    accepted(workflow=workflow, worked=60)
    accepted(workflow=other, worked=60)
    tile = minutes.tile(ask(manager), minutes.worths(ask(manager)))
    assert tile.halves[0].figure == "9.0"
    assert tile.lines[-1].text == "Left out, as one side is not known: Invoices."


# Time


def test_half_and_nine_in_ten_are_times_that_items_really_took(manager: Any, workflow: Workflow) -> None:
    # Ten delivered after 1 to 10 hours: the 5th and the 9th. One more, not yet delivered, is left out.
    for hours in range(1, 11):
        accepted(workflow=workflow, at=day(3, 0), after=timedelta(hours=hours))
    accepted(workflow=workflow, at=day(3, 0), after=timedelta(hours=99), state=State.APPROVED)
    assert waiting.times(ask(manager)).whole == waiting.Waited(n=10, half=5 * 3600, nine_in_ten=9 * 3600)
    assert [half.figure for half in waiting.tile(ask(manager), waiting.times(ask(manager)).whole).halves] == [
        "5 h",
        "9 h",
    ]


def test_times_by_week_have_ranks_of_their_own(manager: Any, workflow: Workflow) -> None:
    for number, minutes_ in ((3, 10), (4, 20), (5, 30), (10, 90)):
        accepted(workflow=workflow, at=day(number), after=timedelta(minutes=minutes_, seconds=30))
    rows = [texts(row) for row in waiting.waiting(ask(manager), waiting.times(ask(manager))).rows]
    # Of three the 2nd and the 3rd; of one itself.
    assert rows == [["2 Nov", "3", "20 min", "30 min"], ["9 Nov", "1", "1 h 30 min", "1 h 30 min"]]


def test_before_anything_is_handed_over_there_is_no_time(manager: Any, workflow: Workflow) -> None:
    add(workflow=workflow, state=State.REJECTED)
    assert waiting.tile(ask(manager), waiting.times(ask(manager)).whole).halves[0].figure == "Nothing yet"


# Why people were asked, and what failed


def test_reasons_are_those_of_the_newest_review_of_each_item(manager: Any, workflow: Workflow) -> None:
    accepted(workflow=workflow, reasons="|bar|certificate|")
    add(workflow=workflow, decided="approve", worked=[60, 60], reasons="|rule|certificate|")
    add(workflow=workflow, state=State.IN_REVIEW, review_open=True)
    add(workflow=workflow, state=State.SKIPPED)  # went to nobody
    report = exceptions(ask(manager))
    assert [texts(row)[:3] for row in report.rows] == [
        ["No certificate: everything is reviewed", "2", "67 %"], ["Signal below the bar", "1", "33 %"],
        ["A rule of the workflow", "1", "33 %"], ["No reason was written down", "1", "33 %"],
    ]  # fmt: skip
    assert report.about == "3 of 4"


def test_an_item_that_failed_twice_the_same_way_is_one_item(manager: Any, workflow: Workflow) -> None:
    accepted(workflow=workflow, costs=[("timeout", None), ("timeout", None), ("ok", "1")])
    add(workflow=workflow, state=State.ATTENTION, costs=[("refused", "1")])
    assert [texts(row)[:3] for row in failures(ask(manager)).rows] == [
        ["Refused", "1", "50 %"],
        ["Timeout", "1", "50 %"],
    ]


# Cost


def test_the_cost_of_an_item_is_all_its_runs_over_the_items_with_a_price(
    manager: Any, workflow: Workflow
) -> None:
    # 0.10 and 0.02 failed on the first, 0.03 on the second, no price on the third: 0.15 of two items.
    accepted(workflow=workflow, costs=[("timeout", "0.02"), ("ok", "0.10")])
    accepted(workflow=workflow, costs=[("ok", "0.03")])
    accepted(workflow=workflow, costs=[("ok", None)])
    found = cost.cost_of(ask(manager))
    assert (found.items, found.priced, found.unpriced_runs, found.cpu_seconds) == (3, 2, 1, 2.5)
    assert (round(found.amount, 8), round(found.failed, 8)) == (Decimal("0.15"), Decimal("0.02"))
    tile = cost.tile(ask(manager), found, cost.month_of(ask(manager)))
    assert tile.halves[0].figure == "$0.075"
    lines = [line.text for line in tile.lines]
    assert "$0.02 of $0.15 went on attempts that failed" in lines
    assert "1 runs without a price are not in it" in lines
    assert [texts(row)[:4] for row in cost.report(ask(manager)).rows] == [
        ["priced", "ok", "2", "$0.13"], ["priced", "timeout", "1", "$0.02"], ["own", "ok", "1", "–"],
    ]  # fmt: skip


def test_the_month_counts_runs_by_their_day_whatever_the_dates_of_the_filter(
    manager: Any, workflow: Workflow
) -> None:
    # 1.00 a day from 1 to 20 November; and 1.00 on each of the ten days before, which are no part of the month.
    for number in range(20):
        accepted(workflow=workflow, at=day(1 + number, 8), costs=[("ok", "1")])
    for number in range(22, 32):
        accepted(workflow=workflow, at=datetime(2026, 10, number, 8, tzinfo=UTC), costs=[("ok", "1")])
    month = cost.month_of(ask(manager, since=date(2026, 11, 19)))
    assert (month.name, month.so_far, month.runs) == ("November", Decimal(20), 20)
    # 28 days before today: 1.00 on each. 19 until yesterday and 11 days of 1.00, without any spread.
    assert (month.low, month.high) == (Decimal(30), Decimal(30))
    assert cost.month_told(month) == ("$20.00", "$30.00 to $30.00 expected")


def test_the_expected_month_is_a_range_by_the_days_before() -> None:
    # Ten days of 1 and 3 in turn: mean 2, variance 10/9. 5 days are left: 10 +- t(9) * sqrt(10/9 * (5 + 25/10)).
    days = [Decimal(1), Decimal(3)] * 5
    low, high = cost.expected(before=Decimal(20), spent=Decimal(21), days=days, left=5)
    half = 2.262157 * (10 / 9 * 7.5) ** 0.5
    assert low is not None
    assert high is not None
    assert (float(low), float(high)) == (
        pytest.approx(30 - half, abs=0.001),
        pytest.approx(30 + half, abs=0.001),
    )
    # Never less than what is spent already, and nothing by six days.
    assert cost.expected(before=Decimal(0), spent=Decimal(99), days=days, left=1)[0] == Decimal(99)
    assert cost.expected(before=Decimal(0), spent=Decimal(0), days=days[:6], left=5) == (None, None)


def test_without_a_price_the_cost_is_words_and_seconds_of_cpu(manager: Any, workflow: Workflow) -> None:
    accepted(workflow=workflow, costs=[("ok", None)])
    tile = cost.tile(ask(manager), cost.cost_of(ask(manager)), cost.month_of(ask(manager)))
    assert tile.halves[0].figure == "No price is known"
    assert "2 s of CPU for models of our own" in [line.text for line in tile.lines]


# Who uses it


def test_people_are_counted_by_what_they_submitted_and_decided_and_the_system_is_nobody(
    manager: Any, workflow: Workflow
) -> None:
    ines, omar = make_user("ines"), make_user("omar")
    accepted(workflow=workflow, by=ines, at=NOW - timedelta(days=1))
    accepted(workflow=workflow, by=ines, at=NOW - timedelta(days=2))
    add(workflow=workflow, by=omar, at=NOW - timedelta(days=40))
    add(workflow=workflow, by=system_user(), state=State.SKIPPED)
    for person in (ines, omar):
        person.groups.add(workflow.reviewers)
    make_user("never").groups.add(workflow.reviewers)
    asked = ask(manager, since=None)
    found = people.uses(asked)
    assert [(one.name, one.submitted, one.decided) for one in found.values()] == [
        ("ines", 2, 2),
        ("omar", 1, 0),
    ]
    assert [texts(row)[-1] for row in people.people(asked, found).rows] == ["–", "none for 40 days"]
    assert people.people(asked, found).about == "1 of 2 in the last 3 weeks"
    assert texts(people.teams(asked, found).rows[0])[:3] == [
        "leads reviewers",
        "1 of 3",
        "33 %",
    ]
    assert texts(people.teams(asked, found).rows[0])[-1] == "stopped: omar; 1 not seen"


def test_sources_are_named_and_sample_history_can_be_left_out(manager: Any, workflow: Workflow) -> None:
    accepted(workflow=workflow, channel="api")
    accepted(workflow=workflow, channel="sample")
    assert [texts(row)[:2] for row in people.sources(ask(manager)).rows] == [
        ["API", "1"],
        ["Sample history", "1"],
    ]
    assert ask(manager, source="-sample").total() == 1
    assert ask(manager, source="sample").total() == 1


def test_a_team_is_the_group_that_a_review_of_the_item_went_to(manager: Any, workflow: Workflow) -> None:
    accepted(workflow=workflow)
    add(workflow=workflow, state=State.SKIPPED)
    assert ask(manager, team=workflow.reviewers_id).total() == 1
    assert ask(manager, team=workflow.escalation_id).total() == 0


# Skipped and stuck


def test_skipped_items_are_grouped_by_why(manager: Any, workflow: Workflow) -> None:
    for title in ("A", "B"):
        happened = f"The same content came in before, as “{title}”."
        add(workflow=workflow, state=State.SKIPPED, problem={"happened": happened, "item": "1"})
    add(workflow=workflow, state=State.SKIPPED, problem={"happened": "Empty message"})
    add(workflow=workflow, state=State.SKIPPED)
    accepted(workflow=workflow)
    report = skipped.skipped(ask(manager))
    assert [texts(row)[:3] for row in report.rows] == [
        ["The same content came in before", "2", "40 %"], ["Empty message", "1", "20 %"], ["No reason was given", "1", "20 %"],
    ]  # fmt: skip
    assert report.about == "4 of 5"


def test_stuck_items_have_an_owner_and_a_next_step_and_the_longest_comes_first(
    manager: Any, workflow: Workflow
) -> None:
    workflow.owner = make_user("mara")
    workflow.save()
    step = {"happened": "No answer.", "next_step": "Try it again later."}
    add(
        workflow=workflow,
        state=State.ATTENTION,
        title="Failed",
        at=NOW - timedelta(days=90),
        after=timedelta(days=88),
        problem=step,
    )
    late, later = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    add(
        workflow=workflow,
        state=State.IN_REVIEW,
        title="Late",
        at=NOW - timedelta(hours=5),
        review_open=True,
        due=late,
    )
    add(
        workflow=workflow,
        state=State.IN_REVIEW,
        title="In time",
        at=NOW - timedelta(hours=5),
        review_open=True,
        due=later,
    )
    add(workflow=workflow, state=State.RECEIVED, title="Forgotten", at=NOW - timedelta(days=1, hours=2))
    add(workflow=workflow, state=State.RECEIVED, title="Just came", at=NOW - timedelta(hours=2))
    report = stuck_report.report(ask(manager))
    assert [texts(row) for row in report.rows] == [
        ["Failed", "Needs attention", "2 days", "mara", "Try it again later."],
        ["Forgotten", "Received", "25 h", "mara", "See whether the workers run and the model answers"],
        ["Late", "In review", "4 h", "leads reviewers", "Review it"],
    ]
    assert report.about == "3 items"
    assert stuck_report.summary(ask(manager))["unowned"] == 0


def test_an_item_that_is_nobodys_says_so(manager: Any, workflow: Workflow) -> None:
    workflow.owner = workflow.reviewers = None
    workflow.save()
    add(workflow=workflow, state=State.ATTENTION)
    (row,) = stuck_report.report(ask(manager)).rows
    assert (row[3].text, row[3].tone) == ("Nobody", "warn")
    assert stuck_report.summary(ask(manager))["unowned"] == 1


def test_whoever_may_see_figures_alone_reads_no_title_no_name_and_finds_no_link(workflow: Workflow) -> None:
    from workflows.access import Action

    person = make_user("figures", can=[Action.REPORTS], on=workflow)
    accepted(workflow=workflow, title="A secret title", by=make_user("a-secret-name"))
    add(workflow=workflow, state=State.ATTENTION, title="A secret title", by=make_user("another-secret"))
    add(workflow=workflow, state=State.SKIPPED, problem={"happened": "A secret reason"})
    asked = ask(person)
    assert asked.total() == 3
    figures = [figure for one in Reports(asked).all().values() for row in one.rows for figure in row]
    assert not [figure for figure in figures if "secret" in figure.text or figure.link or figure.open]


def test_an_empty_set_has_words_in_every_report(manager: Any, workflow: Workflow) -> None:
    reports = Reports(ask(manager))
    for key, one in reports.all().items():
        assert one.empty.endswith("."), key
        if key != "teams":
            assert one.rows == [], key
    assert [tile.halves[0].figure for tile in reports.tiles()] == [
        "No decisions yet", "Nothing drafted yet", "No decisions yet", "Nothing yet",
    ]  # fmt: skip


def test_the_span_of_the_filter_is_the_one_of_the_set() -> None:
    assert (FIRST.weekday(), LAST) == (0, NOW.date())
