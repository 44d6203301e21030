"""Home counts what the person may see and decide, and the sidebar names what they may open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from reviews.models import Review
from tests.factories import MANAGER, make_item, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in
from workflows.models import Workflow
from workflows.states import State

pytestmark = pytest.mark.django_db


def home(client: Client) -> str:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_home_shows_what_waits_for_me_and_counts_nothing_that_is_hidden(
    staff: Client, workflow: Workflow
) -> None:
    make_item(workflow=workflow, title="Mine to decide")
    make_item(workflow=make_workflow("hidden", name="Hidden one"), title="Of somebody else")
    page = home(staff)
    assert "1 item waits for your decision" in page
    assert "Mine to decide" in page
    for hidden in ("Of somebody else", "Hidden one", "2 items wait"):
        assert hidden not in page


def test_what_is_late_is_said_in_words(staff: Client, workflow: Workflow) -> None:
    make_item(workflow=workflow)
    Review.objects.update(due_at=timezone.now() - timedelta(minutes=72))
    page = home(staff)
    assert "1 is late." in page
    assert "Late by 1 h 12 min" in page


def test_an_escalation_waits_for_those_who_answer_it(
    staff: Client, senior: Client, workflow: Workflow
) -> None:
    make_item(workflow=workflow, state=State.ESCALATED)
    assert "Nothing waits for your decision" in home(staff)
    assert "1 item waits for your decision" in home(senior)


def test_who_may_only_look_is_asked_for_no_decision(workflow: Workflow) -> None:
    make_item(workflow=workflow)
    page = home(signed_in(make_user("boss", can=MANAGER, on=workflow)))
    assert "your decision" not in page
    assert "Items you may see" in page


def test_without_a_grant_home_says_whom_to_ask(workflow: Workflow) -> None:
    make_item(workflow=workflow)
    page = home(signed_in(make_user("new")))
    assert "Ask the person who manages access" in page
    for closed in ("/admin/workflows/item/", "/admin/reviews/", "Leads"):
        assert closed not in page


def test_signing_in_leads_home(settings: object) -> None:
    user = make_user("ines")
    user.set_password("a long one of hers")
    user.save()
    answer = Client().post("/admin/login/", {"username": "ines", "password": "a long one of hers"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
