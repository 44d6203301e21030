from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.webhook_receiver import webhook_receiver
from tests.workflows.audit.chains import make_chain
from workflows.audit.scheduled import check_recent, check_whole
from workflows.models import AuditCheck, AuditEvent

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def lines(settings: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(settings.AUDIT_ANCHORS).read_text().splitlines()]


def test_each_verification_that_found_something_new_adds_one_line(settings: Any) -> None:
    make_chain(events=6)
    check_recent()
    check_recent()
    check_whole()
    make_chain(events=9)
    check_recent()
    told = lines(settings)
    assert [one["sequence"] for one in told] == [6, 9]
    assert told[-1]["hash"] == AuditEvent.objects.get(pk=9).hash
    assert check_whole().words.endswith("2 anchors agree.")


def test_two_at_once_do_not_break_the_lines(settings: Any) -> None:
    from django.db import connection

    def check() -> None:
        try:
            check_recent()
        finally:
            connection.close()

    for events in range(6, 15, 2):
        make_chain(events=events)
        both = [threading.Thread(target=check) for _ in range(4)]
        for one in both:
            one.start()
        for one in both:
            one.join()
    assert check_whole().whole, check_whole().words
    sequences = [one["sequence"] for one in lines(settings)]
    assert sequences == sorted(set(sequences))


def test_an_anchor_goes_to_a_second_place_signed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_ANCHOR_SECRET", SECRET)
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    make_chain(events=6)
    with webhook_receiver(secret=SECRET) as receiver:
        settings.AUDIT_ANCHOR_URL = receiver.url()
        check_recent()
        (came,) = receiver.deliveries
    assert came.valid
    assert came.body["type"] == "audit.anchor"
    assert came.body["data"] == lines(settings)[0]
    assert "sent to AUDIT_ANCHOR_URL" in AuditCheck.objects.get(name="anchor").words


def test_a_second_place_that_is_away_holds_nothing_up(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_ANCHOR_SECRET", SECRET)
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    settings.AUDIT_ANCHOR_URL = "http://127.0.0.1:9/nobody"
    make_chain(events=6)
    assert check_recent().whole
    assert "was not taken" in AuditCheck.objects.get(name="anchor").words
    assert check_whole().whole
