"""CSV -> one line for each row, every value beside the name of its column, so that a quote can be found and read."""

import csv
import io
import re
from collections import Counter

from integrations.documents.budget import Budget, cut_to_length
from integrations.documents.pages import Page, Reading, Reason, Unreadable
from integrations.documents.plain import clean_text, decode_text

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 30
_NUMBER = re.compile(r"[-+]?[\d.,\s]*\d[\d.,\s]*%?")


def read_table(*, content: bytes, budget: Budget) -> Reading:
    """ "name: value | name: value" where the first row names the columns, else "value | value". Raises Unreadable(empty)."""
    limits = budget.limits
    text = clean_text(decode_text(content))
    csv.field_size_limit(limits.max_characters)
    rows: list[list[str]] = []
    notes: list[str] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)):
            cells = [" ".join(cell.split()) for cell in row]
            if not any(cells):
                continue
            if len(rows) > limits.max_rows:
                notes.append(f"Only the first {limits.max_rows:,} rows of the table were read.")
                break
            rows.append(cells)
    except csv.Error:
        notes.append(f"The table is not well formed after row {len(rows)}; the rest was left out.")
    if not rows:
        raise Unreadable(Reason.EMPTY)
    pages, cut = cut_to_length(pages=[Page(1, "\n".join(_lines(rows)))], limit=limits.max_characters)
    return Reading("csv", "text/csv", pages, notes=(*notes, cut) if cut else tuple(notes))


def _lines(rows: list[list[str]]) -> list[str]:
    names = rows[0]
    if len(rows) == 1 or not _names_columns(names):
        return [" | ".join(row) for row in rows]
    lines = []
    for row in rows[1:]:
        named = [
            f"{names[index]}: {value}" if index < len(names) else value
            for index, value in enumerate(row)
            if value
        ]
        lines.append(" | ".join(named))
    return lines


def _names_columns(row: list[str]) -> bool:
    """Names are all there, all different, and none is a number."""
    return all(row) and len(set(row)) == len(row) and not any(_NUMBER.fullmatch(cell) for cell in row)


def _delimiter(text: str) -> str:
    """The one that cuts the first rows into the same number of columns most often; csv.Sniffer guesses by letters too."""
    sample = "\n".join(text.split("\n", _SAMPLE_ROWS)[:_SAMPLE_ROWS])
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        try:
            widths = [
                len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row
            ]
        except csv.Error:
            continue
        (width, times), *_ = Counter(widths).most_common(1) or [(1, 0)]
        score = times / len(widths) + width / 1000 if width > 1 else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best
