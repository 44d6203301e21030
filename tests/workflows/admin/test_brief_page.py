"""The brief on its page: written without code, told what is wrong, and looked back at."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import ADMIN, MANAGER, STAFF, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in
from workflows.models import Brief, FollowUp, MetricActual, Workflow
from workflows.workflow_file import export_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads", name="Leads")


@pytest.fixture
def admin(workflow: Workflow) -> Any:
    admin = make_user("admin", can=ADMIN, on=workflow)
    Workflow.objects.update(owner=admin)
    return admin


@pytest.fixture
def client(admin: Any) -> Client:
    return signed_in(admin)


def brief_of(workflow: Workflow, act: str = "") -> str:
    return f"/admin/workflows/workflow/{workflow.pk}/brief/{act}"


def sent(**changes: Any) -> dict[str, Any]:
    told = {
        "task": "Enter what comes in", "per_week_low": "100", "per_week_high": "120", "minutes_by_hand": "6", "hour_cost": "30",
        "metric_source": "entered", "timed-TOTAL_FORMS": "4", "timed-INITIAL_FORMS": "0",
    }  # fmt: skip
    return told | changes


def test_what_is_written_is_kept_and_the_so_what_is_worked_out(
    client: Client, workflow: Workflow, admin: Any
) -> None:
    page = client.get(brief_of(workflow)).content.decode()
    assert "Not enough said yet: how often, minutes by hand, cost of an hour." in page
    deputy = make_user("deputy", can=STAFF, on=workflow)
    wanted = sent(deputy=deputy.username, **{"timed-0-what": "The first", "timed-0-minutes": "5.5", "timed-2-what": "The third",
                                       "timed-2-minutes": "6.5"})  # fmt: skip
    assert client.post(brief_of(workflow), wanted).status_code == 302
    brief = Brief.objects.get()
    assert (brief.deputy, brief.hour_cost) == (deputy, Decimal(30))
    assert brief.timed == [{"what": "The first", "minutes": "5.5"}, {"what": "The third", "minutes": "6.5"}]
    assert brief.history.get().history_user == admin
    page = client.get(f"/admin/workflows/workflow/{workflow.pk}/change/").content.decode()
    assert "minutes by hand." in page
    assert "From 2 timed items and 30 USD an hour." in page


def test_everything_that_is_wrong_is_told_at_once_and_what_was_typed_stays(
    client: Client, workflow: Workflow, admin: Any
) -> None:
    stranger = make_user("stranger")
    wanted = sent(
        task="Typed", per_week_low="130", minutes_by_hand="six", deputy=stranger.username, follow_up_on=str(timezone.localdate()),
        **{"timed-0-what": "The first", "timed-1-minutes": "4"},
    )  # fmt: skip
    answer = client.post(brief_of(workflow), wanted)
    page = answer.content.decode()
    assert answer.status_code == 422
    for said in (
        "The brief was not saved.", "This is less than “at least”.", "Enter a number.", "Choose a day to come.",
        "Enter its minutes, or empty the line.", "Say which item was timed.", "Nobody with this user name can be chosen here.",
    ):  # fmt: skip
        assert said in page, said
    assert ">\nTyped</textarea>" in page
    assert not Brief.objects.exists()
    assert (
        "A deputy is somebody else"
        in client.post(brief_of(workflow), sent(deputy=admin.username)).content.decode()
    )


def test_only_who_manages_it_writes_it(workflow: Workflow) -> None:
    for can in (MANAGER, STAFF):
        client = signed_in(make_user(can=can, on=workflow))
        assert client.get(brief_of(workflow)).status_code == 403
        for act in ("", "actual/", "follow-up/"):
            assert client.post(brief_of(workflow, act), sent()).status_code == 403
    outsider = signed_in(make_user())
    for act in ("", "actual/", "follow-up/"):
        assert outsider.post(brief_of(workflow, act), sent()).status_code == 404
    assert not Brief.objects.exists()


def test_actuals_are_entered_by_date_unless_they_are_computed(
    client: Client, workflow: Workflow, admin: Any
) -> None:
    day = timezone.localdate()
    assert client.post(brief_of(workflow, "actual/"), {"day": str(day), "value": "3.5"}).status_code == 302
    assert MetricActual.objects.get().value == Decimal("3.5")
    assert "<td>3.5</td>" in client.get(brief_of(workflow)).content.decode()
    for wrong, said in (
        ({"day": "", "value": "3"}, "This field is required."),
        ({"day": str(day + timedelta(days=2)), "value": "3"}, "The day is still to come."),
    ):
        answer = client.post(brief_of(workflow, "actual/"), wrong)
        assert answer.status_code == 422
        assert said in answer.content.decode()
    client.post(brief_of(workflow), sent(metric_source="cost"))
    answer = client.post(brief_of(workflow, "actual/"), {"day": str(day), "value": "4"})
    assert answer.status_code == 409
    assert "It is computed from the items" in answer.content.decode()
    assert MetricActual.objects.get().value == Decimal("3.5")


def test_a_look_back_that_is_due_is_asked_for_and_its_findings_are_kept(
    client: Client, workflow: Workflow, admin: Any
) -> None:
    manages = make_user(can=ADMIN, on=workflow)
    Brief.objects.create(workflow=workflow, follow_up_on=timezone.localdate())
    page = f"/admin/workflows/workflow/{workflow.pk}/change/"
    assert "A look back is due since" in client.get(page).content.decode()
    assert "A look back is due since" in client.get("/admin/").content.decode()
    assert "A look back is due since" not in signed_in(manages).get("/admin/").content.decode(), (
        "the owner is asked"
    )
    wrong = client.post(brief_of(workflow, "follow-up/"), {"findings": "", "decision": "keep"})
    assert wrong.status_code == 422
    assert not FollowUp.objects.exists()
    told = {"findings": "Saved 3 hours a week.", "decision": "change", "next_on": ""}
    assert client.post(brief_of(workflow, "follow-up/"), told).status_code == 302
    assert FollowUp.objects.get().decision == "change"
    assert "A look back is due since" not in client.get("/admin/").content.decode()
    assert "Saved 3 hours a week." in client.get(brief_of(workflow)).content.decode()
    assert client.post(brief_of(workflow, "follow-up/"), told).status_code == 409


def test_who_looked_through_the_matrix_stands_in_the_gate(client: Client, workflow: Workflow) -> None:
    page = f"/admin/workflows/workflow/{workflow.pk}/change/"
    assert "Nobody has looked through who may do what." in client.get(page).content.decode()
    address = f"/admin/workflows/workflow/{workflow.pk}/access-reviewed/"
    assert client.get(address).status_code == 405
    assert signed_in(make_user(can=MANAGER, on=workflow)).post(address).status_code == 403
    assert client.post(address).status_code == 302
    assert "Looked through by admin" in client.get(page).content.decode()
    make_user(can=MANAGER, on=workflow)
    assert "Permissions changed on" in client.get(page).content.decode(), "this person came afterwards"
    client.post(address)
    assert "Permissions changed on" not in client.get(page).content.decode()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("minutes_by_hand", "0", "Enter more than 0."), ("minutes_by_hand", "20000", "Enter 10,000 at most."),
        ("per_week_high", "5000000", "Enter 1,000,000 at most."), ("task", "one\r\ntwo", "Write it on one line."),
        ("today", "x" * 20_001, "Write 20,000 characters at most."),
    ],
)  # fmt: skip
def test_what_a_workflow_file_cannot_hold_is_not_kept(
    client: Client, workflow: Workflow, name: str, value: str, said: str
) -> None:
    answer = client.post(brief_of(workflow), sent(**{name: value}))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert client.post(brief_of(workflow), sent(metric_name="Minutes")).status_code == 302
    assert "metric_name: Minutes" in export_workflow(workflow=Workflow.objects.get(pk=workflow.pk))
