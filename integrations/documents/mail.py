"""An e-mail -> its visible headers and body as one page, and its attachments."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from email import policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime

from integrations.documents.budget import Budget, cut_to_length
from integrations.documents.html_text import decode_markup, html_to_text
from integrations.documents.pages import Attachment, Page, Reading, Reason, Unreadable
from integrations.documents.plain import clean_text, decode_text
from integrations.documents.quotes import find_older_mails, has_answers_between_quotes

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_MAX_PARTS = 300
_MAX_DEPTH = 20
_MAX_HEADER = 2_000
# Pictures shown inside the text that are smaller than this are logos and tracking dots, not documents.
_LOGO_BYTES = 20_000
_NO_PLAIN_BODY = re.compile(
    r"does not support html|html[- ]capable|view (?:this|it) (?:email|message) in", re.IGNORECASE
)


@dataclass(slots=True)
class _Found:
    limits_attachments: int
    limits_bytes: int
    attachments: list[Attachment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    parts: int = 0
    size: int = 0

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def attach(self, attachment: Attachment) -> None:
        self.size += len(attachment.content)
        if len(self.attachments) >= self.limits_attachments or self.size > self.limits_bytes:
            self.note(f"Not all attachments were kept: only the first {len(self.attachments)} were.")
        else:
            self.attachments.append(attachment)


def read_mail(*, content: bytes, budget: Budget) -> Reading:
    """A mail without a text is still a mail when something is attached to it, and its note says so."""
    message: Message = BytesParser(policy=policy.default).parsebytes(_without_envelope(content))
    found = _Found(budget.limits.max_attachments, budget.limits.max_bytes)
    body = clean_text(_body(message, found, depth=0)).strip()
    shown = [(name, _header(message, name)) for name in _SHOWN]
    head = "\n".join(f"{name}: {value}" for name, value in shown if value)
    if not body:
        if not found.attachments:
            raise Unreadable(
                Reason.EMPTY,
                "The mail has no text and nothing attached to it.",
                "Ask the sender what they meant to send, or close the item.",
            )
        found.note("The mail has no text of its own.")
    text = f"{head}\n\n{body}".strip("\n")
    start = len(text) - len(body)
    newest_end = find_older_mails(text, start=start) if body else None
    if newest_end is None and body and has_answers_between_quotes(text, start=start):
        found.note("The mail has answers below or between quoted lines, so all of it counts as new.")
    pages, cut = cut_to_length(pages=[Page(1, text)], limit=budget.limits.max_characters)
    if cut:
        found.note(cut)
    if newest_end is not None and newest_end > len(pages[0].text):
        newest_end = None
    return Reading(
        kind="email",
        media_type="message/rfc822",
        pages=pages,
        title=dict(shown)["Subject"],
        sent_at=_sent_at(_header(message, "Date")),
        attachments=tuple(found.attachments),
        newest_end=newest_end,
        notes=tuple(found.notes),
    )


def _without_envelope(content: bytes) -> bytes:
    """Without the byte-order mark, empty lines and mailbox line that exports put before the headers."""
    content = content.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if content.startswith((b"From ", b">From ")):
        content = content.partition(b"\n")[2]
    return content


def _body(part: Message, found: _Found, depth: int) -> str:
    found.parts += 1
    if found.parts > _MAX_PARTS or depth > _MAX_DEPTH:
        found.note("The mail has more parts than are allowed; the rest was left out.")
        return ""
    media_type = part.get_content_type()
    if media_type in {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}:
        signed_only = "signed" in str(part.get_param("smime-type", ""))
        found.note(
            "The mail is wrapped in a signature that cannot be opened here; ask the sender for a plain copy."
            if signed_only
            else "The mail is encrypted and its content could not be read; ask the sender for a plain copy."
        )
    if media_type == "multipart/signed":
        found.note("The mail carries a signature; it was not checked.")
    children = _children(part)
    if media_type == "message/rfc822" or (
        media_type.startswith("message/") and children and _has_headers(children[0])
    ):
        if media_type == "message/delivery-status":
            return "\n\n".join(_raw_headers(child) for child in children)
        for child in children:
            found.attach(_as_attachment(child))
        return ""
    if children:
        if media_type == "multipart/alternative":
            return _best(
                [_body(child, found, depth + 1) for child in children],
                [_is_html(child) for child in children],
            )
        texts = [_body(child, found, depth + 1) for child in children]
        return "\n\n".join(text.strip() for text in texts if text.strip())
    return _leaf(part, media_type, found)


def _leaf(part: Message, media_type: str, found: _Found) -> str:
    name = _file_name(part)
    attached = part.get_content_disposition() == "attachment" or bool(name)
    content = _payload(part)
    if media_type in {"text/plain", "text/html"} and not attached:
        text = _decoded(part, content)
        return html_to_text(text)[0] if media_type == "text/html" else text
    if media_type == "multipart/mixed" or media_type.startswith("multipart/"):
        return _decoded(
            part, content
        )  # A multipart without parts: its boundary is missing, its text may be there.
    if not content:
        if attached:
            found.note("An attachment of the mail is empty and was left out.")
        return ""
    if media_type.startswith("image/") and part.get("Content-ID") and len(content) < _LOGO_BYTES:
        found.note("Small pictures inside the mail's text were left out.")
        return ""
    if media_type in {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    }:
        return ""
    found.attach(Attachment(name or f"attachment {len(found.attachments) + 1}", media_type, content))
    return ""


def _best(texts: list[str], are_html: list[bool]) -> str:
    """Of the same text in several forms, the plain one, unless it says little or only points to the other."""
    plain = max((text for text, html in zip(texts, are_html, strict=True) if not html), key=len, default="")
    rich = max((text for text, html in zip(texts, are_html, strict=True) if html), key=len, default="")
    letters, rich_letters = len("".join(plain.split())), len("".join(rich.split()))
    if not letters or (_NO_PLAIN_BODY.search(plain[:600]) and rich_letters > 20):
        return rich or plain
    return rich if rich_letters > 2 * letters + 200 and letters < 400 else plain


def _is_html(part: Message) -> bool:
    if part.get_content_type() == "text/html":
        return True
    return part.get_content_type() == "multipart/related" and any(
        _is_html(child) for child in _children(part)
    )


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _has_headers(part: Message) -> bool:
    return len(part.keys()) > 0


def _payload(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError, MessageError):
        payload = None
    if isinstance(payload, bytes):
        return payload
    undecoded = part.get_payload()
    return undecoded.encode("utf-8", "surrogateescape") if isinstance(undecoded, str) else b""


def _decoded(part: Message, content: bytes) -> str:
    """By the charset the part names, when it fits; else by what the bytes look like."""
    charset = str(part.get_param("charset", "") or "").strip().lower()
    if charset and charset not in {"us-ascii", "unknown-8bit", "utf-8"}:
        try:
            return content.decode(charset)
        except (LookupError, UnicodeError, ValueError):
            pass
    return decode_markup(content) if part.get_content_type() == "text/html" else decode_text(content)


def _as_attachment(message: Message) -> Attachment:
    subject = re.sub(r"[^\w .,()-]+", " ", _header(message, "Subject")).strip()[:80]
    try:
        content = message.as_bytes(policy=policy.compat32)
    except (
        Exception
    ):  # The generator of the standard library fails in many ways on broken mail; the text is enough then.
        content = (_raw_headers(message) + "\n\n").encode("utf-8", "replace") + _payload(message)
    return Attachment(f"{subject or 'forwarded mail'}.eml", "message/rfc822", content)


def _raw_headers(message: Message) -> str:
    return "\n".join(f"{name}: {' '.join(str(value).split())}" for name, value in message.raw_items())


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except Exception:  # As with headers below.
        name = ""
    name = _decode_words(clean_text(name)).replace("\\", "/").rsplit("/", 1)[-1]
    return " ".join(name.split())[:200]


def _header(message: Message, name: str) -> str:
    try:
        value = str(message.get(name, "") or "")
    except (
        Exception
    ):  # The header parser raises AttributeError, IndexError and more on malformed addresses and dates.
        value = next((str(raw) for key, raw in _raw_items(message) if key.lower() == name.lower()), "")
    value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(clean_text(_decode_words(value)).split())[:_MAX_HEADER]


def _raw_items(message: Message) -> Iterator[tuple[str, object]]:
    yield from message.raw_items()


def _decode_words(value: str) -> str:
    if "=?" not in value:
        return value
    try:
        parts = decode_header(value)
        return "".join(
            part if isinstance(part, str) else part.decode(charset or "utf-8", "replace")
            for part, charset in parts
        )
    except (MessageError, LookupError, ValueError, UnicodeError):
        return value


def _sent_at(date: str) -> str:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
