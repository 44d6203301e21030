from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest
from django.core.mail.backends.filebased import EmailBackend as FileBackend
from django.core.mail.backends.locmem import EmailBackend as MemoryBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.test import override_settings

from integrations.connectors.base import DeliveryFailed, connector, parse_config
from integrations.connectors.email.config import EmailConfig
from integrations.connectors.email.send import send, write
from integrations.connectors.email.text import body, subject
from tests.integrations.connectors.conftest import make_parcel
from tests.integrations.connectors.smtp_receiver import mail_server

OFFICE = EmailConfig(to=("books@office.example",))
SENDER = "countersign@office.example"


@pytest.fixture
def server():
    with mail_server() as running:
        yield running


def over(server, **options):
    return SmtpBackend(alias="default", host="127.0.0.1", port=server.port, timeout=1, **options)


def hand_over(parcel, server, *, config=OFFICE, **options):
    return send(parcel=parcel, config=config, connection=over(server, **options), sender=SENDER)


def failing(parcel, server, **more):
    with pytest.raises(DeliveryFailed) as caught:
        hand_over(parcel, server, **more)
    assert "The result is kept here." in caught.value.message
    return caught.value


def test_a_mail_arrives_with_labelled_values_and_a_link(parcel, server):
    receipt = hand_over(
        parcel, server, config=EmailConfig(to=("books@office.example",), cc=("boss@office.example",))
    )
    ((recipients, mail),) = server.mails
    assert recipients == ["books@office.example", "boss@office.example"]
    assert mail["To"] == "books@office.example"
    assert mail["Cc"] == "boss@office.example"
    assert mail["From"] == SENDER
    assert mail["Subject"] == "Supplier invoices: Invoice 2026-118 of Böhm & Söhne"
    assert mail["X-Countersign-Key"] == parcel.key
    assert mail["Message-ID"] == receipt.reference == f"<{parcel.key}@office.example>"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == (
        "Supplier invoices: Invoice 2026-118 of Böhm & Söhne\n"
        "\n"
        "Supplier: Böhm & Söhne\n"
        "Total: 12.50 EUR\n"
        "Paid: no\n"
        "Due: (not given)\n"
        "Lines:\n"
        "  1. Text: Paper; Net amount: 12.50 EUR\n"
        "\n"
        "Approved by senior on 2026-03-04 at 09:30 UTC.\n"
        "Open it: https://desk.example/items/0b6f7a9e\n"
        f"Reference: {parcel.key}\n"
    )


def test_every_try_carries_the_same_message_id(parcel, server):
    hand_over(parcel, server)
    hand_over(replace(parcel, try_number=2), server)
    assert len({mail["Message-ID"] for _, mail in server.mails}) == 1


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028"])
def test_a_value_cannot_begin_a_header(server, breaks):
    hostile = make_parcel(
        title=f"Invoice{breaks}Bcc: thief@elsewhere.example{breaks}{breaks}Pay at once",
        values={"supplier": f"A{breaks}X-Extra: 1"},
    )
    hand_over(
        hostile, server, config=EmailConfig(to=("books@office.example",), subject="$title from $supplier")
    )
    ((recipients, mail),) = server.mails
    assert recipients == ["books@office.example"]
    assert mail["Bcc"] is None
    assert mail["X-Extra"] is None
    assert mail["Subject"] == "Invoice Bcc: thief@elsewhere.example Pay at once from A X-Extra: 1"


def test_a_key_with_a_line_break_is_refused_before_anything_is_sent(server):
    failed = failing(make_parcel(key="a\nBcc: thief@elsewhere.example"), server)
    assert (failed.certain, failed.retry) == (True, False)
    assert "not allowed" in failed.message
    assert server.mails == []


def test_a_value_of_several_lines_cannot_pass_for_another_field():
    text = body(make_parcel(values={"note": "Thanks\nTotal: 99999 EUR\u202e", "total": "1"}, labels={}))
    assert "Note: Thanks\n    Total: 99999 EUR\nTotal: 1\n" in text


@pytest.mark.parametrize(
    ("template", "becomes"),
    [
        ("$workflow: $title", "Supplier invoices: T"),
        ("${supplier} owes $total", "Firm owes 12.50 EUR"),
        ("$$5 off, $unknown stays", "$5 off, $unknown stays"),
        ("{title} %(title)s {0.__class__}", "{title} %(title)s {0.__class__}"),
    ],
)
def test_a_subject_template_looks_names_up_and_does_nothing_else(template, becomes):
    parcel = make_parcel(
        title="T",
        values={"supplier": "Firm", "total": {"amount": "12.50", "currency": "EUR"}, "title": "other"},
    )
    assert subject(template=template, parcel=parcel) == becomes


def test_a_value_is_not_a_template_itself():
    assert subject(template="$title", parcel=make_parcel(title="$workflow $item")) == "$workflow $item"


