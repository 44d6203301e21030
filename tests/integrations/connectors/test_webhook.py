from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from django.test import override_settings

from integrations.connectors.base import DeliveryFailed, connector, parse_config
from integrations.connectors.webhook.config import WebhookConfig
from integrations.connectors.webhook.send import send
from tests.integrations.connectors.conftest import SECRET
from tests.webhook_receiver import webhook_receiver


@pytest.fixture(scope="module")
def running():
    with webhook_receiver(secret=SECRET) as receiver:
        yield receiver


@pytest.fixture
def receiver(running):
    running.deliveries.clear()
    running.retry_after = "7"
    running.answer = b'{"id":"R-1"}'
    return running


def to(url, *, timeout=3.0):
    return WebhookConfig(url=url, secret_env="HOOK", timeout_seconds=timeout)


def hand_over(parcel, url, *, secret=SECRET, timeout=3.0, allowed=("127.0.0.1",)):
    return send(parcel=parcel, config=to(url, timeout=timeout), secret=secret, allowed_private_hosts=allowed)


def failing(parcel, url, **more):
    with pytest.raises(DeliveryFailed) as caught:
        hand_over(parcel, url, **more)
    failed = caught.value
    assert "kept" in failed.message, "a person is told that nothing is lost"
    assert "!" not in failed.message
    return failed


def test_a_result_arrives_signed_and_gets_the_receivers_name_for_it(parcel, receiver):
    receipt = hand_over(parcel, receiver.url())
    (received,) = receiver.deliveries
    assert received.valid
    assert received.id == parcel.key
    assert receipt.reference == "R-1"
    assert received.body == {
        "type": "item.approved",
        "timestamp": "2026-03-04T09:30:00Z",
        "data": {
            "item": parcel.item_id,
            "title": parcel.title,
            "workflow": "supplier-invoices",
            "workflow_name": "Supplier invoices",
            "url": parcel.url,
            "values": parcel.values,
            "decided_by": "senior",
        },
    }


def test_a_repeat_has_the_same_key_and_the_same_bytes(parcel, receiver):
    hand_over(parcel, receiver.url())
    hand_over(replace(parcel, try_number=2), receiver.url())
    first, second = receiver.deliveries
    assert first.raw == second.raw
    assert first.id == second.id
    assert (first.repeated, second.repeated) == (False, True)
    assert second.valid


def test_the_wrong_secret_is_not_valid_at_the_receiver(parcel, receiver):
    failed = failing(parcel, receiver.url(), secret="whsec_b3RoZXI=")
    assert not receiver.deliveries[0].valid
    assert (failed.certain, failed.retry) == (True, False)
    assert "401" in failed.message
    assert "Compare the secret" in failed.message
    assert "signature not valid" in failed.message, "what the other side said is quoted"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", "plain-password", "whsec_é"])
def test_without_a_proper_secret_nothing_is_sent(parcel, receiver, secret):
    failed = failing(parcel, receiver.url(), secret=secret)
    assert (failed.certain, failed.retry) == (True, False)
    assert "HOOK" in failed.message
    assert receiver.deliveries == []
    assert "plain-password" not in failed.message


@pytest.mark.parametrize(
    ("path", "certain", "retry", "wait"),
    [
        ("/429", True, True, 7.0),
        ("/503", False, True, 7.0),
        ("/500", False, True, None),
        ("/502", False, True, None),
        ("/408", False, True, None),
        ("/425", False, True, None),
        ("/400", True, False, None),
        ("/404", True, False, None),
        ("/410", True, False, None),
        ("/422", True, False, None),
        ("/redirect", True, False, None),
        ("/drop", False, True, None),
        ("/odd", False, True, None),
    ],
)
def test_each_answer_says_whether_it_arrived_and_whether_to_repeat(
    parcel, receiver, path, certain, retry, wait
):
    failed = failing(parcel, receiver.url(path))
    assert (failed.certain, failed.retry, failed.retry_after) == (certain, retry, wait)
    assert len(receiver.deliveries) == 1, "one try is one request"


def test_silence_after_sending_may_have_arrived(parcel, receiver):
    failed = failing(parcel, receiver.url("/silent"), timeout=1.0)
    assert (failed.certain, failed.retry) == (False, True)
    assert "may have arrived" in failed.message
    assert receiver.deliveries[0].valid, "and indeed it has"


def test_a_refused_connection_is_certain(parcel):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    failed = failing(parcel, f"http://127.0.0.1:{port}/")
    assert (failed.certain, failed.retry) == (True, True)
    assert "Nothing was sent" in failed.message


def test_a_gone_receiver_is_said_to_want_no_more(parcel, receiver):
    assert "no longer wants" in failing(parcel, receiver.url("/410")).message


def test_a_redirect_to_a_metadata_service_is_not_followed(parcel, receiver):
    began = time.monotonic()
    failed = failing(parcel, receiver.url("/redirect"))
    assert "redirects are not followed" in failed.message
    assert time.monotonic() - began < 1


