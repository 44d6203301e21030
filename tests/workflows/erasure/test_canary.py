"""Erased is found nowhere: not in the bytes of the database, not in a stored file, not in a mail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tests.factories import make_user, make_workflow
from tests.flows.conftest import model, work
from tests.webhook_receiver import Receiver, webhook_receiver
from tests.workflows.erasure.canary import (
    CANARY,
    fresh,
    in_database,
    in_folders,
    in_mails,
    live,
    media,
)
from workflows.access import Action
from workflows.models import Erasure, Item, RegisterEntry

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["model", "work"]

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Receiver]:
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    monkeypatch.setitem(os.environ, "TEST_WEBHOOK_SECRET", SECRET)
    with webhook_receiver(secret=SECRET) as running:
        yield running


@pytest.fixture
def mails(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "mail"
    backend = "django.core.mail.backends.filebased.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"file_path": str(folder)}}}
    return folder


@pytest.fixture
def lived(work: Any, receiver: Receiver, mails: Path) -> list[Item]:
    """Items of one workflow, and another one that has nothing to do with them."""
    config = {"url": receiver.url(), "secret_env": "TEST_WEBHOOK_SECRET"}
    workflow = make_workflow(
        "orders", hold_seconds=0,
        destinations=[
            {"kind": "webhook", "name": "CRM", "config": config},
            {"kind": "email", "name": "Desk", "config": {"to": ["desk@firm.example"]}},
        ],
    )  # fmt: skip
    boss = make_user("boss", can=tuple(Action), on=workflow)
    return live(workflow=workflow, by=boss, work=work, receiver=receiver)


def test_a_person_erased_is_found_nowhere(lived: list[Item], mails: Path) -> None:
    assert in_database(), "the word is there before"
    assert in_mails(mails)
    assert in_folders(media())
    counts = (Item.objects.count(), [fresh(item).state for item in lived])

    said = StringIO()
    call_command("erase", person=CANARY, reason="Request of 12 March", vacuum=True, stdout=said)

    assert in_database() == []
    assert in_mails(mails) == []
    assert in_folders(media()) == [], "files and pictures"
    assert (Item.objects.count(), [fresh(item).state for item in lived]) == counts, "the husks still count"
    for item in lived:
        husk = fresh(item)
        assert husk.title == "Erased item"
        assert husk.erased_at is not None
        run = husk.runs.order_by("pk").last()
        assert run is None or (run.outcome, run.prompt_tokens) != ("", None), "what it cost stays"
    assert not RegisterEntry.objects.exists()
    record = Erasure.objects.get()
    assert (record.items, record.kind, record.by, record.files_left) == (3, "person", None, [])
    assert record.ended_at is not None
    told = " ".join(record.not_reached)
    for reached in (
        "“CRM” (webhook)",
        "“Desk” (email)",
        "The register was exported once",
        "scripted",
        "Backups",
    ):
        assert reached in told, told
    for name in ("pages of text", "sources", "runs", "decisions", "register entries", "deliveries", "cases of the same content",
                 "tries of versions", "searches noted with exports", "entries of the admin's log", "reports of failed tasks",
                 "messages in sessions", "idempotency keys", "labels of items", "reviews"):  # fmt: skip
        assert record.erased.get(name), (name, record.erased)
    assert CANARY not in said.getvalue()


def test_one_item_erased_leaves_the_others_whole(lived: list[Item], mails: Path) -> None:
    handed, turned_down, copy = lived
    call_command("erase", str(handed.pk), str(copy.public_id), reason="Sent by mistake", stdout=StringIO())

    kept = fresh(turned_down)
    assert kept.erased_at is None
    assert CANARY in kept.title
    assert kept.sources.count() == 3
    for source in kept.sources.all():
        with source.file.open("rb") as file:
            assert file.read(), "the file of what was not erased is there"
    assert {path.name for path in (media() / "sources").glob("*/*")} == {
        source.sha256 for source in kept.sources.all()
    }
    assert in_mails(mails) == [], "only what was accepted went out by mail"
    if connection.vendor == "sqlite":
        assert in_database(), "the other one is still there"
