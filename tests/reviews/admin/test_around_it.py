"""Health pages, the 404 page, and the screens of superusers."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories import make_user
from tests.reviews.admin.conftest import signed_in
from workflows import beats

pytestmark = pytest.mark.django_db


def test_ready_only_with_a_worker_that_showed_a_sign_of_life_and_storage(
    client: Client, settings: Any
) -> None:
    assert client.get("/healthz").content == b"ok\n"
    waiting = client.get("/readyz")
    assert (waiting.status_code, waiting.json()["workers"]) == (503, "no sign of life yet")
    beats.beat(name=beats.TICK)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"database": "ok", "workers": "ok", "storage": "ok"})
    settings.MEDIA_ROOT = "/proc/nothing"
    broken = client.get("/readyz")
    assert broken.status_code == 503
    assert broken.json()["storage"].startswith("failed: ")
    assert "/proc" not in broken.content.decode()


def test_the_page_of_what_is_not_there_says_whom_to_ask() -> None:
    answer = signed_in(make_user()).get("/admin/workflows/item/1/change/")
    assert answer.status_code == 404
    assert "ask the person who manages access" in answer.content.decode()


def test_superusers_have_the_screens_of_people_and_of_the_queue() -> None:
    root = make_user("root", superuser=True)
    client = signed_in(root)
    for address in ("/admin/", "/admin/auth/user/", f"/admin/auth/user/{root.pk}/change/", "/admin/auth/user/add/", "/admin/auth/group/",
                    "/admin/auth/group/add/", "/admin/django_q/success/", "/admin/django_q/failure/", f"/admin/auth/user/{root.pk}/password/",
                    "/admin/password_change/"):  # fmt: skip
        assert client.get(address).status_code == 200, address


def test_the_sidebar_and_index_lead_to_what_one_may_see(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert "/admin/workflows/item/" in page
    assert "/admin/reviews/review/" in page
    for closed in ("/admin/workflows/run/", "/admin/workflows/apikey/", "/admin/auth/user/"):
        assert closed not in page
