"""Words with boxes -> the text of a page in visual lines, with a piece for each word."""

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.documents.pages import Box, Piece

_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")

# A gap wider than this many line heights separates columns, and is written as three spaces.
_COLUMN_GAP = 2.0
_COLUMN_SPACE = "   "
# A block of this many lines with running text on both sides of one gutter is read column by column.
_PROSE_LINES = 6
_PROSE_WORDS = 3.5


@dataclass(frozen=True, slots=True)
class Word:
    """A stretch of text and its box in the page as shown (any unit, origin top left).

    `turn` is how far, clockwise, its reading direction is turned from left-to-right: 0, 90, 180 or 270.
    """

    text: str
    box: Box
    turn: int = 0
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class _Placed:
    word: Word
    left: float
    top: float
    right: float
    bottom: float
    middle: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


_Line = list[_Placed]


def lay_out(
    *, words: Sequence[Word], width: float, height: float, slope: float = 0.0
) -> tuple[str, tuple[Piece, ...]]:
    """Text and pieces of a page, words grouped into visual lines whatever order they were drawn in.

    Invoices are tables: a label and its value are often drawn far apart but stand on one line, and must be read so.
    `slope` is the rise of the lines over their length (a scan laid on crookedly). Words turned another way than most
    come after the rest, in lines of their own.
    """
    by_turn: dict[int, list[Word]] = defaultdict(list)
    for word in words:
        if word.text.strip() and all(math.isfinite(edge) for edge in word.box):
            by_turn[word.turn].append(word)
    directions = sorted(by_turn.items(), key=lambda pair: -sum(len(word.text) for word in pair[1]))
    text: list[str] = []
    pieces: list[Piece] = []
    offset = 0

    def write(part: str) -> None:
        nonlocal offset
        text.append(part)
        offset += len(part)

    for turn, turned in directions:
        previous: _Line | None = None
        for line in _in_reading_order(_lines(_place(turned, turn, width, height, slope))):
            if text:
                write(_line_break(previous, line))
            previous = line
            last: _Placed | None = None
            for placed in _reading_direction(line):
                if last is not None:
                    write(_gap(last, placed))
                start = offset
                write(placed.word.text)
                box = _fractions(placed.word.box, width, height)
                pieces.append(Piece(start, offset, box, placed.word.confidence))
                last = placed
    return "".join(text), tuple(pieces)


def _place(words: list[Word], turn: int, width: float, height: float, slope: float) -> list[_Placed]:
    placed = []
    for word in words:
        x0, y0, x1, y1 = word.box
        left, top, right, bottom = {
            0: (x0, y0, x1, y1),
            90: (y0, width - x1, y1, width - x0),
            180: (width - x1, height - y1, width - x0, height - y0),
            270: (height - y1, x0, height - y0, x1),
        }[turn]
        middle = (top + bottom) / 2 - slope * (left + right) / 2
        placed.append(_Placed(word, left, top, right, bottom, middle))
    return placed


def _lines(placed: list[_Placed]) -> list[_Line]:
    """Words whose middles are within half the smaller height of the line's middle share the line."""
    lines: list[_Line] = []
    middle = smallest = 0.0
    for word in sorted(placed, key=lambda word: word.middle):
        height = max(word.height, 1e-6)
        if lines and abs(word.middle - middle) <= 0.5 * min(height, smallest):
            lines[-1].append(word)
            middle += (word.middle - middle) / len(lines[-1])
            smallest = min(smallest, height)
        else:
            lines.append([word])
            middle, smallest = word.middle, height
    for line in lines:
        line.sort(key=lambda word: word.left)
    return lines


def _reading_direction(line: _Line) -> _Line:
    right_to_left = sum(1 for placed in line if _RIGHT_TO_LEFT.search(placed.word.text))
    return line[::-1] if right_to_left * 2 > len(line) else line


def _gap(last: _Placed, placed: _Placed) -> str:
    between = max(placed.left - last.right, last.left - placed.right)
    return _COLUMN_SPACE if between > _COLUMN_GAP * min(last.height, placed.height) else " "


def _line_break(previous: _Line | None, line: _Line) -> str:
    """An empty line where the page leaves one, so that paragraphs stay apart."""
    if previous is None:
        return "\n\n"
    space = min(word.top for word in line) - max(word.bottom for word in previous)
    tallest = max(word.height for word in (*previous, *line))
    return "\n\n" if space > tallest or space < -3 * tallest else "\n"


def _in_reading_order(lines: list[_Line]) -> list[_Line]:
    """Lines top to bottom, except that blocks of running text in two or more columns are read column by column."""
    ordered: list[_Line] = []
    index = 0
    while index < len(lines):
        end, gutter = _prose_block(lines, index)
        if gutter is None:
            ordered.append(lines[index])
            index += 1
            continue
        block = lines[index:end]
        left = [[word for word in line if word.right <= gutter] for line in block]
        right = [[word for word in line if word.right > gutter] for line in block]
        ordered += [line for line in left if line]
        ordered += _in_reading_order([line for line in right if line])
        index = end
    return ordered


def _prose_block(lines: list[_Line], start: int) -> tuple[int, float | None]:
    """The end of the block of column text that begins at `start` and the x of its first gutter, or (start, None).

    What tells it from a table is many words on both sides of the gutter, line after line.
    """
    gutter = _first_gutter(lines[start])
    if gutter is None:
        return start, None
    end = start
    for line in lines[start:]:
        narrowed = _widest_free(gutter, line)
        if narrowed[1] - narrowed[0] < 0.5 * line[0].height:
            break
        gutter = narrowed
        end += 1
    x = gutter[0]
    sides = [
        (sum(1 for word in line if word.right <= x), sum(1 for word in line if word.right > x))
        for line in lines[start:end]
    ]
    both = sum(1 for left, right in sides if left and right)
    words = min(sum(left for left, _ in sides), sum(right for _, right in sides))
    prose = both >= _PROSE_LINES and words / both >= _PROSE_WORDS
    return (end, x) if prose else (start, None)


def _widest_free(gutter: tuple[float, float], line: _Line) -> tuple[float, float]:
    """The widest part of the gutter that no word of the line stands in."""
    edge, widest = gutter[0], (gutter[0], gutter[0])
    for word in line:
        if word.right > edge:
            if min(word.left, gutter[1]) - edge > widest[1] - widest[0]:
                widest = edge, min(word.left, gutter[1])
            edge = max(edge, word.right)
    return (edge, gutter[1]) if gutter[1] - edge > widest[1] - widest[0] else widest


def _first_gutter(line: _Line) -> tuple[float, float] | None:
    for before, after in itertools.pairwise(line):
        if after.left - before.right > 1.0 * min(before.height, after.height):
            return before.right, after.left
    return None


def _fractions(box: Box, width: float, height: float) -> Box:
    x0, y0, x1, y1 = box

    def part(value: float, whole: float) -> float:
        return round(min(1.0, max(0.0, value / whole)), 5) if whole > 0 else 0.0

    return part(x0, width), part(y0, height), part(x1, width), part(y1, height)
