"""The plain data that reading a file gives. Nothing here knows how a file is read."""

from dataclasses import dataclass
from enum import StrEnum

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a stretch of a page's text stands: `text[start:end]`, and a box x0, y0, x1, y1.

    Boxes are fractions (0 to 1) of the page as it is shown, origin top left, so they hold at any zoom and after the
    page's own rotation. `confidence` (0 to 1) is the recognition's own figure; None where nothing was recognised.
    """

    start: int
    end: int
    box: Box
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`width` and `height` are points for a PDF, pixels for an image, None where there is no page to look at.

    Pieces are in text order and do not overlap in the text. `method` is "text" or "ocr".
    """

    number: int
    text: str
    width: float | None = None
    height: float | None = None
    pieces: tuple[Piece, ...] = ()
    method: str = "text"


@dataclass(frozen=True, slots=True)
class Attachment:
    """The name and media type are what the mail claims; both are hostile until looked at."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file says. `kind` is one of text, html, pdf, docx, email, csv, image.

    `sent_at` is an ISO date-time from a mail's Date header, or empty. `newest_end` is the offset in page 1 of a mail
    where the quoted older mails begin; None where there are none, or where answers stand between quoted lines.
    `notes` are whole sentences for a person: what was left out, and what was odd.
    """

    kind: str
    media_type: str
    pages: tuple[Page, ...]
    title: str = ""
    sent_at: str = ""
    attachments: tuple[Attachment, ...] = ()
    newest_end: int | None = None
    notes: tuple[str, ...] = ()


class Reason(StrEnum):
    NEEDS_PASSWORD = "needs_password"  # noqa: S105  a reason, not a secret
    BROKEN = "broken"
    EMPTY = "empty"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    TOO_MUCH_MEMORY = "too_much_memory"
    NO_TEXT = "no_text"


_WORDS: dict[Reason, tuple[str, str]] = {
    Reason.NEEDS_PASSWORD: (
        "The file is locked with a password, so it could not be read.",
        "Ask the sender for a copy without a password, or open it and fill in the fields by hand.",
    ),
    Reason.BROKEN: (
        "The file is damaged and could not be opened.",
        "Ask the sender to send it again, or fill in the fields by hand.",
    ),
    Reason.EMPTY: (
        "The file is empty.",
        "Ask the sender for the file with its content, or close the item.",
    ),
    Reason.UNSUPPORTED: (
        "This kind of file cannot be read.",
        "Save it as PDF, Word (DOCX), CSV or plain text and send it again.",
    ),
    Reason.TOO_LARGE: (
        "The file is larger than allowed.",
        "Send a smaller file, or only the pages that matter.",
    ),
    Reason.TOO_SLOW: (
        "Reading the file took longer than allowed and was stopped.",
        "Send only the pages that matter, or fill in the fields by hand.",
    ),
    Reason.TOO_MUCH_MEMORY: (
        "Reading the file took more memory than allowed and was stopped.",
        "Send a smaller or simpler copy, for example printed to PDF again, or fill in the fields by hand.",
    ),
    Reason.NO_TEXT: (
        "The file opens, but no text was found in it.",
        "Look at it and fill in the fields by hand, or ask the sender for a sharper copy.",
    ),
}


class Unreadable(Exception):
    """The file cannot be read; its bytes are untouched wherever they are kept.

    `message` says what happened and `next_step` what a person can do, each in whole sentences.
    """

    def __init__(self, reason: Reason, message: str = "", next_step: str = "") -> None:
        self.reason = reason
        self.message = message or _WORDS[reason][0]
        self.next_step = next_step or _WORDS[reason][1]
        super().__init__(self.message)
