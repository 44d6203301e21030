"""Who reads the audit log: each sees the events of the workflows whose access they manage, and nothing of others."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories import (
    ADMIN,
    FIELDS,
    MANAGER,
    SENIOR,
    VALUES,
    make_item,
    make_user,
    make_workflow,
    write_events,
)
from tests.workflows.admin.conftest import signed_in
from workflows import audit
from workflows.access import Action
from workflows.decisions import approve
from workflows.models import AuditContent, AuditEvent, Workflow

LIST = "/admin/workflows/auditevent/"


@pytest.fixture
def decided(workflow: Workflow) -> AuditEvent:
    return decide(workflow)


def decide(workflow: Workflow) -> AuditEvent:
    item = make_item(workflow=workflow, title=f"Item of {workflow.slug}")
    senior = make_user(f"senior-of-{workflow.slug}", can=SENIOR, on=workflow)
    approve(item=item, by=senior, values={"name": "Typed Name"}, reason="Read twice")
    write_events()
    return AuditEvent.objects.get(item=item.public_id, kind=audit.Kind.ITEM_DECIDED)


def reader(*workflows: Workflow, can: tuple[Action, ...] = ADMIN) -> Client:
    user = make_user()
    from tests.factories import grant_all

    for workflow in workflows:
        grant_all(to=user, on=workflow, actions=can)
    return signed_in(user)


def page(client: Client, address: str) -> Any:
    answer = client.get(address)
    return answer.status_code, answer.content.decode()


def test_events_of_other_workflows_are_neither_listed_nor_counted_nor_offered(
    workflow: Workflow, decided: AuditEvent
) -> None:
    other = make_workflow("payroll", name="Payroll")
    hidden = decide(other)
    audit.record(kind=audit.Kind.SIGNED_IN, by=make_user("somebody-else"))
    write_events()
    client = reader(workflow)
    code, text = page(client, LIST)
    assert code == 200
    assert "senior-of-leads" in text
    seen = AuditEvent.objects.filter(workflow_id=workflow.pk).count()
    assert client.get(LIST).context["cl"].result_count == seen
    for secret in ("payroll", "Payroll", "somebody-else"):
        assert secret not in text, secret
    assert page(client, f"{LIST}{hidden.pk}/change/")[0] == 404
    for query in (f"q={hidden.item}", f"person={hidden.actor_id}", f"workflow={other.pk}"):
        assert client.get(f"{LIST}?{query}").context["cl"].result_count == 0, query
    assert "senior-of-payroll" not in page(client, f"{LIST}?person={hidden.actor_id}")[1]


def test_superusers_see_all_of_it_and_how_it_stands(workflow: Workflow, decided: AuditEvent) -> None:
    audit.record(kind=audit.Kind.SIGNED_IN, by=make_user("somebody-else"))
    write_events()
    audit_checked()
    code, text = page(signed_in(make_user(superuser=True)), LIST)
    assert code == 200
    assert "somebody-else" in text
    assert "All of it," in text
    mine = page(reader(workflow), LIST)[1]
    assert "Every event was verified" in mine
    assert "All of it," not in mine, "a figure of everybody's work"


def audit_checked() -> None:
    from workflows.audit.scheduled import check_whole

    assert check_whole().whole


@pytest.mark.parametrize("can", [MANAGER, SENIOR, (Action.VIEW, Action.MANAGE)])
def test_nobody_else_reads_it(workflow: Workflow, decided: AuditEvent, can: tuple[Action, ...]) -> None:
    client = reader(workflow, can=can)
    assert page(client, LIST)[0] == 404
    assert page(client, f"{LIST}{decided.pk}/change/")[0] == 404
    assert "Audit log" not in page(client, "/admin/")[1]


def test_filters_find_what_they_name(workflow: Workflow, decided: AuditEvent) -> None:
    client = reader(workflow)

    def found(query: str) -> int:
        return int(client.get(f"{LIST}?{query}").context["cl"].result_count)

    assert found(f"kind={audit.Kind.ITEM_DECIDED}") == 1
    assert found(f"q={decided.item}") == AuditEvent.objects.filter(item=decided.item).count()
    assert found("q=not-an-id") == 0
    assert (
        found(f"person={decided.actor_id}")
        == AuditEvent.objects.filter(actor_id=decided.actor_id, workflow_id=workflow.pk).count()
    )
    assert found(f"workflow={workflow.pk}") == AuditEvent.objects.filter(workflow_id=workflow.pk).count()
    assert found("at_from=2001-01-01&at_to=2001-12-31") == 0
    assert found("at_from=2001-01-01") == AuditEvent.objects.filter(workflow_id=workflow.pk).count()


def test_an_event_is_read_with_its_content_until_that_is_erased(
    workflow: Workflow, decided: AuditEvent
) -> None:
    client = reader(workflow)
    text = page(client, f"{LIST}{decided.pk}/change/")[1]
    assert "Typed Name" in text
    assert "Read twice" in text
    AuditContent.objects.filter(pk=decided.pk).delete()
    text = page(client, f"{LIST}{decided.pk}/change/")[1]
    assert "Typed Name" not in text
    assert "Erased" in text


def test_values_of_sensitive_fields_are_for_those_who_decide_such_items(db: None) -> None:
    fields = [{**field, "sensitive": field["key"] == "name"} for field in FIELDS]
    workflow = make_workflow("leads", fields=fields)
    event = decide(workflow)
    place = f"{LIST}{event.pk}/change/"
    plain = page(reader(workflow), place)[1]
    assert "Typed Name" not in plain
    assert str(VALUES["name"]) not in plain
    assert "Read twice" in plain
    assert "Typed Name" in page(reader(workflow, can=(*ADMIN, Action.DECIDE_SENSITIVE)), place)[1]


def test_nothing_is_added_changed_or_deleted(workflow: Workflow, decided: AuditEvent) -> None:
    for client in (reader(workflow), signed_in(make_user(superuser=True))):
        for place in ("add/", f"{decided.pk}/delete/"):
            assert client.get(f"{LIST}{place}").status_code in (403, 404)
            assert client.post(f"{LIST}{place}", {"post": "yes"}).status_code in (403, 404)
        client.post(f"{LIST}{decided.pk}/change/", {"actor": "mallory"})
        client.post(LIST, {"action": "delete_selected", "_selected_action": [decided.pk], "post": "yes"})
    decided.refresh_from_db()
    assert decided.actor == "senior-of-leads"


def test_an_items_page_leads_to_its_events_for_whoever_may_read_them(
    workflow: Workflow, decided: AuditEvent
) -> None:
    from workflows.models import Item

    item = Item.objects.get(public_id=decided.item)
    place = f"/admin/workflows/item/{item.pk}/change/"
    link = f"/admin/workflows/auditevent/?q={item.public_id}"
    assert link in page(reader(workflow), place)[1]
    assert link not in page(reader(workflow, can=MANAGER), place)[1]
