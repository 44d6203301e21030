"""The register is searched, narrowed and read, each within what the person may see."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import FIELDS, MANAGER, SENIOR, VALUES, make_entry, make_user, make_workflow
from tests.workflows.admin.conftest import signed_in
from workflows.access import Action
from workflows.models import RegisterEntry, Workflow
from workflows.register import searchable

LIST = "/admin/workflows/registerentry/"


@pytest.fixture
def manager(workflow: Workflow) -> Client:
    return signed_in(make_user("manager", can=MANAGER, on=workflow))


def titles(client: Client, query: str = "") -> set[str]:
    answer = client.get(f"{LIST}{query}")
    assert answer.status_code == 200, answer.status_code
    return {entry.title for entry in answer.context["cl"].result_list}


def test_the_list_tells_the_main_values_who_accepted_and_where_it_went(
    workflow: Workflow, manager: Client
) -> None:
    olga = make_user("olga", can=SENIOR, on=workflow)
    entry = make_entry(workflow=workflow, title="A lead", by=olga)
    page = manager.get(LIST).content.decode()
    for told in (
        "Ines Okafor",
        "12.50 EUR",
        "2026-11-30",
        "Quote",
        "Approved by olga",
        "Register: delivered",
    ):
        assert told in page
    assert reverse("admin:workflows_item_change", args=[entry.item_id]) in page
    assert reverse("admin:workflows_delivery_change", args=[entry.delivery_id]) in page


@pytest.mark.django_db
def test_what_is_required_is_among_the_main_values_however_late_it_stands() -> None:
    fields = [
        {"key": f"note_{number}", "label": f"Note {number}", "kind": "text"} for number in range(1, 5)
    ] + [{"key": "total", "label": "Total", "kind": "money", "required": True}]
    workflow = make_workflow("bills", fields=fields)
    values = {f"note_{number}": f"Word {number}" for number in range(1, 5)}
    make_entry(workflow=workflow, values={**values, "total": {"amount": "4812.60", "currency": "EUR"}})
    page = signed_in(make_user("manager", can=MANAGER, on=workflow)).get(LIST).content.decode()
    assert "4812.60" in page.replace(",", "")
    assert "Word 3" in page
    assert "Word 4" not in page, "four values, no more"


@pytest.mark.parametrize(
    "said", ["Ines", "ines okafor", "MÜLLER", "quote", "12.50 eur", "4,812.60", "4812.60", "second straße"]
)
def test_it_is_searched_by_title_and_by_values_as_people_write_them(
    workflow: Workflow, manager: Client, said: str
) -> None:
    values = {**VALUES, "total": {"amount": "4812.60", "currency": "EUR"}}
    if said == "12.50 eur":
        values = VALUES
    make_entry(workflow=workflow, title="Second Straße, Müller", values=values)
    make_entry(workflow=workflow, title="Other", values={"name": "Nobody", "topic": "other"})
    assert titles(manager, f"?q={said}") == {"Second Straße, Müller"}


def test_keys_and_the_names_of_columns_are_not_searched() -> None:
    said = searchable(title="T", values=VALUES, specs=())
    assert "amount" not in said
    assert "currency" not in said


def test_it_is_narrowed_by_workflow_day_person_and_decision(workflow: Workflow) -> None:
    other = make_workflow("calls", name="Calls")
    person = make_user("both", can=MANAGER, on=workflow)
    client = signed_in(person)
    olga, piet = (make_user(name, can=SENIOR, on=workflow) for name in ("olga", "piet"))
    early = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    make_entry(workflow=workflow, title="early", by=olga, accepted_at=early)
    late = make_entry(workflow=workflow, title="late", by=piet, accepted_at=datetime(2026, 3, 2, tzinfo=UTC))
    late.delivery.decision.kind = "edit"
    late.delivery.decision.save()
    make_entry(workflow=other, title="hidden", by=make_user("hilde", can=SENIOR, on=other))

    assert titles(client) == {"early", "late"}
    assert titles(client, f"?workflow__id__exact={workflow.pk}") == {"early", "late"}
    assert titles(client, f"?workflow__id__exact={other.pk}") == set()
    assert titles(client, "?workflow__id__exact=") == {"early", "late"}
    assert titles(client, "?accepted_at_from=2026-03-02") == {"late"}
    assert titles(client, "?accepted_at_to=2026-03-01") == {"early"}
    assert titles(client, "?accepted_at_from=2026-03-01&accepted_at_to=2026-03-01") == {"early"}
    assert titles(client, f"?accepted_by={olga.pk}") == {"early"}
    assert titles(client, f"?accepted_by={make_user('stranger').pk}") == set()
    assert titles(client, "?decision=edit") == {"late"}
    for odd in (
        "?accepted_at_from=x",
        "?accepted_at_from=0001-01-01",
        "?accepted_at_to=9999-12-31",
        "?accepted_at_to=%00",
    ):
        assert titles(client, odd) == {"early", "late"}, odd


def test_the_filters_name_nobody_and_nothing_that_is_hidden(workflow: Workflow, manager: Client) -> None:
    hidden = make_workflow("secret", name="Secret thing")
    make_entry(workflow=hidden, by=make_user("hilde", can=SENIOR, on=hidden))
    make_entry(workflow=workflow, by=make_user("olga", can=SENIOR, on=workflow))
    page = manager.get(LIST).content.decode()
    assert "olga" in page
    assert "hilde" not in page
    assert "Secret thing" not in page


def test_an_entry_tells_every_value_what_was_changed_and_each_delivery(
    workflow: Workflow, manager: Client
) -> None:
    entry = make_entry(workflow=workflow)
    page = manager.get(f"{LIST}{entry.pk}/change/").content.decode()
    for told in (
        *(field["label"] for field in FIELDS),
        "Ines Okafor",
        "Register: delivered",
        "Nothing: as drafted",
    ):
        assert told in page
    decision = entry.delivery.decision
    decision.changed = ["total"]
    decision.save()
    assert re.search(
        r"changed by hand.*?Total", manager.get(f"{LIST}{entry.pk}/change/").content.decode(), re.S | re.I
    )


def test_the_number_of_queries_does_not_grow_with_the_rows(workflow: Workflow, manager: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert manager.get(LIST).status_code == 200
        return len(queries)

    for _ in range(3):
        make_entry(workflow=workflow)
    asked()
    few = asked()
    for _ in range(12):
        make_entry(workflow=workflow)
    assert asked() == few <= 17


def test_whoever_may_not_export_meets_no_button(workflow: Workflow) -> None:
    make_entry(workflow=workflow)
    page = signed_in(make_user(can=(Action.VIEW,), on=workflow)).get(LIST).content.decode()
    assert "Export CSV" not in page
    assert RegisterEntry.objects.count() == 1
