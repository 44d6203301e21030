"""Texts as written become typed values, and what a person typed is checked, with the same reading of each kind.

Shapes of values: text, e-mail (lower case), URL (with scheme), phone (E.164), date ("2026-11-22"), date-time
("2026-11-22T14:30", offset kept) as str; integer as int; decimal as str; money as {"amount": "12.50", "currency": "EUR"};
yes or no as bool; choice as its key; choices as a list of keys; rows as a list of dicts of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from workflows.drafting.amounts import read_amount, read_number, write_amount
from workflows.drafting.candidates import Candidate, read_time
from workflows.drafting.contacts import read_email, read_phone, read_url
from workflows.drafting.conventions import CODES, Conventions, read_conventions
from workflows.drafting.dates import find_dates, read_date
from workflows.drafting.documents import PageText
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.folding import fold
from workflows.drafting.references import asks_for_reference
from workflows.drafting.schema import OTHER, candidates_by_text

_NOTHING = frozenset(
    {"", "null", "none", "n a", "not given", "not mentioned", "not specified", "not stated", "unknown"}
)
_YES = frozenset({"yes", "true", "y", "1", "ja", "oui", "si", "on"})
_NO = frozenset({"no", "false", "n", "0", "nein", "non", "nee", "off"})
# The letter of a logo, which text from a page puts before the name: "O Oakfield Ltd".
_MONOGRAM = re.compile(r"^([A-Z]) (?=\1[a-z])")
_PERSON = re.compile(r"\b(?:contact|person)\b", re.I)
# Before a first and a last name.
_TITLES = re.compile(
    r"^(?:(?:mr|mrs|ms|miss|dr|prof|herr|frau|mme|mlle|monsieur|madame|dhr|mevr|mw|ing|dipl-ing)\b\.?\s+|(?:m|i\. ?a)\.\s+)+"
    r"(?=[^\W\d_][\w'’-]+\s+\S)",
    re.I,
)
_NO_HABITS = Conventions(regions=(), currency=None, day_first=True, order_is_shown=False)


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
            values[spec.key] = _read_one(given, spec, candidates.get(spec.key, ()), conventions, written)
    return values


def normalise_value(
    *, spec: FieldSpec, text: str, conventions: Conventions = _NO_HABITS, written: date | None = None
) -> Any:
    """The value a text stands for; None for an empty text. Raises ValueError with a sentence for a person."""
    text = text.strip()
    if not text:
        return None
    match spec.kind:
        case Kind.TEXT:
            return _checked_length(spec, _MONOGRAM.sub("", " ".join(text.split())))
        case Kind.LONG_TEXT:
            return _checked_length(spec, text)
        case Kind.INTEGER:
            return int(_in_bounds(spec, _whole(_number(text))))
        case Kind.DECIMAL:
            return f"{_in_bounds(spec, _number(text)):f}"
        case Kind.MONEY:
            return _money(spec, text, conventions)
        case Kind.DATE:
            if found := read_date(text=text, written=written, conventions=conventions):
                return found.day.isoformat()
            raise ValueError(f"{_shown(text)} is not a date. Write it like 2026-11-30.")
        case Kind.DATETIME:
            return _moment(text, conventions, written)
        case Kind.YES_NO:
            return _yes_or_no(text)
        case Kind.CHOICE:
            return _choice(spec, text)
        case Kind.CHOICES:
            return [_choice(spec, part) for part in text.split(",") if part.strip()]
        case Kind.EMAIL:
            if email := read_email(text):
                return email
            raise ValueError(
                f"{_shown(text)} is not an e-mail address. Write one address, like name@firm.example."
            )
        case Kind.PHONE:
            if phone := read_phone(text=text, regions=conventions.regions):
                return phone
            raise ValueError(
                f"{_shown(text)} is not a complete phone number. Write it with its country code, like +44 20 7946 0958."
            )
        case Kind.URL:
            if url := read_url(text):
                return url
            raise ValueError(f"{_shown(text)} is not a web address. Write it like https://firm.example/page.")
        case Kind.ROWS:
            raise ValueError(f"{spec.label} is a list of rows: fill in its cells one by one.")


def validate_values(*, values: Mapping[str, Any], fields: Sequence[FieldSpec]) -> dict[str, str]:
    """What is wrong with values a person left, by key, cells as `lines[0].amount`; empty when all is well. A value may be in
    its stored shape or as typed."""
    problems: dict[str, str] = {}
    for spec in fields:
        value = values.get(spec.key)
        if spec.kind is Kind.ROWS:
            problems |= _problems_of_rows(spec, value)
        elif problem := _problem_of(spec, value):
            problems[spec.key] = problem
    known = {spec.key for spec in fields}
    for key in values:
        if key not in known:
            problems[key] = "This workflow has no such field. Reload the page to see its present fields."
    return problems


def typed_value(*, spec: FieldSpec, value: Any) -> Any:
    """The stored shape of what a person typed or a stored value given again. Raises ValueError in words."""
    if value is None or value == "" or value == []:
        return None
    if spec.kind is Kind.MONEY and isinstance(value, Mapping):
        amount, currency = (
            str(value.get("amount") or "").strip(),
            str(value.get("currency") or "").strip().upper(),
        )
        if not amount:
            return None
        if currency not in CODES and not re.fullmatch(r"[A-Z]{3}", currency):
            raise ValueError("The currency is missing. Write its three letters, like EUR.")
        return {"amount": write_amount(_in_bounds(spec, _number(amount))), "currency": currency}
    if spec.kind is Kind.YES_NO and isinstance(value, bool):
        return value
    if spec.kind is Kind.CHOICES and isinstance(value, list):
        return [_choice(spec, str(part)) for part in value]
    if isinstance(value, bool | list | dict):
        raise ValueError(f"{spec.label} cannot be read in this form. Type it again.")
    return normalise_value(spec=spec, text=str(value))


def _problem_of(spec: FieldSpec, value: Any) -> str | None:
    try:
        typed = typed_value(spec=spec, value=value)
    except ValueError as problem:
        return str(problem)
    if typed is None and spec.required:
        return f"{spec.label} is needed and empty. Fill it in, or send the item back with a note."
    return None


def _problems_of_rows(spec: FieldSpec, value: Any) -> dict[str, str]:
    if value is None or value == "" or value == []:
        return (
            {spec.key: f"{spec.label} is needed and has no row. Add one, or send the item back with a note."}
            if spec.required
            else {}
        )
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return {
            spec.key: f"{spec.label} cannot be read in this form. Reload the page and fill in its rows again."
        }
    problems = {}
    if spec.max_length and len(value) > spec.max_length:
        problems[spec.key] = (
            f"{spec.label} holds at most {spec.max_length} rows and has {len(value)}. Remove the ones not needed."
        )
    for number, row in enumerate(value):
        for column in spec.columns:
            if problem := _problem_of(column, row.get(column.key)):
                problems[f"{spec.key}[{number}].{column.key}"] = problem
    return problems


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
    if asks_for_reference(spec) and not any(character.isdigit() for character in text):
        return FieldValue(value=None, as_written=text, problems=(f"{_shown(text)} holds no number.",))
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


def _from_candidate(candidate: Candidate, spec: FieldSpec, text: str) -> FieldValue:
    problems: tuple[str, ...] = ()
    value = candidate.value
    if value is None:
        problems = (f"{_shown(text)} has no time of day.",)
    elif spec.kind is Kind.MONEY:
        problems = _money_problem(spec, value)
        try:
            _in_bounds(spec, Decimal(value["amount"]))
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


def _checked_length(spec: FieldSpec, text: str) -> str:
    if spec.max_length and len(text) > spec.max_length:
        raise ValueError(
            f"{spec.label} holds at most {spec.max_length} characters and has {len(text)}. Shorten it."
        )
    return text


def _number(text: str) -> Decimal:
    number = read_number(text)
    if number is None:
        stretches = re.findall(r"[-−]?\d[\d.,'’]*(?:\s\d{3}\b)*", text)
        number = read_number(stretches[0].rstrip(".,")) if len(stretches) == 1 else None  # "12 pieces"
    if number is None:
        raise ValueError(f"{_shown(text)} is not one number. Write it in digits, like 1250.50.")
    return number


def _whole(number: Decimal) -> Decimal:
    if number != number.to_integral_value():
        raise ValueError(f"{number} is not a whole number. Write it without decimals.")
    return number


def _in_bounds(spec: FieldSpec, number: Decimal) -> Decimal:
    if spec.minimum is not None and number < spec.minimum:
        raise ValueError(f"{spec.label} is {number:f}; the least allowed is {spec.minimum:f}.")
    if spec.maximum is not None and number > spec.maximum:
        raise ValueError(f"{spec.label} is {number:f}; the most allowed is {spec.maximum:f}.")
    return number


def _money(spec: FieldSpec, text: str, conventions: Conventions) -> dict[str, str | None]:
    found = read_amount(text=text)
    if found is None:
        raise ValueError(f"{_shown(text)} is not one amount. Write it like 1250.50 EUR.")
    currency = found.currency or conventions.currency
    if currency is None and conventions is _NO_HABITS:
        raise ValueError("The currency is missing. Write its three letters, like EUR.")
    return {"amount": write_amount(_in_bounds(spec, found.amount)), "currency": currency}


def _moment(text: str, conventions: Conventions, written: date | None) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        day = read_date(text=text, written=written, conventions=conventions)
        if day is None:
            raise ValueError(
                f"{_shown(text)} is not a date with a time. Write it like 2026-11-30 14:30."
            ) from None
        time = read_time(text[: day.start]) or read_time(text[day.end :])
        if time is None:
            raise ValueError(f"{_shown(text)} has no time of day. Write it like 2026-11-30 14:30.") from None
        return f"{day.day.isoformat()}T{time}"
    if len(text) <= 10:
        raise ValueError(f"{_shown(text)} has no time of day. Write it like 2026-11-30 14:30.")
    return moment.isoformat(timespec="minutes")


def _yes_or_no(text: str) -> bool:
    word = fold(text)
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(f"{_shown(text)} is neither yes nor no. Choose one of them.")


def _choice(spec: FieldSpec, text: str) -> str:
    for choice in spec.choices:
        if fold(text) in {fold(choice.key), fold(choice.label)}:
            return choice.key
    names = ", ".join(choice.label or choice.key.replace("_", " ") for choice in spec.choices)
    raise ValueError(f"{_shown(text)} is not one of the choices of {spec.label}: {names}.")


def _shown(text: str) -> str:
    return f"“{text[:60]}{'…' if len(text) > 60 else ''}”"
