"""Fields of an item as inputs, and what a person typed into them as values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.typed import typed_value


@dataclass(frozen=True, slots=True)
class Input:
    """`shape`: line, area, money, choice, choices, rows. `text` is what stands in it; of money the amount. Of rows, `rows`
    holds the inputs of each cell, `blank` those of a row to add, and `spare` the same with the next free number."""

    spec: FieldSpec
    name: str
    shape: str
    text: str = ""
    currency: str = ""
    chosen: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    rows: tuple[tuple[Input, ...], ...] = ()
    blank: tuple[Input, ...] = ()
    spare: tuple[Input, ...] = ()

    def written(self) -> Any:
        """What stands in the inputs, by the rest of their names: how a page compares it, and puts it back."""
        if self.shape == "rows":
            return [
                {cell.spec.key + rest: text for cell in row for rest, text in cell.written().items()}
                for row in self.rows
            ]
        if self.shape == "choices":
            return {"": list(self.chosen)}
        if self.shape == "choice":
            return {"": self.chosen[0] if self.chosen else ""}
        return {"": self.text, "-currency": self.currency} if self.shape == "money" else {"": self.text}


ROW = "__row__"  # stands for the number of a row that is added on the page
MOST_ROWS = 500
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
        _input(
            spec=spec,
            value=values.get(spec.key),
            typed=typed if _was_sent(spec, typed) else None,
            problem=_problem(spec.key, problems),
        )
        for spec in fields
    ]


def _was_sent(spec: FieldSpec, typed: QueryDict | None) -> bool:
    """A page that sent nothing of a field emptied nothing: a button elsewhere, or a field that came later."""
    name = f"value-{spec.key}"
    return typed is not None and (name in typed or f"{name}-there" in typed)


def _problem(key: str, problems: Mapping[str, str]) -> str:
    return " ".join(said for place, said in problems.items() if place == key or place.startswith(f"{key}["))


def _input(*, spec: FieldSpec, value: Any, typed: QueryDict | None, problem: str, name: str = "") -> Input:
    name = name or f"value-{spec.key}"
    if spec.kind is Kind.ROWS:
        return _rows_input(spec=spec, value=value, typed=typed, problem=problem, name=name)
    if typed is not None:
        chosen, text, currency = (
            tuple(typed.getlist(name)),
            typed.get(name, ""),
            typed.get(f"{name}-currency", ""),
        )
    else:
        chosen, text, currency = _shown(spec=spec, value=value)
    return Input(
        spec=spec, name=name, shape=SHAPES.get(spec.kind, "line"), text=text, currency=currency, chosen=chosen,
        options=_options(spec), problem=problem,
    )  # fmt: skip


def _rows_input(*, spec: FieldSpec, value: Any, typed: QueryDict | None, problem: str, name: str) -> Input:
    stored = [row if isinstance(row, dict) else {} for row in value] if isinstance(value, list) else []
    numbers = _row_numbers(name=name, typed=typed) if typed is not None else list(range(len(stored)))

    def cells(number: int | str, row: Mapping[str, Any]) -> tuple[Input, ...]:
        return tuple(
            _input(
                spec=column, value=row.get(column.key), typed=typed if number in numbers else None, problem="",
                name=f"{name}-{number}-{column.key}",
            )
            for column in spec.columns
        )  # fmt: skip

    return Input(
        spec=spec, name=name, shape="rows", problem=problem, blank=cells(ROW, {}),
        spare=cells(max(numbers, default=-1) + 1, {}),
        rows=tuple(cells(number, stored[number] if typed is None else {}) for number in numbers),
    )  # fmt: skip


def _row_numbers(*, name: str, typed: QueryDict) -> list[int]:
    """Rows keep the number they had on the page; one that was removed leaves a gap."""
    found = {int(told[1]) for key in typed if (told := re.match(rf"{re.escape(name)}-(\d{{1,5}})-", key))}
    return sorted(found)[:MOST_ROWS]


def _shown(*, spec: FieldSpec, value: Any) -> tuple[tuple[str, ...], str, str]:
    if value is None:
        return (), "", ""
    if spec.kind is Kind.MONEY and isinstance(value, dict):
        return (), str(value.get("amount") or ""), str(value.get("currency") or "")
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
        return _read_rows(spec=spec, name=name, typed=typed)
    return typed_value(spec=spec, value=typed.get(name, "").replace("\x00", "").strip())


def _read_rows(*, spec: FieldSpec, name: str, typed: QueryDict) -> list[dict[str, Any]] | None:
    """A row in which nothing stands is no row."""
    rows: list[dict[str, Any]] = []
    problems = []
    for number in _row_numbers(name=name, typed=typed):
        row: dict[str, Any] = {}
        for column in spec.columns:
            try:
                row[column.key] = _read(spec=column, name=f"{name}-{number}-{column.key}", typed=typed)
            except ValueError as error:
                problems.append(f"Row {len(rows) + 1}, {column.label}: {error}")
                row[column.key] = ""
        if any(value is not None for value in row.values()):
            rows.append(row)
    if problems:
        raise ValueError(" ".join(problems[:5]))
    return rows or None
