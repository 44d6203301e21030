"""What leaves an event: every act that the log promises, done as people do it, in one life of a workflow and an item."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests.factories import (
    ADMIN,
    FIELDS,
    MANAGER,
    SENIOR,
    STAFF,
    VALUES,
    make_item,
    make_ready,
    make_user,
    make_workflow,
    write_events,
)
from workflows.access import Action, grant, revoke
from workflows.api_keys import create_api_key, find_api_key, revoke_api_keys
from workflows.audit import Kind
from workflows.audit.verifying import verify_log
from workflows.budgets import LIMITS, set_budget
from workflows.decisions import approve, reject, send_back
from workflows.errors import NotPermitted
from workflows.handoff import deliver_due, resend
from workflows.intake import submit
from workflows.models import ApiKey, AuditContent, AuditEvent, Delivery, Stage
from workflows.stages import set_stage
from workflows.version_rows import activate_version, copy_version

pytestmark = pytest.mark.django_db

CANARY = "CANARY"


def told(kind: str) -> list[AuditEvent]:
    write_events()
    return list(AuditEvent.objects.filter(kind=kind).order_by("sequence"))


def content(event: AuditEvent) -> Any:
    return AuditContent.objects.get(pk=event.pk).body


def test_the_life_of_an_item_stands_in_the_log_without_anything_that_it_says() -> None:
    workflow = make_workflow()
    staff = make_user("staff", can=STAFF, on=workflow)
    submit(workflow=workflow, by=staff, channel="api", text=f"{CANARY} text", title=f"{CANARY} title")
    item = make_item(
        workflow=workflow, title=f"{CANARY} item", values={**VALUES, "name": f"{CANARY} drafted"}
    )
    approve(item=item, by=staff, values={"name": f"{CANARY} typed"}, reason=f"{CANARY} reason")
    deliver_due()
    (received,) = told(Kind.ITEM_RECEIVED)
    assert (received.actor, received.facts["channel"], content(received)["title"]) == (
        "staff",
        "api",
        f"{CANARY} title",
    )
    (decided,) = told(Kind.ITEM_DECIDED)
    assert (decided.item, decided.facts["kind"], decided.facts["changed"]) == (
        item.public_id,
        "edit",
        ["name"],
    )
    assert content(decided) == {
        "reason": f"{CANARY} reason", "before": {"name": f"{CANARY} drafted"}, "after": {"name": f"{CANARY} typed"},
    }  # fmt: skip
    (routed,) = told(Kind.ITEM_ROUTED)
    assert (routed.facts["from"], routed.facts["to"], routed.facts["signal"]) == (
        "working",
        "in_review",
        "0.5",
    )
    (ended,) = told(Kind.DELIVERY_ENDED)
    assert (ended.facts["state"], ended.facts["to"], ended.actor) == ("delivered", "register", "system")
    moves = [event.facts["to"] for event in told(Kind.ITEM_MOVED) if event.item == item.public_id]
    assert moves == ["working", "approved", "delivered"]
    events = [
        {name: str(value) for name, value in event.__dict__.items()} for event in AuditEvent.objects.all()
    ]
    assert CANARY not in json.dumps(events)
    AuditContent.objects.filter(item_id=item.pk).delete()
    assert verify_log().whole


def test_what_was_refused_leaves_no_event() -> None:
    item = make_item(workflow=make_workflow())
    with pytest.raises(NotPermitted):
        reject(item=item, by=make_user(), reason="No")
    assert told(Kind.ITEM_DECIDED) == []


def test_decisions_that_send_back_and_deliveries_that_are_sent_again_are_told() -> None:
    workflow = make_workflow()
    senior = make_user(can=SENIOR, on=workflow)
    send_back(item=make_item(workflow=workflow), by=senior, note=f"{CANARY} note")
    (back,) = told(Kind.ITEM_DECIDED)
    assert (back.facts["kind"], content(back)["reason"]) == ("back", f"{CANARY} note")
    item = make_item(workflow=workflow)
    approve(item=item, by=senior)
    delivery = item.deliveries.get()
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.DEAD)
    again = resend(delivery=delivery, by=senior)
    (sent,) = told(Kind.DELIVERY_RESENT)
    assert sent.facts == {
        "delivery": again.pk,
        "resend_of": delivery.pk,
        "destination": delivery.destination_id,
    }


def test_permissions_groups_and_accounts_are_told() -> None:
    workflow = make_workflow()
    boss, person = make_user("boss", can=ADMIN, on=workflow), make_user("person")
    group = Group.objects.create(name="Reviewers of invoices")
    write_events()
    AuditContent.objects.all().delete()
    grant(action=Action.REVIEW, workflow=workflow, to=person, by=boss)
    grant(action=Action.REVIEW, workflow=workflow, to=person, by=boss)  # held already
    revoke(action=Action.REVIEW, workflow=workflow, of=person, by=boss)
    *_, given = told(Kind.ACCESS_GIVEN)
    (taken,) = told(Kind.ACCESS_TAKEN)
    assert given.facts == taken.facts == {"permission": "review_item", "group": None, "person": person.pk}
    assert (given.actor, content(given)) == ("boss", {"name": "person"})
    assert AuditContent.objects.get(pk=given.pk).person_id == person.pk
    person.groups.add(group)
    group.user_set.remove(person)
    person.groups.add(group)
    person.groups.clear()
    assert len(told(Kind.GROUP_JOINED)) == 2
    assert [event.facts for event in told(Kind.GROUP_LEFT)] == [{"group": group.pk, "person": person.pk}] * 2
    person.is_superuser = True
    person.set_password("a new one")
    person.save()
    person.save()  # nothing changed
    changes = [event for event in told(Kind.USER_CHANGED) if not event.facts["made"]]
    assert [event.facts["changed"] for event in changes] == [["is_superuser", "password"]]
    assert "a new one" not in json.dumps(content(changes[0]))
    assert "pbkdf2" not in json.dumps(content(changes[0]))


def test_what_is_set_up_is_told() -> None:
    workflow = make_workflow(stage=Stage.TRIAL)
    owner = make_ready(workflow)
    grant(action=Action.MANAGE, workflow=workflow, to=owner)
    set_stage(workflow=workflow, stage=Stage.LIVE, by=owner, way="admin", reason="It is time")
    (launched,) = told(Kind.LAUNCHED)
    assert launched.facts["checks"] >= 1
    (changed,) = told(Kind.STAGE_CHANGED)
    assert (changed.facts, content(changed)) == (
        {"from": "trial", "to": "live", "way": "admin"},
        {"reason": "It is time"},
    )
    version = copy_version(version=workflow.version, by=owner)
    activate_version(version=version, by=owner, reason="Nobody else is here")
    (activated,) = told(Kind.VERSION_ACTIVATED)
    assert activated.facts == {
        "version": version.pk, "number": version.number, "before": workflow.version_id, "stage": "live", "glass_broken": True,
    }  # fmt: skip
    set_budget(
        workflow=workflow,
        by=owner,
        limits={**dict.fromkeys(LIMITS), "per_day": Decimal("2.50")},
        alert_percent=70,
    )
    (budget,) = told(Kind.BUDGET_CHANGED)
    assert Decimal(budget.facts["before"]["per_month"]) == 50
    assert budget.facts["after"] == {"per_item": None, "per_day": "2.50", "per_month": None}
    row, key = create_api_key(workflow=workflow, user=owner, name="crm")
    keys = ApiKey.objects.filter(pk=row.pk)
    assert revoke_api_keys(keys=keys, by=owner) == 1
    assert revoke_api_keys(keys=keys, by=owner) == 0
    assert find_api_key(key=key) is None
    (made,) = told(Kind.KEY_MADE)
    (revoked,) = told(Kind.KEY_REVOKED)
    assert (made.facts["key"], revoked.facts["key"], revoked.actor) == (row.pk, row.pk, owner.username)
    assert key not in json.dumps([made.facts, content(made)])


def test_who_signs_in_fails_to_and_signs_out_is_told() -> None:
    person = make_user("person")
    person.set_password("correct horse battery")
    person.save()
    client = Client()
    for password in ("wrong", "correct horse battery"):
        client.post("/admin/login/", {"username": "person", "password": password})
    client.post("/admin/login/", {"username": "hunter2 in the wrong box", "password": "x"})
    client.post("/admin/logout/")
    failed, unknown = told(Kind.SIGN_IN_FAILED)
    assert (failed.actor, failed.facts, content(failed)["typed"]) == ("", {"account": person.pk}, "person")
    assert (unknown.facts, content(unknown)["typed"]) == ({"account": None}, "hunter2 in the wrong box")
    assert content(failed)["address"] == "127.0.0.1"
    assert [event.actor for event in told(Kind.SIGNED_IN)] == ["person"]
    assert [event.actor for event in told(Kind.SIGNED_OUT)] == ["person"]
    text = json.dumps(
        [event.facts for event in AuditEvent.objects.all()]
        + list(AuditContent.objects.values_list("body", flat=True))
    )
    assert "correct horse" not in text


def test_who_opens_an_item_with_sensitive_values_is_told_once_a_day() -> None:
    fields = [{**field, "sensitive": field["key"] == "name"} for field in FIELDS]
    workflow = make_workflow(fields=fields)
    item, plain = make_item(workflow=workflow), make_item(workflow=workflow, values={"name": None})
    one, other = make_user("one", can=STAFF, on=workflow), make_user("other", can=MANAGER, on=workflow)
    _, key = create_api_key(workflow=workflow, user=other)
    for person in (one, one, other):
        client = Client()
        client.force_login(person, backend="config.backends.PasswordBackend")
        assert client.get(f"/admin/workflows/item/{item.pk}/change/").status_code == 200
        assert client.get(f"/admin/workflows/item/{plain.pk}/change/").status_code == 200
        write_events()
    third = make_user("third", can=STAFF, on=workflow)
    _, key = create_api_key(workflow=workflow, user=third)
    for _ in range(2):
        answer = Client().get(f"/api/v1/items/{item.public_id}", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200
    outsider = Client()
    outsider.force_login(make_user(), backend="config.backends.PasswordBackend")
    assert outsider.get(f"/admin/workflows/item/{item.pk}/change/").status_code == 404
    viewed = [(event.actor, event.item, event.facts["way"]) for event in told(Kind.ITEM_VIEWED)]
    assert viewed == [
        ("one", item.public_id, "admin"),
        ("other", item.public_id, "admin"),
        ("third", item.public_id, "api"),
    ]


def test_an_export_of_the_register_is_told() -> None:
    from tests.factories import make_entry

    workflow = make_workflow()
    make_entry(workflow=workflow)
    client = Client()
    client.force_login(
        make_user("manager", can=MANAGER, on=workflow), backend="config.backends.PasswordBackend"
    )
    b"".join(
        client.post("/admin/workflows/registerentry/export/?q=ines", {"format": "csv"}).streaming_content
    )
    (event,) = told(Kind.EXPORTED)
    assert (event.workflow_id, event.actor, event.facts["rows"]) == (workflow.pk, "manager", 1)
    assert "ines" in content(event)["filters"]
    client.get("/admin/reports/export/?format=xlsx")
    assert [one.facts["format"] for one in told(Kind.REPORT_EXPORTED)] == ["xlsx"]


def test_every_kind_is_told_in_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()
    missing = [kind for kind in Kind if f"| `{kind}` |" not in text]
    assert missing == []
