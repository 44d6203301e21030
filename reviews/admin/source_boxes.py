"""Where a stretch of a page's text stands on the picture of the page."""

from __future__ import annotations

from collections.abc import Sequence

Box = tuple[float, float, float, float]  # x0, y0, x1, y1: fractions of the page, origin at its top left
StoredPiece = Sequence[float | None]  # start, end, x0, y0, x1, y1, confidence: a row of Page.pieces

# Words further apart than this many heights of their line stand in different columns.
_COLUMN_GAP = 2.0


def boxes_of(*, pieces: Sequence[StoredPiece], start: int, end: int, ratio: float = 1.0) -> list[Box]:
    """One box for each line (or column of a line) that `text[start:end]` stands on. `ratio` is width over height.

    A piece is a word of a PDF or a whole line of a scan. Of a piece that only begins or ends in the stretch, the part
    that its letters take up if all were equally wide, and one letter more on each cut side, because they are not; the
    whole piece where it is taller than wide (turned text).
    """
    boxes: list[Box] = []
    for piece in pieces:
        first, last = int(piece[0] or 0), int(piece[1] or 0)
        if first < end and last > start:
            box = _part(
                box=(piece[2] or 0.0, piece[3] or 0.0, piece[4] or 0.0, piece[5] or 0.0),
                begins=max(start - first - 1, 0) / (last - first),
                ends=min(end - first + 1, last - first) / (last - first),
                ratio=ratio,
            )
            if boxes and _goes_on(boxes[-1], box, ratio):
                boxes[-1] = _around(boxes[-1], box)
            else:
                boxes.append(box)
    return boxes


def _part(*, box: Box, begins: float, ends: float, ratio: float) -> Box:
    x0, y0, x1, y1 = box
    width = x1 - x0
    if width * ratio < y1 - y0:
        return box
    return (x0 + width * begins, y0, x0 + width * ends, y1)


def _goes_on(box: Box, following: Box, ratio: float) -> bool:
    """Whether the second goes on in the line of the first."""
    lower = min(box[3] - box[1], following[3] - following[1])
    shared = min(box[3], following[3]) - max(box[1], following[1])
    gap = (following[0] - box[2]) * ratio
    return lower > 0 and shared > lower / 2 and -lower < gap < _COLUMN_GAP * lower


def _around(one: Box, other: Box) -> Box:
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )
