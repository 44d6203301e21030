"""The material of an item as drafting reads it: pages of text with boxes, plain data from whatever read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from integrations.documents.quotes import find_older_mails


@dataclass(frozen=True)
class PageText:
    """One page. `pieces` are dicts {"start", "end", "box": [x0, y0, x1, y1], "confidence"}: offsets in `text`, box as
    fractions of the page with the origin at its top left, confidence (0..1) of OCR or None."""

    source: int  # primary key or index of the source, returned in evidence untouched
    source_name: str
    number: int  # from 1
    text: str
    pieces: Sequence[dict[str, Any]] = field(default_factory=list, hash=False)


# The subject of a mail that is passed on, as mail programs of several languages begin it.
_PASSED_ON = re.compile(
    r"^(?:subject|betreff|objet|onderwerp|asunto|oggetto|ämne|emne|assunto)[ \t]*:[ \t]*(?:fwd?|wg|tr|doorst|vs|vb|rv|enc)[ \t]*:",
    re.I | re.M,
)
_PASSED_ON_LINE = re.compile(
    r"^[\s>-]*(?:forwarded message|weitergeleitete nachricht|message transféré|doorgestuurd bericht|mensaje reenviado"
    r"|messaggio inoltrato|vidarebefordrat meddelande|begin forwarded message|anfang der weitergeleiteten nachricht)\b",
    re.I,
)


def older_mails(page: PageText) -> int | None:
    """Where the quoted older mails begin in the text of a reply; None when there are none."""
    begins, passed_on = _mails_below(page.text)
    return None if passed_on else begins


def passed_on_mail(page: PageText) -> int | None:
    """Where the mail begins that somebody passed on with words of their own above it; None when the mail is no such one."""
    begins, passed_on = _mails_below(page.text)
    return begins if passed_on else None


def newest_and_older(pages: Sequence[PageText]) -> tuple[str, str]:
    """All that was written newly, and all that older mails below it say."""
    newest, older = [], []
    for page in pages:
        begins = older_mails(page)
        newest.append(page.text[:begins])
        if begins is not None:
            older.append(page.text[begins:])
    return "\n".join(newest), "\n".join(older)


@lru_cache(maxsize=64)
def _mails_below(text: str) -> tuple[int | None, bool]:
    """Where other mails begin below the newest, and whether they are passed on and not answered."""
    headers_end = text.find("\n\n") if text[:5].casefold() in {"from:", "date:", "subje"} else -1
    begins = find_older_mails(text, start=headers_end + 2 if headers_end >= 0 else 0)
    if begins is None:
        return None, False
    first_line = text[begins:].lstrip()[:200]
    passed_on = bool(_PASSED_ON_LINE.match(first_line) or _PASSED_ON.search(text[: max(headers_end, 0)]))
    return begins, passed_on
