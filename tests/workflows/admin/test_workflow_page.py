"""A workflow on its page, from nothing to the first item; its destinations; who may do what."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import ADMIN, MANAGER, STAFF, grant_all, make_user, make_version, make_workflow
from tests.reviews.admin.conftest import signed_in
from tests.webhook_receiver import webhook_receiver
from tests.workflows.admin.forms import added, posted
from workflows.access import Action, may
from workflows.models import Destination, GrantChange, Item, Stage, Workflow

pytestmark = pytest.mark.django_db
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads", name="Leads")


@pytest.fixture
def client(workflow: Workflow) -> Client:
    return signed_in(make_user("admin", can=ADMIN, on=workflow))


def page_of(workflow: Workflow) -> str:
    return f"/admin/workflows/workflow/{workflow.pk}/change/"


def access_of(workflow: Workflow) -> str:
    return f"/admin/workflows/workflow/{workflow.pk}/access/"


def ticks(**rows: tuple[Action, ...]) -> dict[str, Any]:
    """Rows as the form sends them; `g7` is a group, anything else a person."""
    keys = {name: f"group:{name[1:]}" if re.fullmatch(r"g\d+", name) else f"person:{name}" for name in rows}
    return {
        "row": list(keys.values()),
        "on": [f"{keys[name]}|{action}" for name, actions in rows.items() for action in actions],
    }


def save(client: Client, workflow: Workflow, sent: dict[str, Any]) -> Any:
    """As a browser without scripts: read what it does, then save it."""
    told = client.post(access_of(workflow), {**sent, "verb": "look"}).content.decode()
    seal = re.search(r'name="seal" value="(\w+)"', told)
    return client.post(access_of(workflow), {**sent, "verb": "save", "seal": seal[1] if seal else ""})


def test_from_nothing_to_an_item_without_code() -> None:
    maker = make_user("maker")
    maker.user_permissions.add(Permission.objects.get(codename="add_workflow"))
    clerks = Group.objects.create(name="Clerks")
    clerk = make_user("clerk")
    clerk.groups.add(clerks)
    client = signed_in(maker)
    made = client.post("/admin/workflows/workflow/add/", {
        "name": "Returns of goods", "reviewers": clerks.pk, "review_due_minutes": 10, "escalation_due_minutes": 10, "hold_seconds": 0,
    })  # fmt: skip
    workflow = Workflow.objects.get()
    version = workflow.versions.get()
    assert (workflow.slug, workflow.stage, workflow.version) == ("returns-of-goods", Stage.SETUP, None)
    assert made["Location"] == f"/admin/workflows/version/{version.pk}/change/"
    assert set(GrantChange.objects.values_list("by", "user", "given")) == {(maker.pk, maker.pk, True)}
    sent = added(
        posted(version), "fields", label="Order number", kind="text", required="on", needs_evidence="on"
    )
    assert client.post(made["Location"], sent).status_code == 302
    assert (
        client.post(f"/admin/workflows/version/{version.pk}/activate/", {"start_trial": "on"}).status_code
        == 302
    )
    page = client.get(page_of(workflow)).content.decode()
    assert "Nobody can submit items." in page
    saved = save(client, workflow, ticks(**{f"g{clerks.pk}": STAFF}))
    assert saved.status_code == 302
    submitted = signed_in(clerk).post(
        "/admin/workflows/item/add/", {"workflow": workflow.pk, "text": "Order number: A-17"}
    )
    assert submitted.status_code == 302
    assert Item.objects.get().workflow == workflow


def test_what_changes_do_is_read_before_it_is_saved_and_is_kept_in_the_log(
    client: Client, workflow: Workflow
) -> None:
    clerks = Group.objects.create(name="Clerks")
    make_user("one").groups.add(clerks)
    grant_all(to=clerks, on=workflow, actions=STAFF)
    sent = ticks(**{f"g{clerks.pk}": (Action.VIEW, Action.SUBMIT, Action.EXPORT)})
    told = client.post(
        access_of(workflow), {**sent, "verb": "look"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "Clerks (1 person) gains “Export” and loses “Review”." in told
    assert "Nobody is left who can review" in told
    assert "<html" not in told
    unread = client.post(access_of(workflow), {**sent, "verb": "save", "seal": "guessed"})
    assert unread.status_code == 409
    assert "Read what the changes do" in unread.content.decode()
    assert not GrantChange.objects.filter(action=Action.EXPORT).exists()
    assert save(client, workflow, sent).status_code == 302
    latest = GrantChange.objects.filter(group=clerks)[:2]
    assert {(one.action, one.given, one.by.get_username()) for one in latest} == {
        ("export_items", True, "admin"), ("review_item", False, "admin"),
    }  # fmt: skip
    assert "admin took “Review” from Clerks" in client.get(page_of(workflow)).content.decode()


def test_words_read_before_somebody_else_changed_it_are_read_again(
    client: Client, workflow: Workflow
) -> None:
    clerks = Group.objects.create(name="Clerks")
    sent = ticks(**{f"g{clerks.pk}": (Action.VIEW,)})
    told = client.post(access_of(workflow), {**sent, "verb": "look"}).content.decode()
    seal = re.search(r'name="seal" value="(\w+)"', told)
    grant_all(to=clerks, on=workflow, actions=STAFF)
    late = client.post(access_of(workflow), {**sent, "verb": "save", "seal": seal[1]})
    assert late.status_code == 409
    assert "loses “Submit” and “Review”" in late.content.decode()
    assert may(_member(clerks), Action.REVIEW, workflow)


def _member(group: Group) -> Any:
    person = make_user()
    person.groups.add(group)
    return person


def test_the_last_one_who_manages_access_stays_unless_a_superuser_says_otherwise(
    client: Client, workflow: Workflow
) -> None:
    sent = ticks(admin=(Action.VIEW, Action.MANAGE))
    refused = save(client, workflow, sent)
    assert refused.status_code == 422
    assert "Nobody would be left who can manage access" in refused.content.decode()
    empty_group = Group.objects.create(name="Nobody in it")
    sent = ticks(admin=(Action.VIEW, Action.MANAGE), **{f"g{empty_group.pk}": ADMIN})
    assert save(client, workflow, sent).status_code == 422
    root = signed_in(make_user("root", superuser=True))
    assert save(root, workflow, sent).status_code == 302
    assert client.post(access_of(workflow), {**sent, "verb": "look"}).status_code == 403


def test_a_permission_without_seeing_the_items_is_refused(client: Client, workflow: Workflow) -> None:
    make_user("one")
    refused = save(client, workflow, ticks(one=(Action.REVIEW,)))
    assert refused.status_code == 422
    assert "without “See items” nothing comes of “Review”" in refused.content.decode()
    assert save(client, workflow, ticks(one=(Action.REPORTS,))).status_code == 302


def test_people_are_added_by_name_and_nobody_is_guessed_by_number(client: Client, workflow: Workflow) -> None:
    hidden = make_user("hidden-name")
    answer = client.post(
        access_of(workflow),
        {"verb": "add", "row": [f"person:{hidden.pk}", "group:999"], "add_person": "nobody"},
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "There is nobody with the user name “nobody”." in page
    assert "hidden-name" not in page
    found = client.post(access_of(workflow), {"verb": "add", "add_person": "hidden-name"})
    assert found.status_code == 200
    assert 'value="person:hidden-name"' in found.content.decode()
    assert not GrantChange.objects.filter(user=hidden).exists()


def test_the_matrix_is_for_those_who_manage_access(workflow: Workflow) -> None:
    for can in (MANAGER, (Action.VIEW, Action.MANAGE)):
        client = signed_in(make_user(can=can, on=workflow))
        assert "Who may do what" not in client.get(page_of(workflow)).content.decode().replace(
            "under “Who may do what”", ""
        )
        assert client.post(access_of(workflow), ticks(one=(Action.VIEW,))).status_code == 403


def test_changes_of_grants_are_written_once() -> None:
    workflow = make_workflow()
    make_user("one", can=STAFF, on=workflow)
    change = GrantChange.objects.all()[0]
    with pytest.raises(TypeError):
        change.save()
    with pytest.raises(TypeError):
        change.delete()
    grant_all(to=change.user, on=workflow, actions=STAFF)
    assert GrantChange.objects.count() == len(STAFF)


def test_groups_are_named_to_those_who_give_access_only(client: Client, workflow: Workflow) -> None:
    Group.objects.create(name="Board of directors")
    assert "Board of directors" in client.get(page_of(workflow)).content.decode()
    manages = signed_in(make_user(can=(Action.VIEW, Action.MANAGE), on=workflow))
    assert "Board of directors" not in manages.get(page_of(workflow)).content.decode()


def test_settings_are_saved_and_nothing_else(client: Client, workflow: Workflow) -> None:
    sent = {
        "name": "Leads of all kinds", "review_due_minutes": 5, "escalation_due_minutes": 5, "hold_seconds": 0,
        "version": make_version(workflow=workflow, number=2).pk,
    }  # fmt: skip
    refused = client.post(page_of(workflow), {**sent, "name": ""})
    assert refused.status_code == 422
    assert "The settings were not saved" in refused.content.decode()
    assert client.post(page_of(workflow), sent).status_code == 302
    workflow.refresh_from_db()
    assert (workflow.name, workflow.version.number, workflow.stage) == ("Leads of all kinds", 1, "live")


def test_a_destination_is_entered_without_json_and_told_what_is_wrong(
    client: Client, workflow: Workflow
) -> None:
    sent = {
        "workflow": workflow.pk, "kind": "webhook", "name": "CRM", "active": "on", "webhook-url": "https://crm.example/in",
        "webhook-secret_env": "whsec_abc", "webhook-timeout_seconds": "5",
    }  # fmt: skip
    answer = client.post("/admin/workflows/destination/add/", sent)
    assert answer.status_code == 422
    assert "his is the secret itself" in answer.content.decode()
    assert (
        client.post(
            "/admin/workflows/destination/add/", {**sent, "webhook-secret_env": "CRM_SECRET"}
        ).status_code
        == 302
    )
    made = workflow.destinations.get(name="CRM")
    assert made.config == {"url": "https://crm.example/in", "secret_env": "CRM_SECRET", "timeout_seconds": 5}
    address = f"/admin/workflows/destination/{made.pk}/change/"
    changed = {
        "name": "CRM",
        "webhook-url": "https://crm.example/other",
        "webhook-secret_env": "CRM_SECRET",
        "kind": "email",
    }
    assert client.post(address, changed).status_code == 302
    made.refresh_from_db()
    assert (made.kind, made.active, made.config["url"]) == ("webhook", False, "https://crm.example/other")


def test_a_test_is_really_sent_and_says_that_it_is_one(
    client: Client, workflow: Workflow, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    monkeypatch.setitem(os.environ, "TEST_WEBHOOK_SECRET", SECRET)
    with webhook_receiver(secret=SECRET) as receiver:
        config = {"url": receiver.url(), "secret_env": "TEST_WEBHOOK_SECRET"}
        crm = Destination.objects.create(workflow=workflow, kind="webhook", name="CRM", config=config)
        address = f"/admin/workflows/destination/{crm.pk}/test/"
        told = client.post(address, {"from_workflow": "1"}, follow=True).content.decode()
        assert "CRM: the test arrived." in told
        (received,) = receiver.deliveries
        assert received.valid
        assert (received.body["type"], received.body["test"]) == ("item.test", True)
        assert "tested a moment ago" in client.post(address, follow=True).content.decode()
        assert len(receiver.deliveries) == 1
        crm.refresh_from_db()
        assert crm.tested_at is not None
        assert crm.history.first().history_user.username == "admin"
        changed = {
            "name": "CRM",
            "active": "on",
            "webhook-url": receiver.url(),
            "webhook-secret_env": "OTHER_SECRET",
        }
        assert (
            client.post(
                f"/admin/workflows/destination/{crm.pk}/change/",
                {**changed, "webhook-secret_env": "TEST_WEBHOOK_SECRET"},
            ).status_code
            == 302
        )
        crm.refresh_from_db()
        assert crm.tested_at is not None, "the same settings are still tested"
        client.post(f"/admin/workflows/destination/{crm.pk}/change/", changed)
        crm.refresh_from_db()
        assert crm.tested_at is None
    down = Destination.objects.create(workflow=workflow, kind="webhook", name="Gone", config=config)
    told = client.post(f"/admin/workflows/destination/{down.pk}/test/", follow=True).content.decode()
    assert "Gone: the test did not arrive." in told
    down.refresh_from_db()
    assert down.tested_at is None
    assert "kept here" not in told
    register = workflow.destinations.get(kind="register")
    told = client.post(f"/admin/workflows/destination/{register.pk}/test/", follow=True).content.decode()
    assert "nothing was written" in told
    assert SECRET not in told


def test_the_pages_take_as_many_queries_for_many_rows_as_for_few(client: Client, workflow: Workflow) -> None:
    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as told:
            assert client.get(address).status_code == 200
        return len(told)

    def more(times: int, first: int) -> None:
        for number in range(first, first + times):
            group = Group.objects.create(name=f"Group {number}")
            _member(group)
            grant_all(to=group, on=workflow, actions=STAFF)
            make_user(can=STAFF, on=workflow)
            make_version(workflow=workflow, number=number + 2)
            Destination.objects.create(
                workflow=workflow, kind="email", name="Mail", config={"to": ["a@b.example"]}
            )

    more(2, 0)
    fields = [{"key": f"f{number}", "label": f"F{number}", "kind": "text"} for number in range(40)]
    rules = [{"operator": "always", "reason": f"r{number}"} for number in range(30)]
    small = make_version(workflow=workflow, number=50)
    few = queries(page_of(workflow)), queries(f"/admin/workflows/version/{small.pk}/change/")
    more(8, 10)
    large = make_version(workflow=workflow, number=51, fields=fields, rules=rules)
    many = queries(page_of(workflow)), queries(f"/admin/workflows/version/{large.pk}/change/")
    assert many == few
    assert max(many) <= 53  # many sections, each with rules of its own; none asks again for a row
