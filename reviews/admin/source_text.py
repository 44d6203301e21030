"""The text of a source with the evidence marked in it, so that a value is checked where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from workflows.models import FieldResult


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
    """A stretch of text and the marks that cover it. `begins` are the keys whose evidence starts here."""

    text: str
    marks: tuple[Mark, ...] = ()
    begins: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for mark in self.marks for key in mark.keys)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for mark in self.marks for name in mark.names)

    @property
    def to_check(self) -> bool:
        return any(mark.to_check for mark in self.marks)


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


def pieces_of(*, text: str, marks: Sequence[Mark], start: int = 0, end: int | None = None) -> list[Piece]:
    """`text[start:end]` in order, cut where a mark begins or ends. A mark that reaches over the text's end is left out."""
    end = len(text) if end is None else end
    standing = [one for one in marks if one.end <= len(text) and one.start < end and one.end > start]
    edges = {start, end} | {edge for one in standing for edge in (one.start, one.end) if start < edge < end}
    cuts = sorted(edges)
    pieces = []
    for first, last in pairwise(cuts):
        over = tuple(one for one in standing if one.start <= first and one.end >= last)
        begins = tuple(key for one in over if one.start == first for key in one.keys)
        pieces.append(Piece(text[first:last], over, begins))
    return pieces
