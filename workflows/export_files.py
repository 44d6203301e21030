"""Rows as CSV and XLSX. What a document says is only text in them: never a formula, never a link."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter

from workflows.exporting import Cell

# Without this mark Excel reads the file in the machine's own code page, and every "é" is two wrong letters.
BOM = "\ufeff"
# How spreadsheets begin a formula, or a cell that turns into one once its first character is dropped. The wide forms are
# read as the narrow ones in some languages.
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MOST_CHARACTERS = 32_000  # an XLSX cell ends at 32,767
MOST_ROWS = 1_000_000  # and a sheet at 1,048,576


class _Line:
    """What the csv module writes to: it gives the line back instead of keeping it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(*, titles: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """One line at a time. Texts are always quoted; numbers are plain, dates ISO."""
    writer: Any = csv.writer(_Line(), quoting=csv.QUOTE_NONNUMERIC)
    yield BOM + writer.writerow([defused(title) for title in titles])
    for row in rows:
        yield writer.writerow([_csv_cell(cell) for cell in row])


def _csv_cell(cell: Cell) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str):
        return defused(cell)
    return _Plain(cell) if isinstance(cell, Decimal) else cell


class _Plain(Decimal):
    """Written with the digits it came with, never as 1E+3."""

    def __str__(self) -> str:
        return f"{self:f}"


def defused(text: str) -> str:
    """A quote before what a spreadsheet would run. It is seen in the cell, which is the lesser evil."""
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


@dataclass(frozen=True, slots=True)
class Sheet:
    """`name` has at most 31 characters and none of []:*?/\\: Excel takes no other."""

    name: str
    titles: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def write_xlsx(
    *, titles: Sequence[str], rows: Iterable[Sequence[Cell]], about: Sequence[tuple[str, str]]
) -> IO[bytes]:
    """The register as one sheet, and a second one about it."""
    return write_book(sheets=[Sheet(name="Register", titles=titles, rows=rows)], about=about)


def write_book(*, sheets: Sequence[Sheet], about: Sequence[tuple[str, str]]) -> IO[bytes]:
    """A temporary file, at its beginning. Rows go to disk as they come; memory does not grow with them.

    Texts are written as texts, which no spreadsheet runs, so they stand as they are.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    book = xlsxwriter.Workbook(
        file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )  # fmt: skip
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    styles = {
        "date": book.add_format({"num_format": "yyyy-mm-dd"}), "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "number": book.add_format({"num_format": "#,##0.######"}),
    }  # fmt: skip
    for one in sheets:
        sheet = book.add_worksheet(one.name)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, max(0, len(one.titles) - 1), 20)
        for column, title in enumerate(one.titles):
            sheet.write_string(0, column, title, bold)
        for number, row in enumerate(one.rows, start=1):
            for column, cell in enumerate(row):
                _write_cell(sheet, number, column, cell, styles)
    told = book.add_worksheet("About")
    told.set_column(0, 0, 18)
    told.set_column(1, 1, 80)
    for number, (name, value) in enumerate(about):
        told.write_string(number, 0, name, bold)
        told.write_string(number, 1, value)
    book.close()
    file.seek(0)
    return file


def _write_cell(sheet: Any, row: int, column: int, cell: Cell, styles: dict[str, Any]) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, datetime):
        sheet.write_datetime(row, column, cell, styles["moment"])
    elif isinstance(cell, date):
        # Excel knows no day before 1900.
        if cell.year < 1900:
            sheet.write_string(row, column, cell.isoformat())
        else:
            sheet.write_datetime(row, column, cell, styles["date"])
    elif isinstance(cell, Decimal | int):
        # A sheet's numbers have 15 digits; a longer one would be another number.
        if len(f"{abs(cell):f}".replace(".", "").strip("0")) > 15:
            sheet.write_string(row, column, f"{cell:f}")
        else:
            sheet.write_number(row, column, float(cell), styles["number"])
    else:
        sheet.write_string(
            row, column, cell if len(cell) <= MOST_CHARACTERS else f"{cell[:MOST_CHARACTERS]}…"
        )
