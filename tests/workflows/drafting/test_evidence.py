from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.workflows.drafting.material import LEAD, MAIL, TOPIC, page, spec
from workflows.drafting.candidates import find_candidates
from workflows.drafting.evidence import Evidence, Status, locate
from workflows.drafting.fields import FieldSpec
from workflows.drafting.folding import fold


def look(
    text: str, written: str, *, one: FieldSpec | None = None, hint: str | None = None, **more: Any
) -> Evidence:
    return locate(
        spec=one or spec("value"), value=written, as_written=written, hint=hint, pages=[page(text)], **more
    )


def test_a_copied_value_is_found_verbatim_with_its_place() -> None:
    evidence = look(MAIL, "Okafor Joinery Ltd")
    assert evidence.status is Status.VERBATIM
    assert MAIL[evidence.start : evidence.end] == evidence.quote == "Okafor Joinery Ltd"
    assert (evidence.source, evidence.page) == (7, 1)


def test_case_spacing_punctuation_width_and_accents_are_looked_through() -> None:
    for text, written in [
        ("ACME  Gmb-H\nBerlin", "Acme Gmb H Berlin"),
        ("Ｆｕｌｌ width", "full width"),
        ("Cafe\u0301 Müller", "café muller"),
        ("in\u00advoice no\u200bte", "invoice note"),
    ]:
        evidence = look(text, written)
        assert evidence.status is Status.NORMALISED
        assert text[evidence.start : evidence.end] == evidence.quote


def test_a_part_of_a_word_or_number_is_no_evidence() -> None:
    assert look("annual report 2126 and 12.50", "12").status is Status.NOT_FOUND
    assert look("annual report", "ann").status is Status.NOT_FOUND
    assert look("Total 12.", "12").status is Status.VERBATIM


def test_the_place_that_follows_the_label_wins() -> None:
    text = "Subtotal 12.00\nShipping 0.00\nTotal due 12.00"
    assert look(text, "12.00", one=spec("total_due")).start == text.rindex("12.00")
    assert look(text, "12.00", one=spec("subtotal")).start == text.index("12.00")


def test_a_quote_of_the_model_chooses_between_places_and_proves_nothing_itself() -> None:
    text = "Ana called. Later Ana left a message."
    assert look(text, "Ana", hint="Later Ana left").start == text.rindex("Ana")
    assert look(text, "Ben", hint="Later Ana left").status is Status.NOT_FOUND


def test_a_date_written_in_another_way_is_met_through_what_was_found() -> None:
    due = spec("due", "date")
    pages = [page("Please pay until 1. Dezember 2026.")]
    found = find_candidates(fields=[due], pages=pages, reference_date=None)["due"]
    evidence = locate(
        spec=due, value="2026-12-01", as_written="December 1", hint=None, pages=pages, candidates=found
    )
    assert (evidence.status, evidence.quote) == (Status.NORMALISED, "1. Dezember 2026")


def test_a_worked_out_value_says_so() -> None:
    evidence = look("by next Friday", "next Friday", derived=True)
    assert evidence.derived
    assert evidence.status is Status.NORMALISED


def test_a_choice_has_no_evidence_but_a_quote_that_is_really_there() -> None:
    def of(hint: str | None) -> Status:
        return locate(spec=TOPIC, value="quote", as_written=None, hint=hint, pages=[page(MAIL)]).status

    assert of(None) is Status.ABSENT
    assert of("would like a quote") is Status.VERBATIM
    assert of("wants a refund") is Status.NOT_FOUND


def test_nothing_given_has_no_evidence() -> None:
    assert (
        locate(spec=LEAD[1], value=None, as_written=None, hint=None, pages=[page(MAIL)]).status
        is Status.ABSENT
    )


def test_boxes_are_those_of_the_pieces_the_quote_covers() -> None:
    text = "Total due 12.00"
    pieces = [
        {"start": 0, "end": 9, "box": [0.1, 0.1, 0.3, 0.12], "confidence": None},
        {"start": 10, "end": 15, "box": [0.5, 0.1, 0.6, 0.12], "confidence": 0.9},
    ]
    evidence = locate(
        spec=spec("total"), value="12.00", as_written="12.00", hint=None, pages=[page(text, pieces=pieces)]
    )
    assert evidence.boxes == ((0.5, 0.1, 0.6, 0.12),)
    assert evidence.as_json()["boxes"] == [[0.5, 0.1, 0.6, 0.12]]


def test_a_value_on_a_later_page_is_found_there() -> None:
    pages = [page("nothing"), page("IBAN DE89", number=2)]
    assert locate(spec=spec("iban"), value="DE89", as_written="DE89", hint=None, pages=pages).page == 2


@given(st.text(min_size=1, max_size=200), st.data())
def test_any_stretch_of_whole_words_is_found_in_its_own_text(text: str, data: st.DataObject) -> None:
    words = text.split(" ")
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    stretch = " ".join(words[first : last + 1]).strip()
    assume(stretch and fold(stretch))
    assert look(text, stretch).status is not Status.NOT_FOUND


@given(st.text(max_size=120), st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_found_is_really_there(text: str, written: str, hint: str) -> None:
    evidence = look(text, written, hint=hint)
    if evidence.status in {Status.VERBATIM, Status.NORMALISED}:
        assert text[evidence.start : evidence.end] == evidence.quote
        assert fold(evidence.quote) == fold(written)
