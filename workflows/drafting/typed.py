"""A text becomes the typed value it stands for, and what a person typed is checked: one reading of each kind for both.

Shapes of values: text, e-mail (lower case), URL (with scheme), phone (E.164), date ("2026-11-22"), date-time
("2026-11-22T14:30", offset kept) as str; integer as int; decimal as str; money as {"amount": "12.50", "currency": "EUR"};
yes or no as bool; choice as its key; choices as a list of keys; rows as a list of dicts of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from workflows.drafting.amounts import read_amount, read_number, write_amount
from workflows.drafting.candidates import read_time
from workflows.drafting.contacts import read_email, read_phone, read_url
from workflows.drafting.conventions import CODES, Conventions
from workflows.drafting.dates import read_date
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.folding import fold

_YES = frozenset({"yes", "true", "y", "1", "ja", "oui", "si", "on"})
_NO = frozenset({"no", "false", "n", "0", "nein", "non", "nee", "off"})
NO_HABITS = Conventions(regions=(), currency=None, day_first=True, order_is_shown=False)
# The letter of a logo, which text from a page puts before the name: "O Oakfield Ltd".
_MONOGRAM = re.compile(r"^([A-Z]) (?=\1[a-z])")


def normalise_value(
    *, spec: FieldSpec, text: str, conventions: Conventions = NO_HABITS, written: date | None = None
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
            return int(in_bounds(spec, _whole(_number(text))))
        case Kind.DECIMAL:
            return f"{in_bounds(spec, _number(text)):f}"
        case Kind.MONEY:
            return _money(spec, text, conventions)
        case Kind.DATE:
            if found := read_date(text=text, written=written, conventions=conventions):
                return found.day.isoformat()
            raise ValueError(f"{shown(text)} is not a date. Write it like 2026-11-30.")
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
                f"{shown(text)} is not an e-mail address. Write one address, like name@firm.example."
            )
        case Kind.PHONE:
            if phone := read_phone(text=text, regions=conventions.regions):
                return phone
            raise ValueError(
                f"{shown(text)} is not a complete phone number. Write it with its country code, like +44 20 7946 0958."
            )
        case Kind.URL:
            if url := read_url(text):
                return url
            raise ValueError(f"{shown(text)} is not a web address. Write it like https://firm.example/page.")
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
        return {"amount": write_amount(in_bounds(spec, _number(amount))), "currency": currency}
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
        raise ValueError(f"{shown(text)} is not one number. Write it in digits, like 1250.50.")
    return number


def _whole(number: Decimal) -> Decimal:
    if number != number.to_integral_value():
        raise ValueError(f"{number} is not a whole number. Write it without decimals.")
    return number


def in_bounds(spec: FieldSpec, number: Decimal) -> Decimal:
    if spec.minimum is not None and number < spec.minimum:
        raise ValueError(f"{spec.label} is {number:f}; the least allowed is {spec.minimum:f}.")
    if spec.maximum is not None and number > spec.maximum:
        raise ValueError(f"{spec.label} is {number:f}; the most allowed is {spec.maximum:f}.")
    return number


def _money(spec: FieldSpec, text: str, conventions: Conventions) -> dict[str, str | None]:
    found = read_amount(text=text)
    if found is None:
        raise ValueError(f"{shown(text)} is not one amount. Write it like 1250.50 EUR.")
    currency = found.currency or conventions.currency
    if currency is None and conventions is NO_HABITS:
        raise ValueError("The currency is missing. Write its three letters, like EUR.")
    return {"amount": write_amount(in_bounds(spec, found.amount)), "currency": currency}


def _moment(text: str, conventions: Conventions, written: date | None) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        day = read_date(text=text, written=written, conventions=conventions)
        if day is None:
            raise ValueError(
                f"{shown(text)} is not a date with a time. Write it like 2026-11-30 14:30."
            ) from None
        time = read_time(text[: day.start]) or read_time(text[day.end :])
        if time is None:
            raise ValueError(f"{shown(text)} has no time of day. Write it like 2026-11-30 14:30.") from None
        return f"{day.day.isoformat()}T{time}"
    if len(text) <= 10:
        raise ValueError(f"{shown(text)} has no time of day. Write it like 2026-11-30 14:30.")
    return moment.isoformat(timespec="minutes")


def _yes_or_no(text: str) -> bool:
    word = fold(text)
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(f"{shown(text)} is neither yes nor no. Choose one of them.")


def _choice(spec: FieldSpec, text: str) -> str:
    for choice in spec.choices:
        if fold(text) in {fold(choice.key), fold(choice.label)}:
            return choice.key
    names = ", ".join(choice.label or choice.key.replace("_", " ") for choice in spec.choices)
    raise ValueError(f"{shown(text)} is not one of the choices of {spec.label}: {names}.")


def shown(text: str) -> str:
    return f"“{text[:60]}{'…' if len(text) > 60 else ''}”"
