"""Evidence marked in the text of its source."""

from __future__ import annotations

from workflows.admin.source_text import Mark, marked_pages, marks_of, pieces_of
from workflows.models import FieldResult, Page

TEXT = "Total 12.50 EUR, due 3 Nov"


def mark(start: int, end: int, key: str = "total", page: int = 1) -> Mark:
    return Mark(source=7, page=page, start=start, end=end, keys=(key,), names=(key,), to_check=False)


def result(key: str, start: int | None, end: int | None) -> FieldResult:
    return FieldResult(key=key, evidence={"source": 7, "page": 1, "start": start, "end": end})


def test_pieces_are_the_whole_text_in_order_with_the_evidence_apart() -> None:
    pieces = pieces_of(text=TEXT, marks=[mark(21, 26, "due"), mark(6, 15)])
    assert "".join(piece.text for piece in pieces) == TEXT
    assert [piece.text for piece in pieces if piece.mark] == ["12.50 EUR", "3 Nov"]


def test_marks_that_overlap_or_stand_outside_lose_no_text() -> None:
    pieces = pieces_of(text=TEXT, marks=[mark(6, 15), mark(6, 11), mark(20, 99)])
    assert "".join(piece.text for piece in pieces) == TEXT
    assert [piece.text for piece in pieces if piece.mark] == ["12.50 EUR"]


def test_fields_at_the_same_place_share_a_mark_and_what_has_no_place_has_none() -> None:
    found = marks_of(
        results=[result("a", 0, 5), result("b", 0, 5), result("c", None, None), result("gone", 2, 3)],
        labels={"a": "A", "b": "B", "c": "C"},
        to_check={"b"},
    )
    assert [(one.keys, one.names, one.to_check) for one in found] == [(("a", "b"), ("A", "B"), True)]


def test_a_mark_stands_on_its_own_page_and_what_is_cut_is_said() -> None:
    pages = [Page(number=1, text=TEXT), Page(number=2, text=TEXT)]
    shown, cut = marked_pages(pages=pages, marks=[mark(6, 15, page=2)], most_characters=1000)
    assert [[piece.text for piece in page["pieces"] if piece.mark] for page in shown] == [[], ["12.50 EUR"]]
    assert cut is False
    shown, cut = marked_pages(pages=pages, marks=[], most_characters=len(TEXT) + 5)
    assert [sum(len(piece.text) for piece in page["pieces"]) for page in shown] == [len(TEXT), 5]
    assert cut is True
