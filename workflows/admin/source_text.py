"""The text of a source with the evidence marked in it, so that a value is checked where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.models import FieldResult, Page


@dataclass(frozen=True, slots=True)
class Mark:
    """Offsets into the text of a page of a source; `names` are labels of the fields whose value stands there."""

    source: int
    page: int
    start: int
    end: int
    keys: tuple[str, ...]
    names: tuple[str, ...]
    to_check: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; with `mark`, evidence."""

    text: str
    mark: Mark | None = None


def marks_of(*, results: Iterable[FieldResult], labels: dict[str, str], to_check: set[str]) -> list[Mark]:
    """Fields of which the value stands at the same place share a mark."""
    places: dict[tuple[int, int, int, int], list[str]] = {}
    for result in results:
        told: dict[str, Any] = result.evidence or {}
        place = tuple(told.get(part) for part in ("source", "page", "start", "end"))
        if result.key in labels and all(isinstance(part, int) for part in place) and place[2] < place[3]:  # type: ignore[operator]
            places.setdefault(place, []).append(result.key)  # type: ignore[arg-type]
    return [
        Mark(
            *place,
            keys=tuple(keys),
            names=tuple(labels[key] for key in keys),
            to_check=bool(to_check & set(keys)),
        )
        for place, keys in places.items()
    ]


def pieces_of(*, text: str, marks: Sequence[Mark]) -> list[Piece]:
    """In order, together the whole text. Of marks that overlap the first stands; the others keep their line beside the field."""
    pieces: list[Piece] = []
    at = 0
    for mark in sorted(marks, key=lambda one: (one.start, -one.end)):
        if mark.start < at or mark.end > len(text):
            continue
        if mark.start > at:
            pieces.append(Piece(text[at : mark.start]))
        pieces.append(Piece(text[mark.start : mark.end], mark))
        at = mark.end
    if at < len(text):
        pieces.append(Piece(text[at:]))
    return pieces


def marked_pages(
    *, pages: Sequence[Page], marks: Sequence[Mark], most_characters: int
) -> tuple[list[dict[str, Any]], bool]:
    """Pages as {"number", "pieces"}, and whether text was left out because there is too much of it."""
    shown: list[dict[str, Any]] = []
    room = most_characters
    for page in pages:
        if room <= 0:
            return shown, True
        text = page.text[:room]
        room -= len(page.text)
        own = [mark for mark in marks if mark.page == page.number]
        shown.append({"number": page.number, "pieces": pieces_of(text=text, marks=own)})
    return shown, room < 0
