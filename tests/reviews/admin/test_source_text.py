"""Evidence marked in the text of its source."""

from __future__ import annotations

from reviews.admin.source_text import Mark, marks_of, pieces_of
from workflows.models import FieldResult

TEXT = "Total 12.50 EUR, due 3 Nov"


def mark(start: int, end: int, key: str = "total", page: int = 1) -> Mark:
    return Mark(source=7, page=page, start=start, end=end, keys=(key,), names=(key,), to_check=False)


def result(key: str, start: int | None, end: int | None) -> FieldResult:
    return FieldResult(key=key, evidence={"source": 7, "page": 1, "start": start, "end": end})


def test_pieces_are_the_whole_text_in_order_with_the_evidence_apart() -> None:
    pieces = pieces_of(text=TEXT, marks=[mark(21, 26, "due"), mark(6, 15)])
    assert "".join(piece.text for piece in pieces) == TEXT
    assert [(piece.text, piece.begins) for piece in pieces if piece.marks] == [
        ("12.50 EUR", ("total",)),
        ("3 Nov", ("due",)),
    ]


def test_marks_that_overlap_are_all_shown_and_one_outside_the_text_is_not() -> None:
    pieces = pieces_of(text=TEXT, marks=[mark(6, 15), mark(6, 11, "amount"), mark(20, 99)])
    assert "".join(piece.text for piece in pieces) == TEXT
    assert [(piece.text, piece.keys, piece.begins) for piece in pieces if piece.marks] == [
        ("12.50", ("total", "amount"), ("total", "amount")),
        (" EUR", ("total",), ()),
    ]


def test_a_part_of_the_text_has_its_part_of_a_mark() -> None:
    first = pieces_of(text=TEXT, marks=[mark(6, 15)], start=0, end=11)
    rest = pieces_of(text=TEXT, marks=[mark(6, 15)], start=11)
    assert [(piece.text, piece.begins) for piece in (*first, *rest) if piece.marks] == [
        ("12.50", ("total",)),
        (" EUR", ()),
    ]
    assert "".join(piece.text for piece in (*first, *rest)) == TEXT
    assert pieces_of(text="", marks=[mark(0, 1)]) == []


def test_fields_at_the_same_place_share_a_mark_and_what_has_no_place_has_none() -> None:
    found = marks_of(
        results=[result("a", 0, 5), result("b", 0, 5), result("c", None, None), result("gone", 2, 3)],
        labels={"a": "A", "b": "B", "c": "C"},
        to_check={"b"},
    )
    assert [(one.keys, one.names, one.to_check) for one in found] == [(("a", "b"), ("A", "B"), True)]
