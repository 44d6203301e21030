"""How the text of a source is laid out. Whatever it looks like, not a character is lost."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.admin.source_layout import Block, lay_out

MAIL = """From: Ines Okafor <ines@a.example>
To: Sales <sales@b.example>
Date: Thu, 19 Nov 2026 11:32:48 +0000
Subject: Two pumps

Please send two pumps.

Ines

On Tue, 3 Nov 2026 at 16:05, Sales <sales@b.example> wrote:

> How many do you need?
"""
CALL = """CALL TRANSCRIPT
Date: Tuesday
Line: main

[00:02] Works: Good morning.
[00:06] Caller: Morning. The number is
PO-88214, and one note: hurry.
[00:15] Works: Of course.

Summary: they hurry.
"""
TABLE = "time: 07:06 | who: system\ntime: 07:07 | text: a: b\n"


def all_of(blocks: list[Block], text: str) -> str:
    return "".join(text[span.start : span.end] for block in blocks for row in block.rows for span in row)


def rows_of(block: Block, text: str) -> list[list[tuple[str, str]]]:
    return [[(span.role, text[span.start : span.end]) for span in row] for row in block.rows]


@pytest.mark.parametrize(
    ("text", "kind"), [(MAIL, "email"), (MAIL, "text"), (CALL, "text"), (TABLE, "csv"), (MAIL, "pdf")]
)
def test_every_character_stands_once_and_in_order(text: str, kind: str) -> None:
    assert all_of(lay_out(text=text, kind=kind, newest_end=MAIL.index("On Tue")), text) == text


@given(
    text=st.lists(
        st.sampled_from(["From: a", "To: b", "Ann: hello", "Bob: no", "[00:01] Ann: x", "> old", "a | b", "k: v | l: w", "", "  "])
        | st.text(string.printable, max_size=30)
    ).map("\n".join),
    kind=st.sampled_from(["text", "html", "docx", "email", "csv", "pdf"]),
    newest_end=st.none() | st.integers(-5, 500),
)  # fmt: skip
def test_no_text_whatever_loses_a_character(text: str, kind: str, newest_end: int | None) -> None:
    assert all_of(lay_out(text=text, kind=kind, newest_end=newest_end), text) == text


def test_a_mail_is_its_head_the_newest_words_and_the_older_mails_apart() -> None:
    head, newest, older = lay_out(text=MAIL, kind="email", newest_end=MAIL.index("On Tue"))
    assert head.shape == "head"
    assert rows_of(head, MAIL)[3][:2] == [("name", "Subject: "), ("words", "Two pumps\n")]
    assert rows_of(newest, MAIL) == [[("words", "Please send two pumps.\n\nInes"), ("gap", "\n\n")]]
    assert older.older
    assert not newest.older
    assert rows_of(older, MAIL)[0][0][1].startswith("On Tue")


def test_a_mail_without_older_ones_folds_nothing() -> None:
    assert not any(block.older for block in lay_out(text=MAIL, kind="email", newest_end=None))


def test_a_pasted_mail_is_folded_where_drafting_folds_it() -> None:
    assert [block.older for block in lay_out(text=MAIL, kind="text")] == [False, False, True]


def test_a_transcript_is_laid_out_by_speaker() -> None:
    before, turns, after = lay_out(text=CALL, kind="text")
    assert rows_of(before, CALL) == [
        [("words", "CALL TRANSCRIPT\nDate: Tuesday\nLine: main"), ("gap", "\n\n")]
    ]
    assert rows_of(turns, CALL)[1] == [
        ("when", "[00:06] "),
        ("name", "Caller: "),
        ("words", "Morning. The number is\nPO-88214, and one note: hurry.\n"),
    ]
    assert [row[1][1] for row in rows_of(turns, CALL)] == ["Works: ", "Caller: ", "Works: "]
    assert rows_of(after, CALL)[0][1] == ("words", "Summary: they hurry.")


def test_labels_of_a_form_are_no_speakers() -> None:
    form = "Name: Ines\nPhone: 0161\nMessage: call me\nCity: Netherby\n"
    assert [block.shape for block in lay_out(text=form, kind="text")] == ["text"]


def test_two_lines_of_talk_are_no_transcript() -> None:
    assert [block.shape for block in lay_out(text="Ann: hello\nAnn: there\n", kind="text")] == ["text"]


def test_a_table_has_columns_and_one_that_is_not_simple_stays_text() -> None:
    (table,) = lay_out(text=TABLE, kind="csv")
    assert (table.shape, table.columns) == ("table", ("time", "who", "text"))
    assert rows_of(table, TABLE)[1][-3:] == [("name", "text: "), ("words", "a: b"), ("gap", "\n")]
    for odd in ("a: b | c\nd | e: f\n", "a | b\nc\n", "a: b | a: c\n"):
        assert [block.shape for block in lay_out(text=odd, kind="csv")] == ["text"]
    (plain,) = lay_out(text="1 | 2\n3 | 4", kind="csv")
    assert (plain.shape, plain.columns) == ("table", ())
