"""A mail server on loopback that speaks SMTP, with the moods of real ones."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


@dataclass
class MailServer:
    """`recipients` and `message` say what is answered: an SMTP answer, "drop" or "silent"; None takes the mail.

    `mails` holds what was handed over in full, whatever the sender was told.
    """

    port: int = 0
    greeting: str | None = None
    recipients: dict[str, str] = field(default_factory=dict)  # address, or "*" for all
    message: str | None = None
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.greeting is not None:
            return self.greeting
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        mood = self.recipients.get(address) or self.recipients.get("*")
        if mood is not None:
            return await self._say(server=server, mood=mood)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((list(envelope.rcpt_tos), mail))
        return "250 taken" if self.message is None else await self._say(server=server, mood=self.message)

    async def _say(self, *, server: Any, mood: str) -> str:
        if mood == "silent":
            await asyncio.sleep(5)
        if mood in {"drop", "silent"}:
            server.transport.abort()
            return "421 gone"
        return mood


class _Server(SMTP):
    def connection_lost(self, error: Exception | None) -> None:
        with contextlib.suppress(Exception):  # it complains about connections that it was told to drop
            super().connection_lost(error)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)


@contextlib.contextmanager
def mail_server() -> Iterator[MailServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = MailServer(port=port)
    controller = _Controller(running, hostname="127.0.0.1", port=port, ready_timeout=5, ident="mail")
    controller.start()
    try:
        yield running
    finally:
        controller.stop()
