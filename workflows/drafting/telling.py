"""A value in words: what screens, the register's search and exports show of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflows.drafting.fields import FieldSpec, Kind


def told_value(*, value: Any, spec: FieldSpec | None = None) -> str:
    """A value in words, the label of a choice and not its key; a dash where there is none."""
    if value is None or value == "" or value == []:
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Mapping):
        # A row may have a column of the name “amount”.
        if "amount" in value and (spec is None or spec.kind is not Kind.ROWS):
            return f"{value.get('amount') or '–'} {value.get('currency') or ''}".strip()
        columns = {column.key: column for column in spec.columns} if spec else {}
        return ", ".join(
            f"{columns[key].label if key in columns else key.replace('_', ' ')}: {told_value(value=cell, spec=columns.get(key))}"
            for key, cell in in_order(values=value, specs=columns.values()).items()
        )
    if isinstance(value, list):
        between = "\n" if isinstance(value[0], Mapping) else ", "
        return between.join(told_value(value=one, spec=spec) for one in value)
    if spec is not None:
        for one in spec.choices:
            if one.key == value:
                return one.label or one.key.replace("_", " ")
    return str(value)


def in_order(*, values: Mapping[str, Any], specs: Iterable[FieldSpec]) -> dict[str, Any]:
    """As the fields stand in the version, then what none of them knows. PostgreSQL gives JSON back in an order of its own."""
    known = [spec.key for spec in specs if spec.key in values]
    return {key: values[key] for key in dict.fromkeys((*known, *values))}
