from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from reviews.notifying import tell_owners
from tests.factories import STAFF, grant_all, make_item, make_user, make_workflow

pytestmark = pytest.mark.django_db


def owned_item(name: str) -> Any:
    owner = make_user(name)
    workflow = make_workflow(owner=owner)
    grant_all(to=owner, on=workflow, actions=STAFF)
    return make_item(workflow=workflow)


def to_files(settings: Any, folder: Path) -> None:
    backend = "django.core.mail.backends.filebased.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"file_path": str(folder)}}}


def to_nowhere(settings: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    backend = "django.core.mail.backends.smtp.EmailBackend"
    options = {"host": "127.0.0.1", "port": port, "timeout": 2}
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}


def test_what_a_mail_server_that_was_down_did_not_take_is_told_when_it_is_back(
    settings: Any, tmp_path: Path
) -> None:
    owned_item("first")
    owned_item("second")
    to_nowhere(settings)
    assert tell_owners() == 0
    to_files(settings, tmp_path / "mail")
    assert tell_owners() == 2
    assert tell_owners() == 0


def test_a_second_mail_within_the_hour_is_not_sent_even_when_something_new_waits(
    settings: Any, tmp_path: Path
) -> None:
    to_files(settings, tmp_path / "mail")
    item = owned_item("first")
    assert tell_owners() == 1
    make_item(workflow=item.workflow)
    assert tell_owners() == 0
