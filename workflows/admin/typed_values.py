"""Fields of an item as inputs, and what a person typed into them as values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.values import typed_value


@dataclass(frozen=True, slots=True)
class Input:
    """`shape`: line, area, money, choice, choices, rows. `text` is what stands in it; of money the amount."""

    spec: FieldSpec
    name: str
    shape: str
    text: str = ""
    currency: str = ""
    chosen: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    problem: str = ""


SHAPES = {
    Kind.LONG_TEXT: "area", Kind.MONEY: "money", Kind.CHOICE: "choice", Kind.YES_NO: "choice", Kind.CHOICES: "choices",
    Kind.ROWS: "rows",
}  # fmt: skip


def inputs_of(
    *,
    fields: Sequence[FieldSpec],
    values: Mapping[str, Any],
    typed: QueryDict | None = None,
    problems: Mapping[str, str] | None = None,
) -> list[Input]:
    """With `typed`, what the person wrote stands in them and not what is stored: nobody types anything twice."""
    problems = problems or {}
    return [
        _input(spec=spec, value=values.get(spec.key), typed=typed, problem=_problem(spec.key, problems))
        for spec in fields
    ]


def _problem(key: str, problems: Mapping[str, str]) -> str:
    return " ".join(said for place, said in problems.items() if place == key or place.startswith(f"{key}["))


def _input(*, spec: FieldSpec, value: Any, typed: QueryDict | None, problem: str) -> Input:
    name = f"value-{spec.key}"
    shape = SHAPES.get(spec.kind, "line")
    if typed is not None:
        chosen, text, currency = (
            tuple(typed.getlist(name)),
            typed.get(name, ""),
            typed.get(f"{name}-currency", ""),
        )
    else:
        chosen, text, currency = _shown(spec=spec, value=value)
    return Input(
        spec=spec,
        name=name,
        shape=shape,
        text=text,
        currency=currency,
        chosen=chosen,
        options=_options(spec),
        problem=problem,
    )


def _shown(*, spec: FieldSpec, value: Any) -> tuple[tuple[str, ...], str, str]:
    if value is None:
        return (), "", ""
    if spec.kind is Kind.MONEY and isinstance(value, dict):
        return (), str(value.get("amount") or ""), str(value.get("currency") or "")
    if spec.kind is Kind.ROWS:
        return (), json.dumps(value, indent=2, ensure_ascii=False), ""
    if spec.kind is Kind.YES_NO:
        return ("yes" if value else "no",), "", ""
    if isinstance(value, list):
        return tuple(str(one) for one in value), "", ""
    return (str(value),), str(value), ""


def _options(spec: FieldSpec) -> tuple[tuple[str, str], ...]:
    if spec.kind is Kind.YES_NO:
        return (("yes", "Yes"), ("no", "No"))
    return tuple((one.key, one.label or one.key.replace("_", " ")) for one in spec.choices)


def read_typed(*, fields: Sequence[FieldSpec], typed: QueryDict) -> tuple[dict[str, Any], dict[str, str]]:
    """Values in their stored shapes, and in words what cannot be read, by field. A field that was not sent is left out."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for spec in fields:
        name = f"value-{spec.key}"
        # A list with nothing chosen in it is not sent at all; a hidden input beside it says that it was there.
        if name not in typed and f"{name}-there" not in typed:
            continue
        try:
            values[spec.key] = _read(spec=spec, name=name, typed=typed)
        except ValueError as error:
            problems[spec.key] = str(error)
    return values, problems


def _read(*, spec: FieldSpec, name: str, typed: QueryDict) -> Any:
    if spec.kind is Kind.MONEY:
        return typed_value(
            spec=spec, value={"amount": typed.get(name, ""), "currency": typed.get(f"{name}-currency", "")}
        )
    if spec.kind is Kind.CHOICES:
        return typed_value(spec=spec, value=[one for one in typed.getlist(name) if one])
    if spec.kind is Kind.ROWS:
        return _read_rows(spec=spec, text=typed.get(name, ""))
    return typed_value(spec=spec, value=typed.get(name, "").replace("\x00", "").strip())


def _read_rows(*, spec: FieldSpec, text: str) -> list[dict[str, Any]] | None:
    if not text.strip():
        return None
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(
            "The rows cannot be read. Keep the brackets, quotes and commas as they were."
        ) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError('Write a list of rows, like [{"amount": "5"}].')
    known = {column.key: column for column in spec.columns}
    for row in rows:
        if unknown := sorted(row.keys() - known.keys()):
            raise ValueError(f"There is no column “{unknown[0]}”.")
    return [
        {key: typed_value(spec=column, value=row.get(key)) for key, column in known.items()} for row in rows
    ]