def test_a_long_subject_is_cut():
    assert len(subject(template="$title", parcel=make_parcel(title="x" * 5000))) == 200


@pytest.mark.parametrize(
    ("answer", "retry"), [("550 no such user here", False), ("451 try later", True), ("421 closing", True)]
)
def test_a_refused_recipient_is_certain(parcel, server, answer, retry):
    server.recipients["*"] = answer
    failed = failing(parcel, server)
    assert (failed.certain, failed.retry) == (True, retry)
    assert answer[4:] in failed.message, "what the other side said is quoted"
    assert "books@office.example" in failed.message
    assert server.mails == []


def test_a_refused_sender_is_certain(parcel, server):
    server.greeting = "553 sender not allowed"
    failed = failing(parcel, server)
    assert (failed.certain, failed.retry) == (True, False)
    assert "sender not allowed" in failed.message


def test_a_recipient_refused_beside_one_taken_is_not_called_delivered(parcel, server):
    server.recipients["gone@office.example"] = "550 no such user"
    failed = failing(parcel, server, config=EmailConfig(to=("books@office.example", "gone@office.example")))
    assert (failed.certain, failed.retry) == (False, False)
    assert (
        "went to books@office.example, but the mail server refused gone@office.example (550" in failed.message
    )
    assert server.mails[0][0] == ["books@office.example"]


@pytest.mark.parametrize(("answer", "retry"), [("554 looks like spam", False), ("452 disk full", True)])
def test_a_message_refused_in_words_is_certain(parcel, server, answer, retry):
    server.message = answer
    failed = failing(parcel, server)
    assert (failed.certain, failed.retry) == (True, retry)
    assert answer in failed.message


@pytest.mark.parametrize("mood", ["drop", "silent"])
def test_a_connection_that_breaks_after_the_message_is_for_a_person(parcel, server, mood):
    server.message = mood
    began = time.monotonic()
    failed = failing(parcel, server)
    assert (failed.certain, failed.retry) == (False, False)
    assert "may have arrived" in failed.message
    assert len(server.mails) == 1, "and indeed it has"
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("mood", ["drop", "silent"])
def test_a_connection_that_breaks_before_the_message_is_certain(parcel, server, mood):
    server.recipients["*"] = mood
    failed = failing(parcel, server)
    assert (failed.certain, failed.retry) == (True, True)
    assert "before the mail was sent" in failed.message
    assert server.mails == []


def test_a_refused_connection_is_certain(parcel, server):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server.port = probe.getsockname()[1]
    failed = failing(parcel, server)
    assert (failed.certain, failed.retry) == (True, True)
    assert "refused the connection" in failed.message


def test_a_server_that_never_greets_is_certain(parcel, server):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        server.port = mute.getsockname()[1]
        failed = failing(parcel, server)
    assert (failed.certain, failed.retry) == (True, True)


def test_encryption_that_the_server_lacks_is_not_tried_again(parcel, server):
    failed = failing(parcel, server, use_tls=True)
    assert (failed.certain, failed.retry) == (True, False)
    assert "does not offer the encryption" in failed.message


def test_other_ways_out_than_smtp_work_too(parcel, tmp_path):
    send(
        parcel=parcel,
        config=OFFICE,
        connection=FileBackend(alias="default", file_path=tmp_path),
        sender=SENDER,
    )
    (written,) = tmp_path.iterdir()
    assert parcel.key.encode() in written.read_bytes()
    send(parcel=parcel, config=OFFICE, connection=MemoryBackend(alias="default"), sender=SENDER)


def test_a_sender_of_the_destination_goes_before_the_systems(parcel):
    mail = write(parcel=parcel, config=EmailConfig(to=OFFICE.to, sender="desk@firm.example"), sender=SENDER)
    assert mail.from_email == "desk@firm.example"
    assert mail.extra_headers["Message-ID"].endswith("@firm.example>")


def test_a_system_address_with_a_name_works(parcel, server):
    send(
        parcel=parcel,
        config=OFFICE,
        connection=over(server),
        sender="Countersign <countersign@office.example>",
    )
    assert server.mails[0][1]["Message-ID"] == f"<{parcel.key}@office.example>"


def test_the_connector_takes_its_mail_server_from_the_settings(parcel, server):
    mailers = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": server.port},
        }
    }
    config = parse_config(
        kind="email", config={"to": "books@office.example; boss@office.example", "subject": "$total"}
    )
    with override_settings(MAILERS=mailers, DEFAULT_FROM_EMAIL="system@office.example"):
        receipt = connector("email").deliver(parcel=parcel, config=config)
    ((recipients, mail),) = server.mails
    assert len(recipients) == 2
    assert (mail["From"], mail["Subject"]) == ("system@office.example", "12.50 EUR")
    assert "2 addresses" in receipt.detail
