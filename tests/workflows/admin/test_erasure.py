"""The screens of erasing: who may, what is shown first, what has to be typed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.factories import ADMIN, MANAGER, SENIOR, make_item, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in
from workflows.models import Erasure, Item, LegalHold

pytestmark = pytest.mark.django_db
PERSON = "/admin/workflows/erasure/person/"


def seal_of(page: Any) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]+)"', page.content.decode())
    assert found, page.content[-3000:]
    return found[1]


@pytest.fixture
def item() -> Item:
    return make_item(workflow=make_workflow(), title="Order of Ines")


@pytest.fixture
def client(item: Item) -> Client:
    return signed_in(make_user("keeper", can=ADMIN, on=item.workflow))


def test_an_item_is_erased_once_the_words_are_typed(client: Client, item: Item) -> None:
    place = f"/admin/workflows/item/{item.pk}/erase/"
    page = client.get(place).content.decode()
    assert "Pages of text: 1" in page
    assert "Backups made before now" in page
    assert place in client.get(f"/admin/workflows/item/{item.pk}/change/").content.decode()

    wrong = client.post(place, {"verb": "erase", "reason": "Request 5", "confirm": "erase 2"})
    assert (wrong.status_code, Erasure.objects.count()) == (422, 0)
    named = client.post(place, {"verb": "erase", "reason": "Order of Ines", "confirm": "erase 1"})
    assert (named.status_code, Erasure.objects.count()) == (422, 0)

    done = client.post(place, {"verb": "erase", "reason": "Request 5", "confirm": " Erase  1 "}, follow=True)
    said = done.content.decode()
    assert "Its content was erased" in said
    assert "by keeper: Request 5" in said
    assert "Order of Ines" not in said
    assert "What is left of it still counts" in said
    record = Erasure.objects.get()
    assert "Pages of text: 1" in client.get(f"/admin/workflows/erasure/{record.pk}/change/").content.decode()
    assert client.get(place).status_code == 200


def test_only_who_manages_the_workflow_may_erase_or_hold(item: Item) -> None:
    for can in (SENIOR, MANAGER):
        client = signed_in(make_user(can=can, on=item.workflow))
        for verb in ("erase", "hold", "release"):
            sent = {"verb": verb, "reason": "r", "confirm": "erase 1"}
            assert client.post(f"/admin/workflows/item/{item.pk}/erase/", sent).status_code == 403
            assert client.post(f"/admin/workflows/workflow/{item.workflow_id}/hold/", sent).status_code == 403
        assert client.get(f"/admin/workflows/item/{item.pk}/erase/").status_code == 403
        assert client.get(PERSON).status_code == 404
        assert client.get("/admin/workflows/erasure/").status_code == 404
        assert "erase or hold" not in client.get(f"/admin/workflows/item/{item.pk}/change/").content.decode()
    assert not Erasure.objects.exists()
    assert not LegalHold.objects.exists()


def test_a_hold_is_placed_shown_and_released(client: Client, item: Item) -> None:
    place = f"/admin/workflows/item/{item.pk}/erase/"
    client.post(place, {"verb": "hold", "reason": "Lawsuit 7"})
    page = client.get(place).content.decode()
    assert "Lawsuit 7" in page
    assert "Release the hold first" in page
    client.post(place, {"verb": "erase", "reason": "Request 5", "confirm": "erase 1"})
    assert not Erasure.objects.exists()
    client.post(place, {"verb": "release", "reason": "Settled"})
    assert LegalHold.objects.get().release_reason == "Settled"

    own = f"/admin/workflows/workflow/{item.workflow_id}/"
    assert client.post(f"{own}hold/", {"verb": "hold", "reason": ""}).status_code == 422
    assert client.get(f"{own}hold/").status_code == 405
    client.post(f"{own}hold/", {"verb": "hold", "reason": "Audit"})
    assert "by keeper: Audit" in client.get(f"{own}change/").content.decode()
    client.post(f"{own}hold/", {"verb": "release", "reason": "Over"})
    assert LegalHold.objects.filter(released_at=None).count() == 0


def test_a_persons_data_is_shown_then_erased_as_it_was_shown(client: Client, item: Item) -> None:
    hidden = make_item(workflow=make_workflow(), title="Ines elsewhere")
    other = make_item(workflow=item.workflow, title="Ines the other", text="A second letter")
    look = client.post(PERSON, {"verb": "look", "text": "Ines"})
    page = look.content.decode()
    assert "Order of Ines" in page
    assert "Ines the other" in page
    assert hidden.title not in page
    assert "erase 2" in page

    sent = {"verb": "erase", "text": "Ines", "reason": "Request 5", "confirm": "erase 2", "keep": [other.pk]}
    assert client.post(PERSON, {**sent, "seal": "0"}).status_code == 409
    assert client.post(PERSON, {**sent, "seal": seal_of(look), "confirm": "erase"}).status_code == 422
    late = make_item(workflow=item.workflow, title="Ines again", text="A third letter")
    assert client.post(PERSON, {**sent, "seal": seal_of(look)}).status_code == 409, "it is not what was shown"
    assert not Erasure.objects.exists()

    look = client.post(PERSON, {"verb": "look", "text": "Ines"})
    sent |= {"confirm": "erase 3", "seal": seal_of(look)}
    assert client.post(PERSON, {**sent, "reason": "Ines asked"}).status_code == 422, "the reason stays"
    done = client.post(PERSON, sent, follow=True)
    assert "2 items were erased" in done.content.decode()
    assert {one.pk for one in Item.objects.filter(erased_at=None)} == {hidden.pk, other.pk}
    assert late.pk in set(Item.objects.exclude(erased_at=None).values_list("pk", flat=True))


def test_nothing_found_is_told_and_too_little_refused(client: Client) -> None:
    assert (
        "Nothing of it is in the workflows"
        in client.post(PERSON, {"verb": "look", "text": "Nobody here"}).content.decode()
    )
    assert client.post(PERSON, {"verb": "look", "text": "a"}).status_code == 422
    assert client.post(PERSON, {"verb": "look", "text": "Ines", "workflow": "999999"}).status_code == 404


def test_the_workflow_says_how_long_it_keeps(client: Client, item: Item) -> None:
    place = f"/admin/workflows/workflow/{item.workflow_id}/change/"
    assert "Content is kept for ever" in client.get(place).content.decode()
    item.workflow.keep_days = 30
    item.workflow.save()
    assert "erased 30 days after" in client.get(place).content.decode()
