"""The whole way over real HTTP: submitted by API, drafted, approved by the admin's action, delivered once."""

from __future__ import annotations

import os
import re
from typing import Any

import httpx
import pytest

from reviews.models import Review
from tests.factories import STAFF, make_user, make_workflow
from tests.webhook_receiver import webhook_receiver
from workflows.api_keys import create_api_key
from workflows.handoff import deliver_due
from workflows.models import Delivery, Item, RegisterEntry

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LETTER = "Name: Ines Okafor\nTotal: 12.50 EUR\nDue: 30 November 2026\nTopic: quote\n"


def test_an_item_submitted_over_the_api_and_approved_in_the_admin_is_delivered_once(
    live_server: Any, work: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    monkeypatch.setitem(os.environ, "TEST_WEBHOOK_SECRET", SECRET)
    with webhook_receiver(secret=SECRET) as receiver:
        config = {"url": receiver.url(), "secret_env": "TEST_WEBHOOK_SECRET"}
        workflow = make_workflow(
            "leads", destinations=[{"kind": "webhook", "name": "CRM", "config": config}], hold_seconds=0
        )
        staff = make_user("reviewer", can=STAFF, on=workflow)
        staff.set_password("correct horse battery")
        staff.save()
        _, key = create_api_key(workflow=workflow, user=staff)
        with httpx.Client(base_url=live_server.url, trust_env=False, follow_redirects=True) as client:
            call = {
                "url": "/api/v1/workflows/leads/items",
                "data": {"text": LETTER, "external_id": "order-17"},
                "headers": {"Authorization": f"Bearer {key}", "Idempotency-Key": "order-17"},
            }
            first, again = client.post(**call), client.post(**call)
            assert (first.status_code, again.status_code) == (202, 200)
            assert first.json()["id"] == again.json()["id"]
            work()
            told = client.get(
                f"/api/v1/items/{first.json()['id']}", headers={"Authorization": f"Bearer {key}"}
            ).json()
            assert told["state"] == "in_review"
            item = Item.objects.get(public_id=told["id"])

            page = client.get("/admin/login/")
            signed_in = client.post(
                "/admin/login/?next=/admin/workflows/item/",
                data={
                    "username": "reviewer",
                    "password": "correct horse battery",
                    "csrfmiddlewaretoken": _token(page),
                },
                headers={"Referer": f"{live_server.url}/admin/login/"},
            )
            assert signed_in.url.path == "/admin/workflows/item/"
            own = f"/admin/workflows/item/{item.pk}"
            answers = [
                client.post(
                    f"{own}/decide/",
                    data={
                        "verb": "approve",
                        "revision": item.revision,
                        "seen": item.route["to_check"],
                        "csrfmiddlewaretoken": _token(signed_in),
                    },
                    headers={"Referer": f"{live_server.url}{own}/change/"},
                )
                for _ in range(2)
            ]
            # A double click decides once. Then there is nothing else to review, so the list opens.
            assert (answers[0].url.path, answers[1].status_code) == ("/admin/reviews/review/", 409)
        assert deliver_due() == 2
        assert deliver_due() == 0
        item.refresh_from_db()
        assert item.state == "delivered"
        assert RegisterEntry.objects.get(item=item).values["name"] == "Ines Okafor"
        for model in (Item, Delivery, RegisterEntry, Review):
            for row in model.history.all():
                assert row.history_user is not None, (model, row.history_change_reason)
                assert row.history_change_reason, model
        [arrived] = receiver.deliveries
        assert arrived.valid
        assert arrived.body["data"]["values"]["total"] == {"amount": "12.50", "currency": "EUR"}


def _token(page: httpx.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found[1]
