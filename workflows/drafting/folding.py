"""Text without what people do not mean when they write it twice: case, width, accents' encoding, spacing, punctuation."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Folded:
    """`text` is folded; `offsets[i]` is where the i-th folded character began in the original."""

    text: str
    offsets: tuple[int, ...]


def fold(text: str) -> str:
    """NFKC, casefolded, invisible characters dropped, every run of spaces and punctuation one space, trimmed."""
    return _walk(text).text


@lru_cache(maxsize=256)
def fold_with_offsets(text: str) -> Folded:
    """Kept for the pages of the last few items, since each of their fields asks for the same page."""
    return _walk(text)


def _walk(text: str) -> Folded:
    characters: list[str] = []
    offsets: list[int] = []
    gap = False
    for offset, original in enumerate(text):
        for character in _fold_character(original):
            if character == " ":
                gap = True
                continue
            if gap and characters:
                characters.append(" ")
                offsets.append(offset)
            gap = False
            characters.append(character)
            offsets.append(offset)
    return Folded("".join(characters), tuple(offsets))


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """Folded one character at a time so that offsets survive; a combining mark is dropped with its accent, and so
    is the accent of a composed letter: the two ways of writing é must meet."""
    folded = ""
    for part in unicodedata.normalize("NFKD", character).casefold():
        category = unicodedata.category(part)
        if category in {"Mn", "Cf"}:
            continue  # accents; zero-width characters, soft hyphens and direction marks
        folded += part if category[0] in "LN" else " "
    return folded
