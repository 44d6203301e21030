"""What was said between us and a mail server: the difference between "it did not arrive" and "nobody knows".

smtplib raises the same exception for a connection that broke before the message was sent and for one that broke
after it, and Django drops the list of recipients that were refused while others were accepted. Both are seen from
the conversation itself.
"""

from __future__ import annotations

import smtplib
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Conversation:
    """`message_sent`: the DATA command has begun, so the message may be there. `refused`: recipient -> answer."""

    message_sent: bool = False
    accepted: list[str] = field(default_factory=list)
    refused: dict[str, tuple[int, bytes]] = field(default_factory=dict)


def listen(connection: Any) -> Conversation:
    """Follow an open Django mail connection; one that does not speak SMTP (a file, memory) tells nothing."""
    heard = Conversation()
    smtp = getattr(connection, "connection", None)
    if not isinstance(smtp, smtplib.SMTP):
        return heard
    say_recipient, say_message = smtp.rcpt, smtp.data

    def rcpt(recip: str, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        code, answer = say_recipient(recip, *args, **kwargs)
        if code in {250, 251}:
            heard.accepted.append(recip)
        else:
            heard.refused[recip] = (code, answer)
        return code, answer

    def data(msg: Any) -> tuple[int, bytes]:
        heard.message_sent = True
        return say_message(msg)

    # On this one connection object, which is closed after the message: nothing is patched for anybody else.
    setattr(smtp, "rcpt", rcpt)  # noqa: B010
    setattr(smtp, "data", data)  # noqa: B010
    return heard
