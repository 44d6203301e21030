"""The material of an item as drafting reads it: pages of text with boxes, plain data from whatever read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PageText:
    """One page. `pieces` are dicts {"start", "end", "box": [x0, y0, x1, y1], "confidence"}: offsets in `text`, box as
    fractions of the page with the origin at its top left, confidence (0..1) of OCR or None."""

    source: int  # primary key or index of the source, returned in evidence untouched
    source_name: str
    number: int  # from 1
    text: str
    pieces: Sequence[dict[str, Any]] = field(default_factory=list, hash=False)
