"""What people say about a workflow's worth is kept, with who said it; and it goes with the workflow's file."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import yaml
from django.utils import timezone

from tests.factories import ADMIN, MANAGER, make_user, make_workflow
from workflows.briefs import look_through_access, record_actual, record_follow_up, write_brief
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import Brief, Budget, FollowUp, MetricActual, Stage, Workflow
from workflows.workflow_file import export_workflow, import_workflow

pytestmark = pytest.mark.django_db

WORDS = {
    "task": "Enter what suppliers send.", "deputy": "dana", "today": "By hand.\nInto the ledger.", "breaks": "Friday",
    "tools": "The ledger", "per_week_low": 200, "per_week_high": 240, "minutes_by_hand": "9.5",
    "timed": [{"what": "VB-2044", "minutes": "9.5"}, {"what": "VB-2045", "minutes": 8}], "hour_cost": "28.50",
    "when_late": "A fee", "when_wrong": "Paid twice", "stays_human": "Bank details", "next_step": "The payment run",
    "metric_name": "Minutes an invoice", "metric_unit": "minutes", "metric_baseline": "9.5", "metric_target": 3,
    "metric_source": "minutes", "instructions": "Check the total.\nThen the IBAN.", "follow_up_on": date(2027, 3, 1),
}  # fmt: skip
BUDGET = {"per_item": "0.05", "per_month": 40, "alert_percent": 70}


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads")


@pytest.fixture
def boss(workflow: Workflow) -> Any:
    return make_user("boss", can=ADMIN, on=workflow)


def file_with(workflow: Workflow, **parts: Any) -> str:
    return yaml.safe_dump({**yaml.safe_load(export_workflow(workflow=workflow)), **parts}, allow_unicode=True)


def test_brief_and_budget_go_through_a_file_and_come_back_the_same(workflow: Workflow) -> None:
    dana = make_user("dana")
    assert import_workflow(text=file_with(workflow, brief=WORDS, budget=BUDGET))[2] is True
    brief, budget = Brief.objects.get(), Budget.objects.get()
    assert (brief.deputy, brief.per_week_high, brief.hour_cost) == (dana, 240, Decimal("28.50"))
    assert brief.timed == [{"what": "VB-2044", "minutes": "9.5"}, {"what": "VB-2045", "minutes": "8"}]
    assert (brief.metric_source, brief.follow_up_on) == ("minutes", date(2027, 3, 1))
    assert (budget.per_item, budget.per_day, budget.per_month, budget.alert_percent) == (
        Decimal("0.05"),
        None,
        40,
        70,
    )
    written = export_workflow(workflow=workflow)
    told = yaml.safe_load(written)
    assert told["brief"]["today"] == "By hand.\nInto the ledger."
    assert told["budget"]["per_item"] == "0.05"
    assert import_workflow(text=written)[2] is False
    import_workflow(text=written.replace("slug: leads", "slug: again").replace("stage: live", "stage: setup"))
    again = yaml.safe_load(export_workflow(workflow=Workflow.objects.get(slug="again")))
    assert (again["brief"], again["budget"]) == (told["brief"], told["budget"])


def test_a_file_without_them_leaves_what_is_written_here(workflow: Workflow) -> None:
    text = export_workflow(workflow=workflow)
    import_workflow(text=file_with(workflow, brief={"task": "One"}, budget=BUDGET))
    assert import_workflow(text=text)[2] is False
    assert (Brief.objects.get().task, Budget.objects.count()) == ("One", 1)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            {"brief": {"per_week_low": 9, "per_week_high": 3}},
            "the fewest items a week are more than the most",
        ),
        ({"brief": {"minutes": 3}}, "no such setting"),
        ({"brief": {"timed": [{"what": "a", "minutes": 0}]}}, "timed 1"),
        ({"brief": {"hour_cost": -1}}, "hour cost"),
        ({"brief": {"follow_up_on": "soon"}}, "follow up on"),
        ({"budget": {"per_month": "much"}}, "per month"),
        ({"budget": {"alert_percent": 0}}, "alert percent"),
    ],
)
def test_a_mistake_in_them_is_told_with_its_place_and_nothing_is_written(
    workflow: Workflow, parts: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        import_workflow(text=file_with(workflow, name="Renamed", **parts))
    assert Workflow.objects.get().name == "Leads"
    assert not Brief.objects.exists()


def test_a_change_is_in_the_history_and_no_change_is_not(workflow: Workflow, boss: Any) -> None:
    assert write_brief(workflow=workflow, columns={"task": "One"}, by=boss, why="Changed")
    assert not write_brief(workflow=workflow, columns={"task": "One"}, by=boss, why="Changed")
    assert [(one.history_user, one.history_change_reason) for one in Brief.history.all()] == [
        (boss, "Changed")
    ]


def test_who_looked_through_access_is_on_record_and_has_to_see_it(workflow: Workflow, boss: Any) -> None:
    with pytest.raises(NotPermitted):
        look_through_access(workflow=workflow, by=make_user(can=MANAGER, on=workflow))
    look_through_access(workflow=workflow, by=boss)
    brief = Brief.objects.get()
    assert brief.access_reviewed_by == boss
    assert timezone.now() - brief.access_reviewed_at < timedelta(minutes=1)


def test_a_second_figure_of_a_day_takes_the_place_of_the_first(workflow: Workflow, boss: Any) -> None:
    day = timezone.localdate()
    for value in (3, 4):
        record_actual(workflow=workflow, day=day, value=Decimal(value), by=boss)
    row = MetricActual.objects.get()
    assert (row.value, row.by, row.history.count()) == (4, boss, 2)
    with pytest.raises(InvalidInput, match="still to come"):
        record_actual(workflow=workflow, day=day + timedelta(days=1), value=Decimal(5), by=boss)
    with pytest.raises(NotPermitted):
        record_actual(workflow=workflow, day=day, value=Decimal(5), by=make_user(can=MANAGER, on=workflow))
    write_brief(workflow=workflow, columns={"metric_source": Brief.Source.COST.value}, by=boss, why="Changed")
    with pytest.raises(Conflict, match="is computed"):
        record_actual(workflow=workflow, day=day, value=Decimal(5), by=boss)
    assert MetricActual.objects.get().value == 4


def look_back(workflow: Workflow, by: Any, **changes: Any) -> FollowUp:
    told: dict[str, Any] = {
        "findings": "It was.",
        "decision": FollowUp.Decision.KEEP,
        "next_on": None,
    } | changes
    return record_follow_up(workflow=workflow, by=by, **told)


def test_a_look_back_is_kept_once_and_sets_the_next(workflow: Workflow, boss: Any) -> None:
    today = timezone.localdate()
    write_brief(workflow=workflow, columns={"follow_up_on": today}, by=boss, why="Changed")
    for changes in ({"findings": " "}, {"next_on": today}):
        with pytest.raises(InvalidInput):
            look_back(workflow, boss, **changes)
    with pytest.raises(NotPermitted):
        look_back(workflow, make_user(can=MANAGER, on=workflow))
    assert not FollowUp.objects.exists()
    later = today + timedelta(days=180)
    row = look_back(workflow, boss, next_on=later)
    assert (row.due_on, row.findings, row.decision, row.by) == (today, "It was.", "keep", boss)
    assert Brief.objects.get().follow_up_on == later
    with pytest.raises(Conflict, match="No look back is due"):
        look_back(workflow, boss)
    assert FollowUp.objects.count() == 1


def test_no_look_back_is_due_before_its_day_nor_before_it_ever_worked(workflow: Workflow, boss: Any) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    write_brief(workflow=workflow, columns={"follow_up_on": tomorrow}, by=boss, why="Changed")
    with pytest.raises(Conflict):
        look_back(workflow, boss)
    write_brief(workflow=workflow, columns={"follow_up_on": timezone.localdate()}, by=boss, why="Changed")
    Workflow.objects.update(stage=Stage.SETUP)
    with pytest.raises(Conflict):
        look_back(Workflow.objects.get(), boss)
