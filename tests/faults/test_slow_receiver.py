"""The other side of short leases: a sender that lives keeps what it sends, however long the receiver takes."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories import STAFF, make_item, make_user, make_workflow
from tests.faults.held import open_attempts
from tests.faults.servers import Server
from tests.faults.waiting import wait_until
from workflows import handoff, tasks
from workflows.decisions import approve
from workflows.models import Delivery
from workflows.states import State

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "whsec_" + base64.b64encode(b"known to both sides of this test").decode()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Server]:
    server = Server("tests.webhook_receiver", "--secret", SECRET, log=tmp_path / "receiver.jsonl")
    yield server
    server.end()


def test_a_receiver_that_takes_longer_than_a_lease_is_sent_each_result_once(
    receiver: Server, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEASE_SECONDS = 1
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    monkeypatch.setenv("FAULTS_WEBHOOK_SECRET", SECRET)
    url = f"http://127.0.0.1:{receiver.port}/ok"
    webhook = {
        "kind": "webhook",
        "name": "Books",
        "config": {"url": url, "secret_env": "FAULTS_WEBHOOK_SECRET"},
    }
    workflow = make_workflow(destinations=({"kind": "register", "name": "Register"}, webhook))
    person = make_user(can=STAFF, on=workflow)
    for _ in range(handoff.AT_ONCE):
        approve(item=make_item(workflow=workflow, state=State.IN_REVIEW), by=person)
    receiver.hold_its_breath()
    sender = threading.Thread(target=tasks.deliver)
    sender.start()
    try:
        wait_until(
            lambda: open_attempts() == handoff.AT_ONCE, seconds=10, what="all senders wait for an answer"
        )
        time.sleep(2.5 * settings.LEASE_SECONDS)
        assert tasks.deliver() == 0, "the slot is held by the one that sends"
        sending = Delivery.objects.filter(state=Delivery.State.SENDING)
        leases = set(sending.values_list("lease", flat=True))
        assert handoff.deliver_due() == 0, "no lease has run out"
        assert leases == set(sending.values_list("lease", flat=True))
    finally:
        receiver.breathe()
        sender.join(20)
    assert not sender.is_alive()
    seen = [line["id"] for line in receiver.saw()]
    assert sorted(seen) == sorted(str(key) for key in webhook_keys())
    assert not Delivery.objects.exclude(state=Delivery.State.DELIVERED).exists()


def webhook_keys() -> list[Any]:
    return list(Delivery.objects.filter(destination__kind="webhook").values_list("key", flat=True))
