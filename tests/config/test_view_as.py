"""Looking as somebody else: read-only, never wider than one's own access, on record, and over after half an hour."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from tests.factories import ADMIN, SENIOR, STAFF, grant_all, make_item, make_user, make_workflow
from tests.security.doors import addresses
from tests.security.secret_workflow import make_secret
from tests.workflows.admin.conftest import signed_in
from workflows.access import Action, revoke
from workflows.models import Item, Try, ViewAs, Workflow
from workflows.states import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads", name="Leads")


@pytest.fixture
def other() -> Workflow:
    return make_workflow("payroll", name="Payroll")


@pytest.fixture
def person(workflow: Workflow, other: Workflow) -> Any:
    """Reviews both."""
    person = make_user("person", can=SENIOR, on=workflow)
    grant_all(to=person, on=other, actions=SENIOR)
    make_item(workflow=workflow, title="A lead")
    make_item(workflow=other, title="A salary")
    return person


@pytest.fixture
def boss(workflow: Workflow) -> Any:
    return make_user("boss", can=ADMIN, on=workflow)


def look(client: Client, workflow: Workflow, name: str) -> Any:
    return client.post(f"/admin/workflows/workflow/{workflow.pk}/view-as/", {"person": name})


def test_it_shows_what_the_person_sees_and_says_so(workflow: Workflow, person: Any, boss: Any) -> None:
    client = signed_in(boss)
    assert client.get("/admin/reviews/review/").content.decode().count("A lead") == 0
    assert look(client, workflow, "person").status_code == 302
    page = client.get("/admin/reviews/review/").content.decode()
    assert "A lead" in page
    assert "You look as <strong>person</strong>, in the workflows whose access you manage." in page
    assert "Only you see this" not in client.get("/admin/").content.decode(), (
        "how much somebody did today is theirs"
    )
    row = ViewAs.objects.get()
    assert (row.by, row.person, row.workflow, row.ended_at) == (boss, person, workflow, None)
    assert client.post("/admin/view-as/end/").status_code == 302
    assert ViewAs.objects.get().ended_at is not None
    assert "You look as" not in client.get("/admin/").content.decode()
    shown = client.get(f"/admin/workflows/workflow/{workflow.pk}/why/").content.decode()
    assert "boss as person" in shown


def test_a_workflow_that_the_viewer_does_not_manage_stays_hidden(
    workflow: Workflow, other: Workflow, person: Any, boss: Any
) -> None:
    hidden = Item.objects.get(title="A salary")
    client = signed_in(boss)
    look(client, workflow, "person")
    for address in ("/admin/", "/admin/reviews/review/", "/admin/workflows/item/", "/admin/workflows/workflow/",
                    "/admin/search/?s=salary", "/admin/help/", "/admin/reports/"):  # fmt: skip
        told = client.get(address).content.decode()
        assert "A salary" not in told, address
        assert "Payroll" not in told, address
    assert client.get(f"/admin/workflows/item/{hidden.pk}/change/").status_code == 404
    grant_all(to=boss, on=other, actions=STAFF)  # sees it now, and does not manage its access
    assert client.get(f"/admin/workflows/item/{hidden.pk}/change/").status_code == 404
    root = signed_in(make_user("root", superuser=True))
    look(root, workflow, "person")
    assert root.get(f"/admin/workflows/item/{hidden.pk}/change/").status_code == 200


def test_every_address_refuses_what_is_unsafe_while_looking() -> None:
    secret = make_secret()
    make_user("person", can=tuple(Action), on=secret.workflow)
    root = signed_in(make_user("root", superuser=True))
    look(root, secret.workflow, "person")
    tried = 0
    for name, address in addresses(secret).items():
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(root, method)(address)
            assert answer.status_code == 403, f"{method} {name}"
            assert "Only looking" in answer.content.decode()
            tried += 1
    assert ViewAs.objects.get().ended_at is None
    print(f"{tried} unsafe requests refused")


def test_what_is_not_of_a_workflow_is_not_opened(workflow: Workflow, person: Any) -> None:
    root = signed_in(make_user("root", superuser=True))
    look(root, workflow, "person")
    for name in _names(admin.site.get_urls()):
        if name.startswith(("auth_", "password_", "django_q_")):
            assert not name.startswith(("workflows_", "reviews_"))
    for address in ("/admin/password_change/", "/admin/reports/export/", "/healthz", "/api/v1/docs"):
        assert "Only looking" in root.get(address).content.decode(), address


def _names(patterns: list[Any]) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found += _names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            found.append(pattern.name)
    return found


def test_what_somebody_tried_stays_theirs(workflow: Workflow, boss: Any) -> None:
    writer = make_user("writer", can=ADMIN, on=workflow)
    Try.objects.create(version=workflow.version, by=writer, text="A private text", ended_at=timezone.now())
    address = f"/admin/workflows/version/{workflow.version_id}/change/"
    assert "A private text" in signed_in(writer).get(address).content.decode()
    client = signed_in(boss)
    look(client, workflow, "writer")
    told = client.get(address)
    assert told.status_code == 200
    assert "A private text" not in told.content.decode()


def test_who_may_look_and_at_whom(workflow: Workflow, other: Workflow, person: Any, boss: Any) -> None:
    make_user("root", superuser=True, can=STAFF, on=workflow)
    make_user("outside", staff=False)
    client = signed_in(boss)
    for name, said in (("root", "Nobody looks as a superuser"), ("boss", "That is you"), ("outside", "cannot sign in"),
                       ("nobody", "There is nobody with the user name")):  # fmt: skip
        refused = look(client, workflow, name)
        assert (refused.status_code, said in refused.content.decode()) == (422, True), name
    assert look(client, other, "person").status_code == 404
    assert look(signed_in(person), workflow, "boss").status_code == 403
    assert look(signed_in(make_user("second", superuser=True)), workflow, "root").status_code == 422
    assert client.get(f"/admin/workflows/workflow/{workflow.pk}/view-as/").status_code == 405
    assert not ViewAs.objects.exists()


def test_it_is_over_after_half_an_hour_and_with_the_right_to_it(
    workflow: Workflow, person: Any, boss: Any
) -> None:
    client = signed_in(boss)
    look(client, workflow, "person")
    row = ViewAs.objects.get()
    assert row.ends_at - row.started_at == timedelta(minutes=30)
    ViewAs.objects.update(ends_at=timezone.now())
    answer = client.get("/admin/reviews/review/", follow=True)
    assert "your own eyes again" in answer.content.decode()
    assert "You look as" not in answer.content.decode()
    look(client, workflow, "person")
    make_user("heir", can=ADMIN, on=workflow)
    revoke(action=Action.ACCESS, workflow=workflow, of=boss)
    assert "your own eyes again" in client.get("/admin/", follow=True).content.decode()
    assert not ViewAs.objects.filter(ended_at=None).exists()


def test_signing_out_ends_it(workflow: Workflow, person: Any, boss: Any) -> None:
    client = signed_in(boss)
    look(client, workflow, "person")
    assert client.post("/admin/logout/").status_code in (200, 302)
    assert ViewAs.objects.get().ended_at is not None
    assert client.get("/admin/").status_code == 302


def test_model_permissions_of_the_person_open_nothing_more(workflow: Workflow, boss: Any) -> None:
    from django.contrib.auth.models import Permission

    person = make_user("person", can=STAFF, on=workflow)
    person.user_permissions.add(Permission.objects.get(codename="view_price"))
    assert signed_in(person).get("/admin/workflows/price/").status_code == 200
    client = signed_in(boss)
    look(client, workflow, "person")
    assert client.get("/admin/workflows/price/").status_code in (403, 404)


def test_looking_makes_no_trace_of_the_person(workflow: Workflow, person: Any, boss: Any) -> None:
    item = make_item(workflow=workflow, state=State.IN_REVIEW, title="Untouched")
    before = Item.history.count()
    client = signed_in(boss)
    look(client, workflow, "person")
    assert client.get(f"/admin/workflows/item/{item.pk}/change/").status_code == 200
    assert Item.history.count() == before
    assert not Item.history.filter(history_user=person).exists()
    person.refresh_from_db()
    assert person.last_login is None
