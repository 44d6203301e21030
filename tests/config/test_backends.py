"""The demo's well-known password opens nothing outside the demo."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from config.backends import DEMO_MAIL, DEMO_PASSWORD
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("demo", [True, False])
def test_the_password_and_the_sessions_of_the_demo_end_with_it(settings: Any, demo: bool) -> None:
    person = make_user("staff")
    person.email = f"staff{DEMO_MAIL}"
    person.set_password(DEMO_PASSWORD)
    person.save()
    settings.DEMO = True
    earlier = Client()
    assert earlier.login(username="staff", password=DEMO_PASSWORD)
    settings.DEMO = demo
    assert Client().login(username="staff", password=DEMO_PASSWORD) is demo
    assert (earlier.get("/admin/").status_code == 200) is demo


def test_a_person_who_chose_that_password_cannot_use_it_either(settings: Any) -> None:
    settings.DEMO = False
    person = make_user("alice")
    person.set_password(DEMO_PASSWORD)
    person.save()
    assert not Client().login(username="alice", password=DEMO_PASSWORD)
