"""The permission desk with 2,000 people, 200 groups and 200 workflows: milliseconds of each page and of the door."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests.factories import ADMIN, make_user, make_workflow
from tests.queries.crowd import make_crowd
from tests.reviews.admin.conftest import signed_in
from workflows.access import Action, people_who_may, visible
from workflows.models import Workflow
from workflows.stale_grants import stale_grants
from workflows.why import why

pytestmark = [pytest.mark.django_db, pytest.mark.benchmark]
TIMES = 5


def test_the_desk_of_two_thousand_people() -> None:
    workflow = make_workflow("leads", name="Leads")
    make_crowd(workflow=workflow, people=2000, groups=200, workflows=200)
    boss = signed_in(make_user("boss", superuser=True))
    admin = signed_in(make_user("admin", can=ADMIN, on=workflow))
    name = get_user_model().objects.filter(username__startswith="person-of").values_list("username", flat=True)[0]  # fmt: skip
    base = f"/admin/workflows/workflow/{workflow.pk}"
    pages = {
        "table of permissions": (admin, f"{base}/change/"), "why": (admin, f"{base}/why/?person={name}"),
        "grants that may go": (admin, f"{base}/stale/"), "people by search": (admin, f"{base}/people/?q=person-of-crowd-1"),
        "list of users": (boss, "/admin/auth/user/"), "list of workflows": (boss, "/admin/workflows/workflow/"),
    }  # fmt: skip
    print()
    for told, (client, address) in pages.items():
        _told(told, lambda client=client, address=address: _opened(client, address))
    users: Any = get_user_model().objects
    _told(
        "the door: all grants of a person",
        lambda: list(visible(users.get(username=name), Workflow.objects.only("pk"))),
    )
    _told("who may review", lambda: people_who_may(action=Action.REVIEW, workflow=workflow).count())
    _told("why, the function", lambda: why(person=users.get(username=name), workflow=workflow))
    _told("stale grants, the function", lambda: stale_grants(workflow=workflow))


def _opened(client: Any, address: str) -> None:
    assert client.get(address).status_code == 200


def _told(what: str, call: Callable[[], object]) -> None:
    call()
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    print(f"{what}: median {statistics.median(seconds) * 1000:.0f} ms, worst {max(seconds) * 1000:.0f} ms")