def test_a_huge_answer_is_still_a_receipt(parcel, receiver):
    assert hand_over(parcel, receiver.url("/huge")).reference == ""


@pytest.mark.parametrize(
    "answer", [b"", b"thanks", b"[]", b'{"id":true}', b'{"id":{}}', b"[" * 30000, b"\xff\xfe"]
)
def test_an_answer_without_a_name_gives_a_receipt_without_one(parcel, receiver, answer):
    receiver.answer = answer
    assert hand_over(parcel, receiver.url()).reference == ""


def test_a_long_or_crooked_name_is_made_fit_for_one_line(parcel, receiver):
    receiver.answer = json.dumps({"id": "a\nb\u202e" + "c" * 500}).encode()
    reference = hand_over(parcel, receiver.url()).reference
    assert reference.startswith("a b c")
    assert len(reference) == 200


def test_a_private_address_is_refused_before_anything_is_sent(parcel, receiver):
    failed = failing(parcel, receiver.url().replace("http://", "https://"), allowed=())
    assert (failed.certain, failed.retry) == (True, False)
    assert "private or reserved" in failed.message
    assert receiver.deliveries == []


def test_an_unknown_name_is_tried_again(parcel):
    failed = failing(parcel, "https://nowhere.invalid/in")
    assert (failed.certain, failed.retry) == (True, True)


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 86400, 86400),
        ("9" * 400, 86400, 86400),
        ("-5", None, None),
        ("soon", None, None),
    ],
)
def test_retry_after_is_bounded(parcel, receiver, header, low, high):
    receiver.retry_after = header
    wait = failing(parcel, receiver.url("/429")).retry_after
    assert wait is None if low is None else low <= wait <= high


def test_the_connector_takes_its_secret_from_the_environment_and_its_hosts_from_the_settings(
    parcel, receiver, monkeypatch
):
    monkeypatch.setenv("EXAMPLE_HOOK_SECRET", SECRET)
    config = parse_config(kind="webhook", config={"url": receiver.url(), "secret_env": "EXAMPLE_HOOK_SECRET"})
    with override_settings(ALLOWED_PRIVATE_HOSTS=["127.0.0.1"]):
        connector("webhook").deliver(parcel=parcel, config=config)
    with override_settings(ALLOWED_PRIVATE_HOSTS=[]), pytest.raises(DeliveryFailed):
        connector("webhook").deliver(parcel=parcel, config=config)
    assert [each.valid for each in receiver.deliveries] == [True]


def test_the_receiver_serves_as_a_command_and_writes_one_line_per_delivery(parcel, tmp_path):
    log = tmp_path / "deliveries.jsonl"
    command = [
        sys.executable,
        "-m",
        "tests.webhook_receiver",
        "--port",
        "0",
        "--log",
        str(log),
        "--secret",
        SECRET,
    ]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().split()[-1]
            hand_over(parcel, url)
            hand_over(parcel, url)
            failing(parcel, url, secret="whsec_b3RoZXI=")
        finally:
            process.terminate()
            process.wait(timeout=5)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(each["id"], each["valid"], each["repeated"]) for each in lines] == [
        (parcel.key, True, False),
        (parcel.key, True, True),
        (parcel.key, False, True),
    ]
    assert lines[0]["body"]["data"]["item"] == parcel.item_id


@pytest.fixture
def independent():
    """A receiver that was written elsewhere and checks the signature with its own code."""
    folder, python = os.environ.get("COUNTERSIGN_COUNTERPARTS"), shutil.which("python3")
    script = Path(folder or "") / "start_webhook.py"
    if not folder or not script.is_file() or python is None:
        pytest.skip("COUNTERSIGN_COUNTERPARTS names no folder with a receiver")
    with subprocess.Popen([python, str(script), SECRET]) as process:
        try:
            base = "http://127.0.0.1:61080"
            for _ in range(50):
                try:
                    httpx.get(f"{base}/_log", timeout=1, trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield base
        finally:
            process.terminate()
            process.wait(timeout=5)


def test_an_independent_receiver_finds_the_signature_valid(parcel, independent):
    hand_over(parcel, f"{independent}/ok")
    hand_over(parcel, f"{independent}/ok")
    assert failing(parcel, f"{independent}/429").retry_after == 2.0
    assert failing(parcel, f"{independent}/redirect").retry is False
    assert failing(parcel, f"{independent}/500").certain is False
    assert failing(parcel, f"{independent}/slow", timeout=1.0).certain is False
    seen = httpx.get(f"{independent}/_log", timeout=2, trust_env=False).json()
    assert {each["id"] for each in seen} == {parcel.key}
    assert all(each["valid"] for each in seen)
    assert [each["dup"] for each in seen[:2]] == [False, True]
