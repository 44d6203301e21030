"""Texts as a model wrote them become typed values of the fields, each with what is wrong, doubtful or worked out about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from workflows.drafting.amounts import read_amount
from workflows.drafting.candidates import Candidate
from workflows.drafting.conventions import Conventions, read_conventions
from workflows.drafting.dates import find_dates
from workflows.drafting.documents import PageText, newest_and_older
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.folding import fold
from workflows.drafting.references import asks_for_model, asks_for_reference, names_a_model
from workflows.drafting.schema import OTHER, candidates_by_text
from workflows.drafting.typed import in_bounds, normalise_value, shown

_NOTHING = frozenset(
    {"", "null", "none", "n a", "not given", "not mentioned", "not specified", "not stated", "unknown"}
)
_PERSON = re.compile(r"\b(?:contact|person)\b", re.I)
# Before a first and a last name.
_TITLES = re.compile(
    r"^(?:(?:mr|mrs|ms|miss|dr|prof|herr|frau|mme|mlle|monsieur|madame|dhr|mevr|mw|ing|dipl-ing)\b\.?\s+|(?:m|i\. ?a)\.\s+)+"
    r"(?=[^\W\d_][\w'’-]+\s+\S)",
    re.I,
)
# What an older mail says of these is somebody else's, or past.
_OF_THE_NEWEST = frozenset({Kind.MONEY, Kind.DATE, Kind.DATETIME, Kind.EMAIL, Kind.PHONE})
_ENOUGH_DIGITS = 6  # of a telephone number, from its end: its beginning may be written in several ways
_NUMBER = re.compile(r"\d[\d.,'’ \u00a0\u202f]*")


@dataclass(frozen=True)
class FieldValue:
    """`value` is None where nothing was given or nothing could be read; then `as_written` keeps what the model wrote.
    For rows, `rows` holds a dict of `FieldValue` per row."""

    value: Any
    as_written: str | None = None
    problems: tuple[str, ...] = ()
    derived: bool = False  # worked out, not copied
    doubtful: bool = False  # can be read in two ways
    offered: bool = False  # one of the texts found by code
    rows: tuple[dict[str, FieldValue], ...] = ()


def read_values(
    *,
    raw: Mapping[str, Any],
    fields: Sequence[FieldSpec],
    candidates: Mapping[str, Sequence[Candidate]],
    pages: Sequence[PageText],
    written: date | None = None,
) -> dict[str, FieldValue]:
    """Never raises for what a model wrote: what cannot be read becomes a problem on its field. `written`: the day relative
    dates count from."""
    conventions = read_conventions(pages=pages)
    values = {}
    for spec in fields:
        given = raw.get(spec.key)
        if spec.kind is Kind.ROWS:
            values[spec.key] = _read_rows(given, spec, candidates, conventions, written)
        else:
            found = candidates.get(spec.key, ())
            values[spec.key] = _of_the_document(
                _read_one(given, spec, found, conventions, written), spec, found, pages
            )
    return values


def _read_rows(
    given: Any,
    spec: FieldSpec,
    candidates: Mapping[str, Sequence[Candidate]],
    conventions: Conventions,
    written: date | None,
) -> FieldValue:
    if given is None:
        return FieldValue(value=[])
    if not isinstance(given, list):
        return FieldValue(value=[], as_written=str(given)[:200], problems=("The model gave no list here.",))
    rows = []
    for row in given:
        if isinstance(row, dict):
            cells = {
                column.key: _read_one(
                    row.get(column.key),
                    column,
                    candidates.get(f"{spec.key}[].{column.key}", ()),
                    conventions,
                    written,
                )
                for column in spec.columns
            }
            if any(cell.value is not None or cell.as_written for cell in cells.values()):
                rows.append(cells)  # a row of nothing is how a small model ends a list
    problems = (
        [] if len(rows) == len(given) else ["The model gave rows without any value; they were left out."]
    )
    if spec.max_length and len(rows) >= spec.max_length:
        problems.append("The list is as long as it may be: rows may be missing.")
    return FieldValue(
        value=[{key: cell.value for key, cell in row.items()} for row in rows],
        problems=tuple(problems),
        rows=tuple(rows),
    )


def _read_one(
    given: Any, spec: FieldSpec, found: Sequence[Candidate], conventions: Conventions, written: date | None
) -> FieldValue:
    text = _as_text(given, spec)
    if text is None:
        return FieldValue(value=None)
    if isinstance(given, bool) and spec.kind is Kind.YES_NO:
        return FieldValue(value=given, as_written=None)
    candidate = candidates_by_text(found).get(text)
    if candidate:
        return _from_candidate(candidate, spec, text)
    if spec.kind is Kind.TEXT and _PERSON.search(f"{spec.key.replace('_', ' ')} {spec.label}"):
        text = _TITLES.sub("", text)  # "Dr Ann Lee" and "Ann Lee" are one contact; "Dr Lee" stays as it is
    asks_for_digits = asks_for_reference(spec) or asks_for_model(spec)
    if asks_for_digits and not any(character.isdigit() for character in text):
        return FieldValue(value=None, as_written=text, problems=(f"{shown(text)} holds no number.",))
    if asks_for_reference(spec) and not spec.required and names_a_model(text):
        problem = f"{shown(text)} is a machine, a size or an alarm, not a number of this kind."
        return FieldValue(value=None, as_written=text, problems=(problem,))
    try:
        value = normalise_value(spec=spec, text=text, conventions=conventions, written=written)
    except ValueError as problem:
        return FieldValue(value=None, as_written=text, problems=(str(problem),))
    if spec.kind in {Kind.CHOICE, Kind.CHOICES, Kind.YES_NO}:
        return FieldValue(value=value)
    derived, doubtful = _worked_out(spec, text, value, conventions, written)
    return FieldValue(
        value=value, as_written=text, problems=_money_problem(spec, value), derived=derived, doubtful=doubtful
    )


def _of_the_document(
    value: FieldValue, spec: FieldSpec, found: Sequence[Candidate], pages: Sequence[PageText]
) -> FieldValue:
    """Nothing, where an optional value was written out though it was not offered, and the document does not say it: it stands
    nowhere (a small model takes such values from its examples), or only in the older mails of a reply."""
    written = value.as_written
    if spec.required or value.offered or written is None or spec.kind not in {*_OF_THE_NEWEST, Kind.TEXT}:
        return value
    newest, older = newest_and_older(pages)
    said = any(one.value == value.value for one in found)  # 2026-11-04 for 4 November
    if not said and not _stands_in(newest + older, written, spec):
        problem = f"{shown(written)} stands nowhere in the document."
    elif spec.kind in _OF_THE_NEWEST and fold(written) in fold(older) and fold(written) not in fold(newest):
        problem = f"{shown(written)} stands only in an older message."
    else:
        return value
    return FieldValue(value=None, as_written=written, problems=(problem,))


def _stands_in(text: str, written: str, spec: FieldSpec) -> bool:
    """As written; by its digits, since a number may be parted otherwise; a text by any of its words."""
    if fold(written) in fold(text):
        return True
    if spec.kind is Kind.TEXT:
        return not spec.needs_evidence or not set(fold(written).split()).isdisjoint(fold(text).split())
    if spec.kind is Kind.PHONE:
        return _digits(written)[-_ENOUGH_DIGITS:] in _digits(text)
    if spec.kind is Kind.MONEY:
        return any(_digits(number) == _digits(written) for number in _NUMBER.findall(text))
    return False


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdecimal())


def _from_candidate(candidate: Candidate, spec: FieldSpec, text: str) -> FieldValue:
    problems: tuple[str, ...] = ()
    value = candidate.value
    if value is None:
        problems = (f"{shown(text)} has no time of day.",)
    elif spec.kind is Kind.MONEY:
        problems = _money_problem(spec, value)
        try:
            in_bounds(spec, Decimal(value["amount"]))
        except ValueError as problem:
            problems = (*problems, str(problem))
    return FieldValue(value, text, problems, candidate.derived, candidate.doubtful, offered=True)


def _money_problem(spec: FieldSpec, value: Any) -> tuple[str, ...]:
    if spec.kind is Kind.MONEY and value and not value["currency"]:
        return ("No currency is written in the document.",)
    return ()


def _worked_out(
    spec: FieldSpec, text: str, value: Any, conventions: Conventions, written: date | None
) -> tuple[bool, bool]:
    if spec.kind in {Kind.DATE, Kind.DATETIME}:
        found = find_dates(text=text, written=written, conventions=conventions)
        return any(item.derived for item in found), any(item.doubtful for item in found)
    if spec.kind is Kind.MONEY and (amount := read_amount(text=text)):
        return amount.currency is None, False
    return False, False


def _as_text(given: Any, spec: FieldSpec) -> str | None:
    """What a model wrote, as one text: also from servers that enforce no schema and send numbers or small objects."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        given = " ".join(str(given[key]) for key in ("amount", "currency") if given.get(key) is not None)
    if isinstance(given, list):
        given = ",".join(str(part) for part in given)
    text = str(given).strip()
    if text.casefold().startswith(OTHER.strip()) and spec.kind not in {Kind.CHOICE, Kind.CHOICES}:
        text = text[len(OTHER.strip()) :].strip()
    if spec.kind is not Kind.LONG_TEXT:
        text = " ".join(text.split())
    return None if fold(text) in _NOTHING and spec.kind not in {Kind.CHOICE, Kind.CHOICES} else text
