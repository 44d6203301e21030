"""Where a value stands in the material: looked for by code, never believed.

All text here is hostile: searches are plain string searches, bounded in number and length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from workflows.drafting.candidates import Candidate
from workflows.drafting.documents import PageText
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.folding import fold, fold_with_offsets

MOST_PLACES = 60  # occurrences compared for one value; "1" in a long table stands everywhere


class Status(StrEnum):
    VERBATIM = "verbatim"
    NORMALISED = "normalised"
    NOT_FOUND = "not_found"
    ABSENT = "absent"  # no value, or none of a kind that stands in the text


@dataclass(frozen=True)
class Evidence:
    """Offsets are into the text of the page; boxes are fractions of it. `derived`: the quote stands there, and the value was worked
    out from it."""

    status: Status
    quote: str = ""
    source: int | None = None
    page: int | None = None
    start: int | None = None
    end: int | None = None
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    derived: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"status": self.status.value, "boxes": [list(box) for box in self.boxes]}


@dataclass(frozen=True)
class _Place:
    page: PageText
    start: int
    end: int


_JUDGED = frozenset({Kind.CHOICE, Kind.CHOICES, Kind.YES_NO})


def locate(
    *,
    spec: FieldSpec,
    value: Any,
    as_written: str | None,
    hint: str | None,
    pages: Sequence[PageText],
    candidates: Sequence[Candidate] = (),
    derived: bool = False,
) -> Evidence:
    """`hint`: a quote that the model may have given; it only chooses between places where the value stands, except for
    choices, which stand nowhere themselves: there it is the evidence, if it is found. `candidates`: what was found for this field, so that a
    date or an amount written in another way is met."""
    if value is None and not as_written:
        return Evidence(Status.ABSENT)
    if spec.kind in _JUDGED:
        return _locate_text(hint, None, spec, pages) if hint and hint.strip() else Evidence(Status.ABSENT)
    text = as_written if as_written else value if isinstance(value, str) else ""
    evidence = _locate_text(text, hint, spec, pages) if text else Evidence(Status.NOT_FOUND)
    if evidence.status is Status.NOT_FOUND:
        evidence = _locate_candidate(value, hint, spec, pages, candidates)
    if derived and evidence.status is not Status.NOT_FOUND:
        return replace(evidence, derived=True, status=Status.NORMALISED)
    return evidence


def _locate_text(text: str, hint: str | None, spec: FieldSpec, pages: Sequence[PageText]) -> Evidence:
    if places := list(_bounded(_exact(text.strip(), pages))):
        return _evidence(Status.VERBATIM, _nearest(places, hint, spec, pages))
    if places := list(_bounded(_folded(fold(text), pages))):
        return _evidence(Status.NORMALISED, _nearest(places, hint, spec, pages))
    return Evidence(Status.NOT_FOUND)


def _locate_candidate(
    value: Any, hint: str | None, spec: FieldSpec, pages: Sequence[PageText], candidates: Sequence[Candidate]
) -> Evidence:
    by_number = {(page.source, page.number): page for page in pages}
    places = [
        _Place(by_number[candidate.source, candidate.page], candidate.start, candidate.end)
        for candidate in candidates
        if candidate.value is not None
        and candidate.value == value
        and (candidate.source, candidate.page) in by_number
    ]
    return (
        _evidence(Status.NORMALISED, _nearest(places, hint, spec, pages))
        if places
        else Evidence(Status.NOT_FOUND)
    )


def _exact(needle: str, pages: Sequence[PageText]) -> Iterator[_Place]:
    if needle:
        for page in pages:
            for start in _starts(page.text, needle):
                yield _Place(page, start, start + len(needle))


def _folded(needle: str, pages: Sequence[PageText]) -> Iterator[_Place]:
    if needle:
        for page in pages:
            folded = fold_with_offsets(page.text)
            for start in _starts(folded.text, needle):
                first, end = folded.offsets[start], folded.offsets[start + len(needle) - 1] + 1
                if _is_apart(page.text, first, end):  # folding turned the point of 12.50 into a space
                    yield _Place(page, first, end)


def _starts(haystack: str, needle: str) -> Iterator[int]:
    """Where the needle stands as whole words: "12" is not found in "2126" or in "12.50", "ann" not in "annual"."""
    start = haystack.find(needle)
    while start >= 0:
        if _is_apart(haystack, start, start + len(needle)):
            yield start
        start = haystack.find(needle, start + 1)


def _is_apart(text: str, start: int, end: int) -> bool:
    first, last = text[start], text[end - 1]
    before, after = text[start - 1 : start], text[end : end + 1]
    if (before and before.isalnum() and first.isalnum()) or (after and after.isalnum() and last.isalnum()):
        return False
    # a separator with a digit on its far side continues a number
    inside_before = before and before in ".,'" and first.isdigit() and text[start - 2 : start - 1].isdigit()
    inside_after = after and after in ".,'" and last.isdigit() and text[end + 1 : end + 2].isdigit()
    return not (inside_before or inside_after)


def _bounded(places: Iterator[_Place]) -> Iterator[_Place]:
    for _, place in zip(range(MOST_PLACES), places, strict=False):
        yield place


def _nearest(places: list[_Place], hint: str | None, spec: FieldSpec, pages: Sequence[PageText]) -> _Place:
    """The place inside or beside the model's quote; else the one that best follows the field's label; else the first."""
    if len(places) == 1:
        return places[0]
    if hint and (quoted := next(_folded(fold(hint), pages), None)):
        same = [place for place in places if place.page is quoted.page]
        if same:
            return min(
                same,
                key=lambda place: (max(quoted.start - place.start, place.end - quoted.end, 0), place.start),
            )
    words = [word for word in fold(spec.label).split() if len(word) > 2] or [fold(spec.label)]
    return max(places, key=lambda place: (_label_before(place, words), -places.index(place)))


def _label_before(place: _Place, words: list[str]) -> int:
    """How many words of the label stand on the same line before the place, or on the line above it."""
    line_start = place.page.text.rfind("\n", max(0, place.start - 200), place.start) + 1
    line = fold(place.page.text[max(line_start, place.start - 200) : place.start]).split()
    above = fold(
        place.page.text[max(0, line_start - 120) : line_start].rstrip("\n").rsplit("\n", 1)[-1]
    ).split()
    return 2 * sum(word in line for word in words) + sum(word in above for word in words)


def _evidence(status: Status, place: _Place) -> Evidence:
    page = place.page
    boxes = tuple(
        (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
        for piece in page.pieces
        if piece["start"] < place.end and piece["end"] > place.start and (box := piece.get("box"))
    )
    return Evidence(
        status, page.text[place.start : place.end], page.source, page.number, place.start, place.end, boxes
    )
