"""The material of an item as drafting reads it: pages of text with boxes, plain data from whatever read them."""

from __future__ import annotations

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


def older_mails(page: PageText) -> int | None:
    """Where the quoted older mails begin in the text of a mail; None when there are none."""
    return _older_mails(page.text)


@lru_cache(maxsize=64)
def _older_mails(text: str) -> int | None:
    headers_end = text.find("\n\n") if text[:5].casefold() in {"from:", "date:", "subje"} else -1
    return find_older_mails(text, start=headers_end + 2 if headers_end >= 0 else 0)
