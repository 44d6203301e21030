"""How the text of a page is laid out to be read: the head of a mail, who speaks, rows of a table, older mails apart.

Plain offsets into the text. Every character stands in one span, in order, so that marks keep their places.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from workflows.drafting.documents import PageText, older_mails

Role = Literal[
    "words", "name", "when", "gap"
]  # a gap is white space or a separator that the layout itself shows
Shape = Literal["text", "head", "turns", "table"]


@dataclass(frozen=True, slots=True)
class Span:
    start: int
    end: int
    role: Role = "words"


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of spans. `older` is the quoted rest of a mail; `columns` are the names of a table's columns."""

    shape: Shape
    rows: tuple[tuple[Span, ...], ...]
    older: bool = False
    columns: tuple[str, ...] = ()


_HEAD = re.compile(r"(From|To|Cc|Date|Sent|Subject):[ \t]*")
_TURN = re.compile(
    r"^(?P<when>\[?\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,3})?\]?[ \t]+)?(?P<name>[^\W\d_][\w .'’&/()-]{0,39}?):[ \t]+(?=\S)",
    re.MULTILINE,
)
_FEWEST_TURNS = 3
_MOST_WORDS_OF_A_NAME = 4
_MOST_COLUMNS = 30
_COLUMN = re.compile(r"([^:|]{1,60}): ")


def lay_out(*, text: str, kind: str, newest_end: int | None = None) -> list[Block]:
    """`kind` and `newest_end` are those of the source's reading; `newest_end` counts for a mail alone."""
    if kind in ("pdf", "image"):
        return [_text(text, 0, len(text))]  # its lines are laid out as they stand on the page
    if kind == "csv":
        return [_table(text) or _text(text, 0, len(text))]
    head, body = _head(text)
    blocks = [head] if head else []
    if kind != "email" and (turns := _turns(text, body)):
        return [*blocks, *turns]
    if kind != "email":
        newest_end = _older_of_pasted(text) if head else None
    if newest_end is None or not body < newest_end < len(text):
        return [*blocks, _text(text, body, len(text))]
    return [*blocks, _text(text, body, newest_end), _text(text, newest_end, len(text), older=True)]


def _older_of_pasted(text: str) -> int | None:
    return older_mails(PageText(source=0, source_name="", number=1, text=text))


def _text(text: str, start: int, end: int, *, older: bool = False) -> Block:
    """Empty lines before and after it are a gap: the layout leaves space of its own."""
    words = text[start:end]
    first = end - len(words.lstrip("\n")) if words.strip() else start
    last = start + len(words.rstrip()) if words.strip() else end
    spans = (Span(start, first, "gap"), Span(first, last), Span(last, end, "gap"))
    return Block(
        "text", (tuple(span for span in spans if span.start < span.end) or (Span(start, end),),), older
    )


def _head(text: str) -> tuple[Block | None, int]:
    """The header lines a mail begins with, and where its body begins."""
    rows: list[tuple[Span, ...]] = []
    at = 0
    while match := _HEAD.match(text, at):
        line_end = _line_end(text, match.end())
        rows.append((Span(at, match.end(), "name"), Span(match.end(), line_end)))
        at = line_end
    if len(rows) < 2 or (at < len(text) and text[at] != "\n"):
        return None, 0
    body = len(text) - len(text[at:].lstrip("\n"))
    if body > at:
        rows[-1] = (*rows[-1], Span(at, body, "gap"))
    return Block("head", tuple(rows)), body


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _turns(text: str, start: int) -> list[Block]:
    """A transcript by speaker, or nothing when it is none.

    Only who speaks twice is a speaker, or, where the lines have times, who stands behind a time: words that merely
    happen to end in a colon must not be put into somebody else's mouth.
    """
    found = [
        match for match in _TURN.finditer(text, start) if len(match["name"].split()) <= _MOST_WORDS_OF_A_NAME
    ]
    if timed := [match for match in found if match["when"]]:
        found = timed
    else:
        times = Counter(match["name"] for match in found)
        found = [match for match in found if times[match["name"]] > 1]
    if len(found) < _FEWEST_TURNS:
        return []
    last = text.find("\n\n", found[-1].end())  # what stands below the conversation is nobody's words
    end = len(text) if last < 0 else last
    ends = [*(match.start() for match in found[1:]), end]
    rows = tuple(tuple(_turn(match, stop)) for match, stop in zip(found, ends, strict=True))
    before = found[0].start()
    blocks = [_text(text, start, before)] if before > start else []
    blocks.append(Block("turns", rows))
    return [*blocks, _text(text, end, len(text))] if end < len(text) else blocks


def _turn(match: re.Match[str], end: int) -> Iterator[Span]:
    if match["when"]:
        yield Span(match.start(), match.end("when"), "when")
    yield Span(match.start("name"), match.end(), "name")
    yield Span(match.end(), end)


def _table(text: str) -> Block | None:
    """Rows of "name: value | name: value" or "value | value", as the reader of tables writes them; None if not so simple."""
    lines = []
    at = 0
    while at < len(text):
        end = _line_end(text, at)
        lines.append((at, end))
        at = end
    names: list[str] = []
    rows: list[tuple[Span, ...]] = []
    for start, end in lines:
        cells = list(_cells(text, start, end))
        own = [text[one.start : one.end].rsplit(": ", 1)[0] for one in cells if one.role == "name"]
        if len(own) != len(set(own)) or len(own) not in (0, sum(one.role == "words" for one in cells)):
            return None
        names += [name for name in own if name not in names]
        rows.append(tuple(cells))
    named = {any(one.role == "name" for one in row) for row in rows}
    if len(named) != 1 or len(names) > _MOST_COLUMNS:
        return None
    widths = {sum(one.role == "words" for one in row) for row in rows}
    if named == {False} and (len(widths) != 1 or widths == {1}):
        return None
    return Block("table", tuple(rows), columns=tuple(names))


def _cells(text: str, start: int, end: int) -> Iterator[Span]:
    """The spans of one line: [name] words gap [name] words gap …"""
    stop = end - 1 if text[end - 1] == "\n" else end
    at = start
    while True:
        bar = text.find(" | ", at, stop)
        last = bar if bar >= 0 else stop
        if match := _COLUMN.match(text, at, last):
            yield Span(at, match.end(), "name")
            at = match.end()
        yield Span(at, last)
        if bar < 0:
            break
        yield Span(bar, bar + 3, "gap")
        at = bar + 3
    if stop < end:
        yield Span(stop, end, "gap")
