"""The permission desk asks as often for many people, groups and workflows as for few."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import ADMIN, STAFF, make_user, make_workflow
from tests.queries.crowd import make_crowd
from tests.reviews.admin.conftest import signed_in
from workflows.access import Action, grant, may, visible
from workflows.models import Workflow

pytestmark = pytest.mark.django_db


def test_the_desk_asks_as_often_for_a_crowd_as_for_a_team() -> None:
    workflow = make_workflow("leads", name="Leads")
    boss = make_user("boss", superuser=True)
    person = make_user("person", can=STAFF, on=workflow)
    person.groups.add(Group.objects.create(name="Clerks"))
    grant(action=Action.VIEW, workflow=workflow, to=person.groups.get())
    client = signed_in(boss)
    own = signed_in(make_user("admin", can=ADMIN, on=workflow))
    make_crowd(workflow=workflow, people=5, groups=2, workflows=2)
    few = counts(client, own, workflow)
    make_crowd(workflow=workflow, people=120, groups=30, workflows=30)
    many = counts(client, own, workflow)
    assert many == few
    assert max(many.values()) <= 60


def counts(client: Client, own: Client, workflow: Workflow) -> dict[str, int]:
    base = f"/admin/workflows/workflow/{workflow.pk}"
    found = {}
    for name, by, address in (
        ("matrix", client, f"{base}/change/"), ("matrix of its admin", own, f"{base}/change/"),
        ("why", own, f"{base}/why/?person=person"), ("stale", own, f"{base}/stale/"), ("people", own, f"{base}/people/?q=pers"),
        ("users", client, "/admin/auth/user/"), ("groups", client, "/admin/auth/group/"), ("workflows", own, "/admin/workflows/workflow/"),
    ):  # fmt: skip
        by.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert by.get(address).status_code == 200, name
        found[name] = len(asked)
    return found


def test_the_door_takes_one_question_for_all_grants_of_a_person_ends_and_all() -> None:
    workflow = make_workflow()
    make_crowd(workflow=workflow, people=3, groups=10, workflows=20)
    person: Any = make_user("person", can=STAFF, on=workflow)
    person.groups.set(Group.objects.all())
    may(person, Action.VIEW, workflow)  # the content type is known now
    person = type(person).objects.get(pk=person.pk)
    with CaptureQueriesContext(connection) as asked:
        assert may(person, Action.VIEW, workflow)
        assert may(person, Action.REVIEW, workflow)
        list(visible(person, Workflow.objects.all()))
    assert len(asked) == 2, "the grants, and the workflows"
