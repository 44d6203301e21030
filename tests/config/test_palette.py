"""The command palette finds screens and rows that one may see at this moment, and nothing else."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from guardian.models import UserObjectPermission

from tests.factories import STAFF, make_item, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in

pytestmark = pytest.mark.django_db


def found(client: Client, term: str) -> str:
    answer = client.get("/admin/search/", {"s": term})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return answer.content.decode()


def test_it_finds_items_by_title_and_ids_and_workflows_and_screens_by_name() -> None:
    workflow = make_workflow("leads", name="Leads of spring")
    item = make_item(workflow=workflow, title="Gearbox offer", external_id="order-17")
    client = signed_in(make_user(can=STAFF, on=workflow))
    address = f"/admin/workflows/item/{item.pk}/change/"
    for term in ("gearBOX", "order-17", str(item.public_id)):
        assert address in found(client, term), term
    assert f"/admin/workflows/workflow/{workflow.pk}/change/" in found(client, "of spring")
    assert "/admin/workflows/registerentry/" in found(client, "regis")
    assert "/admin/help/reviewers/" in found(client, "reviewing")


def test_someone_without_a_grant_finds_nothing() -> None:
    workflow = make_workflow("leads", name="Leads of spring")
    item = make_item(workflow=workflow, title="Gearbox offer", external_id="order-17")
    outsider = signed_in(make_user(can=STAFF, on=make_workflow("other")))
    nobody = signed_in(make_user())
    for client in (outsider, nobody):
        for term in ("gearbox", "order-17", str(item.public_id), "of spring", "leads", str(item.pk).zfill(2)):
            shown = found(client, term)
            assert "Nothing that you may see matches" in shown, term
            assert "Gearbox" not in shown
    for screen in ("register", "runs", "users", "workflows"):
        assert "/admin/workflows/" not in found(nobody, screen), screen
        assert "/admin/auth/" not in found(nobody, screen), screen


def test_a_grant_that_is_taken_away_closes_at_once() -> None:
    workflow = make_workflow("leads")
    make_item(workflow=workflow, title="Gearbox offer")
    person = make_user(can=STAFF, on=workflow)
    client = signed_in(person)
    assert "Gearbox offer" in found(client, "gearbox")
    UserObjectPermission.objects.filter(user=person).delete()
    assert "Gearbox offer" not in found(client, "gearbox")


def test_what_is_typed_is_shown_escaped_and_odd_things_are_no_error() -> None:
    client = signed_in(make_user(can=STAFF, on=make_workflow()))
    assert "<script>" not in found(client, "<script>alert(1)</script>")
    for odd in ("", "x", "\x00\x00", "9" * 40, "%", "_", "é" * 300):
        assert client.get("/admin/search/", {"s": odd}).status_code == 200, odd
    assert Client().get("/admin/search/", {"s": "gearbox"}).status_code == 302


def test_a_few_of_each_kind_are_found_in_a_constant_number_of_queries() -> None:
    workflow = make_workflow("leads")
    client = signed_in(make_user(can=STAFF, on=workflow))

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            found(client, "offer")
        return len(queries)

    make_item(workflow=workflow, title="Offer")
    asked()
    few = asked()
    for number in range(11):
        make_item(workflow=workflow, title=f"Offer {number}")
    assert asked() == few
    assert found(client, "offer").count("data-title") == 8
