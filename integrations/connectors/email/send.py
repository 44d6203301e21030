"""Write the mail, hand it to the mail server, and say what its answer means."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, mailers

from integrations.connectors.base import DeliveryFailed, Parcel, Receipt
from integrations.connectors.email.config import EmailConfig
from integrations.connectors.email.conversation import Conversation, listen
from integrations.connectors.email.text import body, subject
from integrations.connectors.words import one_line

KEPT = "The result is kept here."
AGAIN = "It will be tried again by itself."
SECONDS = 20.0  # for each answer of a mail server, where the settings say nothing


def deliver(*, parcel: Parcel, config: EmailConfig) -> Receipt:
    connection: Any = mailers.default
    if getattr(connection, "timeout", 0) is None:
        connection.timeout = SECONDS
    return send(parcel=parcel, config=config, connection=connection, sender=settings.DEFAULT_FROM_EMAIL)


def send(*, parcel: Parcel, config: EmailConfig, connection: Any, sender: str) -> Receipt:
    """`deliver` over a given Django mail connection, from `sender` unless the config names its own."""
    message = write(parcel=parcel, config=config, sender=sender)
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        # Before a message is named, nothing can have arrived.
        raise _not_reached(error) from error
    heard = listen(connection)
    try:
        connection.send_messages([message])
    except (OSError, smtplib.SMTPException) as error:
        raise _not_sent(error=error, heard=heard) from error
    except ValueError as error:  # an address that Django checks only when it speaks to the server
        raise _not_written() from error
    finally:
        # A mail server that stumbles over the farewell has taken the mail all the same.
        with contextlib.suppress(OSError, smtplib.SMTPException):
            connection.close()
    if heard.refused:
        raise _sent_in_part(heard)
    reached = len(config.to) + len(config.cc)
    return Receipt(
        reference=str(message.extra_headers["Message-ID"]),
        detail=f"The mail server took the mail for {reached} {'address' if reached == 1 else 'addresses'}",
    )


def write(*, parcel: Parcel, config: EmailConfig, sender: str) -> EmailMessage:
    """The mail; DeliveryFailed when a header would not hold one line."""
    from_ = config.sender or sender
    domain = from_.rpartition("@")[2].rstrip("> ") or "countersign.localhost"
    message = EmailMessage(
        subject=subject(template=config.subject, parcel=parcel),
        body=body(parcel),
        from_email=from_,
        to=list(config.to),
        cc=list(config.cc),
        # The same for every try: a mailbox that joins mails with one Message-ID shows one.
        headers={"Message-ID": f"<{parcel.key}@{domain}>", "X-Countersign-Key": parcel.key},
    )
    try:
        message.message()
    except ValueError as error:
        raise _not_written() from error
    return message


def _not_written() -> DeliveryFailed:
    return DeliveryFailed(
        f"The mail could not be written: a line of its head is not allowed. Nothing was sent. {KEPT} "
        "Have an administrator look at the destination's addresses and subject, then send again.",
        certain=True,
        retry=False,
    )


def _not_reached(error: Exception) -> DeliveryFailed:
    retry = True
    match error:
        case smtplib.SMTPAuthenticationError():
            what = f"The mail server did not accept our log-in ({_answer(error)})."
            retry = error.smtp_code < 500
        case smtplib.SMTPNotSupportedError():
            what, retry = (
                "The mail server does not offer the encryption or log-in that is set up here.",
                False,
            )
        case smtplib.SMTPResponseException():
            what, retry = f"The mail server turned us away ({_answer(error)}).", error.smtp_code < 500
        case ssl.SSLCertVerificationError():
            what = f"The certificate of the mail server could not be verified ({error.verify_message})."
            retry = False
        case ConnectionRefusedError():
            what = "The mail server refused the connection."
        case TimeoutError():
            what = "The mail server did not answer in time."
        case _:
            what = "The mail server could not be reached."
    step = AGAIN if retry else "Have an administrator look at the mail settings, then send again."
    return DeliveryFailed(f"{what} Nothing was sent. {KEPT} {step}", certain=True, retry=retry)


def _not_sent(*, error: Exception, heard: Conversation) -> DeliveryFailed:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        # One address that may work later is worth another try: none of them has got the mail.
        retry = any(code < 500 for code, _ in error.recipients.values())
        what = f"The mail server refused {_addresses(error.recipients)}."
        step = AGAIN if retry else "Correct the address, then send again."
    elif isinstance(error, smtplib.SMTPResponseException) and 400 <= error.smtp_code < 600:
        # An answer in plain words, even after the message: the server has not taken it.
        retry = error.smtp_code < 500
        what = f"The mail server did not take the mail ({_answer(error)})."
        step = AGAIN if retry else "Ask whoever runs the mail server, then send again."
    elif heard.message_sent:
        return DeliveryFailed(
            "The connection to the mail server broke after the mail was sent and before it was confirmed. It may have "
            f"arrived. {KEPT} Ask a recipient whether the mail is there, then send it again or mark it as delivered.",
            certain=False,
            retry=False,
        )
    else:
        retry, what, step = True, "The connection to the mail server broke before the mail was sent.", AGAIN
    return DeliveryFailed(f"{what} Nothing was sent. {KEPT} {step}", certain=True, retry=retry)


def _sent_in_part(heard: Conversation) -> DeliveryFailed:
    return DeliveryFailed(
        f"The mail went to {', '.join(heard.accepted)}, but the mail server refused {_addresses(heard.refused)}. {KEPT} "
        "Correct the address in the destination. Sending again would reach the first a second time, so forward the "
        "mail by hand or send again knowingly.",
        certain=False,
        retry=False,
    )


def _addresses(refused: dict[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{each} ({code} {_line(answer)})" for each, (code, answer) in refused.items())


def _answer(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_line(error.smtp_error)}".strip()


def _line(answer: bytes | str) -> str:
    text = answer.decode("utf-8", errors="replace") if isinstance(answer, bytes) else answer
    return one_line(text, at_most=200)
