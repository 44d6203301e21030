"""From an approval to the register, a webhook and a mailbox, over real connections."""

from __future__ import annotations

import email
import email.policy
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.factories import STAFF, VALUES, make_item, make_user, make_workflow
from tests.webhook_receiver import Receiver, webhook_receiver
from workflows.decisions import approve
from workflows.errors import Conflict
from workflows.handoff import MAX_TRIES, deliver_due, mark_arrived, resend
from workflows.models import Delivery, RegisterEntry
from workflows.outbox import cancel_deliveries
from workflows.states import State

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def receiver(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    monkeypatch.setitem(os.environ, "TEST_WEBHOOK_SECRET", SECRET)
    with webhook_receiver(secret=SECRET) as one:
        yield one


def webhook(url: str) -> dict[str, Any]:
    return {
        "kind": "webhook",
        "name": "Task list",
        "config": {"url": url, "secret_env": "TEST_WEBHOOK_SECRET"},
    }


def approved(*destinations: dict[str, Any], hold_seconds: int = 0) -> Any:
    workflow = make_workflow(
        hold_seconds=hold_seconds, destinations=[{"kind": "register", "name": "Register"}, *destinations]
    )
    item = make_item(workflow=workflow)
    by = make_user(can=STAFF, on=workflow)
    approve(item=item, by=by)
    item.refresh_from_db()
    return item, by


def due_now(item: Any) -> None:
    item.deliveries.filter(state="waiting").update(due_at=timezone.now() - timedelta(seconds=1))


def test_an_approved_item_is_in_the_register_and_at_the_receiver_once_with_a_valid_signature(
    receiver: Receiver,
) -> None:
    item, by = approved(webhook(receiver.url()))
    assert item.state == State.APPROVED
    assert deliver_due() == 2
    assert deliver_due() == 0
    item.refresh_from_db()
    assert item.state == State.DELIVERED
    entry = RegisterEntry.objects.get(item=item)
    assert entry.values == VALUES
    [arrived] = receiver.deliveries
    assert arrived.valid
    assert arrived.id == str(item.deliveries.get(destination__kind="webhook").key)
    assert arrived.body["data"]["values"] == VALUES
    assert arrived.body["data"]["decided_by"] == by.get_username()
    assert item.history.first().history_user.username == "system"


def test_nothing_leaves_before_the_hold_ends_and_what_is_cancelled_never_does(receiver: Receiver) -> None:
    item, by = approved(webhook(receiver.url()), hold_seconds=600)
    assert deliver_due() == 0
    assert cancel_deliveries(item=item, by=by, why="Taken back")
    due_now(item)
    assert deliver_due() == 0
    assert not receiver.deliveries
    assert not RegisterEntry.objects.exists()


def test_a_receiver_that_fails_gets_the_same_key_again_with_back_off(receiver: Receiver) -> None:
    item, _ = approved(webhook(receiver.url("/500")))
    assert deliver_due() == 2
    delivery = item.deliveries.get(destination__kind="webhook")
    assert (delivery.state, delivery.tries) == ("waiting", 1)
    assert delivery.due_at > timezone.now()
    assert deliver_due() == 0
    due_now(item)
    assert deliver_due() == 1
    assert len({one.id for one in receiver.deliveries}) == 1
    assert len(receiver.deliveries) == 2
    assert [attempt.result for attempt in delivery.attempts.all()] == ["uncertain", "uncertain"]


def test_after_the_last_try_the_item_needs_attention_and_can_be_sent_again_under_a_new_key(
    receiver: Receiver,
) -> None:
    item, by = approved(webhook(receiver.url("/400")))
    deliver_due()
    item.refresh_from_db()
    dead = item.deliveries.get(destination__kind="webhook")
    assert dead.state == "dead"
    assert item.state == State.ATTENTION
    assert item.problem["kept"] == "The approval stands."
    assert "Task list" in item.problem["happened"]
    dead.destination.config["url"] = receiver.url("/ok")
    dead.destination.save()
    again = resend(delivery=dead, by=by)
    with pytest.raises(Conflict):
        resend(delivery=dead, by=by)
    deliver_due()
    item.refresh_from_db()
    assert item.state == State.DELIVERED
    assert again.resend_of_id == dead.pk
    assert [one.id for one in receiver.deliveries] == [str(dead.key), str(again.key)]


def test_a_sender_that_died_is_taken_over_with_the_same_key(receiver: Receiver) -> None:
    item, _ = approved(webhook(receiver.url()))
    delivery = item.deliveries.get(destination__kind="webhook")
    Delivery.objects.filter(pk=delivery.pk).update(
        state="sending", tries=1, lease_until=timezone.now() - timedelta(seconds=1)
    )
    delivery.attempts.create()
    deliver_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("delivered", 2)
    assert [attempt.result for attempt in delivery.attempts.all()] == ["uncertain", "sent"]


def test_a_mail_whose_sender_died_is_not_repeated_but_asked_about(settings: Any, tmp_path: Path) -> None:
    config = {"to": ["leads@office.example"], "subject": "New: $title"}
    item, by = approved({"kind": "email", "name": "Office", "config": config})
    delivery = item.deliveries.get(destination__kind="email")
    Delivery.objects.filter(pk=delivery.pk).update(
        state="sending", tries=1, lease_until=timezone.now() - timedelta(seconds=1)
    )
    delivery.attempts.create()
    deliver_due()
    delivery.refresh_from_db()
    item.refresh_from_db()
    assert delivery.state == "uncertain"
    assert item.state == State.ATTENTION
    assert "not known" in item.problem["happened"]
    mark_arrived(delivery=delivery, by=by, why="It is in the mailbox")
    item.refresh_from_db()
    assert item.state == State.DELIVERED


def test_a_mail_leaves_as_a_file_without_a_server(settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    backend = "django.core.mail.backends.filebased.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"file_path": str(folder)}}}
    item, _ = approved({"kind": "email", "name": "Office", "config": {"to": ["leads@office.example"]}})
    deliver_due()
    item.refresh_from_db()
    assert item.state == State.DELIVERED
    [path] = folder.iterdir()
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert mail["To"] == "leads@office.example"
    assert "Ines Okafor" in mail.get_content()


def test_on_trial_only_the_register_is_written(receiver: Receiver) -> None:
    workflow = make_workflow(
        stage="trial", destinations=[{"kind": "register", "name": "Register"}, webhook(receiver.url())]
    )
    item = make_item(workflow=workflow)
    approve(item=item, by=make_user(can=STAFF, on=workflow))
    deliver_due()
    assert not receiver.deliveries
    assert RegisterEntry.objects.filter(item=item).exists()


def test_of_a_chain_of_resends_the_last_stands_for_all_and_only_one_leaves(receiver: Receiver) -> None:
    item, by = approved(webhook(receiver.url("/400")))
    deliver_due()
    first = item.deliveries.get(destination__kind="webhook")
    second = resend(delivery=first, by=by)
    deliver_due()
    first.destination.config["url"] = receiver.url("/ok")
    first.destination.save()
    third = resend(delivery=second, by=by)
    with pytest.raises(Conflict):
        resend(delivery=first, by=by)  # the third is on its way: two keys would make two effects
    deliver_due()
    item.refresh_from_db()
    third.refresh_from_db()
    assert (third.state, item.state) == ("delivered", State.DELIVERED)
    with pytest.raises(Conflict):
        resend(delivery=first, by=by)
    assert third.history.last().history_user == by


def test_a_mail_that_left_is_not_sent_again_when_noting_it_failed(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mail"
    backend = "django.core.mail.backends.filebased.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"file_path": str(folder)}}}
    item, _ = approved({"kind": "email", "name": "Office", "config": {"to": ["leads@office.example"]}})
    delivery = item.deliveries.get(destination__kind="email")

    def locked(**_: Any) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr("workflows.handoff._delivered", locked)
        deliver_due()
    due_now(item)
    deliver_due()
    delivery.refresh_from_db()
    assert delivery.state == "uncertain"
    assert len(list(folder.iterdir())) == 1


def test_a_delivery_that_kills_its_sender_each_time_ends_with_a_person(receiver: Receiver) -> None:
    item, _ = approved(webhook(receiver.url()))
    delivery = item.deliveries.get(destination__kind="webhook")
    Delivery.objects.filter(pk=delivery.pk).update(
        state="sending", tries=MAX_TRIES, lease_until=timezone.now() - timedelta(seconds=1)
    )
    deliver_due()
    delivery.refresh_from_db()
    item.refresh_from_db()
    assert (delivery.state, item.state) == ("dead", State.ATTENTION)
    assert not receiver.deliveries


def test_registers_that_were_switched_off_hold_up_no_approval() -> None:
    workflow = make_workflow(
        destinations=[{"kind": "register", "name": name, "active": False} for name in ("One", "Two")]
    )
    item, by = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    approve(item=item, by=by)
    deliver_due()
    item.refresh_from_db()
    assert item.state == State.DELIVERED
