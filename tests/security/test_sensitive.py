"""What stands in a sensitive field, for people of the workflow who may not decide it: found behind no door."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_item, make_user, make_workflow
from tests.security.doors import doors
from tests.security.secret_workflow import Secret, make_secret
from tests.security.test_every_address import client_of
from tests.security.test_every_door import told
from workflows.access import Action, grant
from workflows.api_keys import create_api_key
from workflows.exporting import columns_of, read_rows
from workflows.masking import MASK, telling_hidden
from workflows.models import Field, RegisterEntry, Workflow

pytestmark = pytest.mark.django_db

# What stands in the sensitive field of every row, its drafts and the material.
VALUES = (b"CANARY value", b"CANARY raw", b"CANARY prompt", b"CANARY text")
ALL_BUT_SENSITIVE = tuple(action for action in Action if action is not Action.DECIDE_SENSITIVE)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def secret() -> Secret:
    found = make_secret()
    Field.objects.filter(version__workflow=found.workflow, key="name").update(sensitive=True)
    return found


def seen_in(client: Client, secret: Secret) -> dict[str, list[bytes]]:
    """Of every address that opens, which of the values it tells."""
    found = {}
    for door in doors(secret):
        if not door.is_admin or "password" in door.name or door.name == "logout":
            continue
        for query in ("", "?q=canary"):
            answer = client.get(door.address + query)
            assert answer.status_code < 500, door.address
            said = told(answer)
            found[door.address + query] = [value for value in VALUES if value in said]
    return found


def test_it_is_behind_no_door_for_those_who_may_not_decide_it(secret: Secret) -> None:
    person = make_user("all-but-sensitive", can=ALL_BUT_SENSITIVE, on=secret.workflow)
    leaks = {address: values for address, values in seen_in(client_of(person), secret).items() if values}
    assert leaks == {}


def test_it_is_where_it_belongs_for_those_who_may(secret: Secret) -> None:
    """The same doors, so that the test above can fail."""
    person = make_user("sensitive-too", can=tuple(Action), on=secret.workflow)
    shown = [address for address, values in seen_in(client_of(person), secret).items() if values]
    for part in ("/item/", "/registerentry/", "/delivery/", "/run/", "/sources/"):
        assert any(part in address for address in shown), f"{part} shows it to nobody"


def test_the_item_says_that_something_is_hidden(secret: Secret) -> None:
    person = make_user("viewer", can=(Action.VIEW, Action.REVIEW), on=secret.workflow)
    page = client_of(person).get(f"/admin/workflows/item/{secret.item.pk}/change/").content.decode()
    assert MASK in page
    assert "The source is hidden" in page


def test_a_search_of_the_register_confirms_nothing(secret: Secret) -> None:
    entry = RegisterEntry.objects.get()
    person = make_user("viewer", can=(Action.VIEW,), on=secret.workflow)
    client, address = client_of(person), "/admin/workflows/registerentry/"
    assert f"/{entry.pk}/change/" not in client.get(f"{address}?q=canary%20value").content.decode()
    assert f"/{entry.pk}/change/" in client.get(f"{address}?q=canary%20accepted").content.decode()
    grant(action=Action.DECIDE_SENSITIVE, workflow=secret.workflow, to=person)
    assert f"/{entry.pk}/change/" in client.get(f"{address}?q=canary%20value").content.decode()


@pytest.mark.parametrize("one_workflow", [True, False])
def test_an_export_hides_what_its_reader_may_not_see(secret: Secret, one_workflow: bool) -> None:
    workflow: Workflow | None = secret.workflow if one_workflow else None
    person = make_user("exporter", can=(Action.VIEW, Action.EXPORT), on=secret.workflow)

    def exported() -> str:
        entries = telling_hidden(RegisterEntry.objects.all(), user=person, path="workflow")
        return str(list(read_rows(entries=entries, columns=columns_of(workflow=workflow))))

    assert MASK in exported()
    assert "CANARY value" not in exported()
    # Rows of which nobody said who reads them are hidden.
    assert "CANARY value" not in str(
        list(read_rows(entries=RegisterEntry.objects.all(), columns=columns_of(workflow=workflow)))
    )
    grant(action=Action.DECIDE_SENSITIVE, workflow=secret.workflow, to=person)
    person.__dict__.pop("_workflow_ids", None)
    assert "CANARY value" in exported()


def test_the_api_names_what_it_hides(secret: Secret) -> None:
    def read(user: Any) -> dict[str, Any]:
        _, key = create_api_key(workflow=secret.workflow, user=user)
        answer = Client().get(
            f"/api/v1/items/{secret.item.public_id}", headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 200
        return answer.json()

    person = make_user("reader", can=(Action.VIEW,), on=secret.workflow)
    hidden = read(person)
    assert (hidden["values"], hidden["hidden"], hidden["draft"]["fields"]) == ({"name": None}, ["name"], {})
    assert "CANARY value" not in str(hidden)
    grant(action=Action.DECIDE_SENSITIVE, workflow=secret.workflow, to=person)
    shown = read(person)
    assert (shown["values"], shown["hidden"]) == ({"name": "CANARY value"}, [])
    assert shown["draft"]["fields"]["name"]["value"] == "CANARY value"


def test_an_item_in_which_the_sensitive_field_is_empty_hides_nothing(db: None) -> None:
    fields = (
        {"key": "name", "label": "Name", "kind": "text"},
        {"key": "iban", "label": "IBAN", "kind": "text", "sensitive": True},
    )
    workflow = make_workflow("hr", fields=fields)
    item = make_item(workflow=workflow, text="Ines Okafor", values={"name": "Ines Okafor", "iban": None})
    person = make_user("viewer", can=(Action.VIEW,), on=workflow)
    page = client_of(person).get(f"/admin/workflows/item/{item.pk}/change/").content.decode()
    assert "Ines Okafor" in page
    assert "The source is hidden" not in page
