"""Where a stretch of text stands on the picture of its page."""

from __future__ import annotations

import pytest

from reviews.admin.source_boxes import boxes_of

# "Total due 12.50" on one line, "by Monday" on the next; words as a PDF gives them.
WORDS = [
    [0, 5, 0.10, 0.10, 0.20, 0.12, None],
    [6, 9, 0.21, 0.10, 0.26, 0.12, None],
    [12, 17, 0.80, 0.10, 0.90, 0.12, None],
    [18, 20, 0.10, 0.14, 0.13, 0.16, None],
    [21, 27, 0.14, 0.14, 0.24, 0.16, None],
]


def test_words_beside_each_other_are_one_box() -> None:
    assert boxes_of(pieces=WORDS, start=0, end=9) == [(0.10, 0.10, 0.26, 0.12)]


def test_evidence_over_two_lines_is_two_boxes() -> None:
    assert boxes_of(pieces=WORDS, start=12, end=27) == [(0.80, 0.10, 0.90, 0.12), (0.10, 0.14, 0.24, 0.16)]


def test_a_far_column_of_the_same_line_is_a_box_of_its_own() -> None:
    assert boxes_of(pieces=WORDS, start=6, end=17) == [(0.21, 0.10, 0.26, 0.12), (0.80, 0.10, 0.90, 0.12)]


def test_what_only_touches_the_stretch_is_not_in_it() -> None:
    assert boxes_of(pieces=WORDS, start=5, end=6) == []
    assert boxes_of(pieces=[], start=0, end=9) == []


def test_a_part_of_a_line_of_a_scan_is_cut_by_its_letters_with_one_letter_to_spare() -> None:
    line = [[0, 20, 0.0, 0.5, 1.0, 0.55, 0.98]]
    (box,) = boxes_of(pieces=line, start=10, end=15)
    assert box == pytest.approx((0.45, 0.5, 0.80, 0.55))
    (whole,) = boxes_of(pieces=line, start=0, end=20)
    assert whole == (0.0, 0.5, 1.0, 0.55)


def test_turned_text_keeps_its_whole_piece() -> None:
    upright = [[0, 20, 0.90, 0.1, 0.93, 0.8, 0.98]]
    assert boxes_of(pieces=upright, start=10, end=15) == [(0.90, 0.1, 0.93, 0.8)]
