"""Values known to be right: how a case's are kept, and how a draft is held against them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflows.drafting.compare import same_value
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.typed import typed_value
from workflows.models import Case, Field, Label, Workflow
from workflows.people import acting


def specs_of(*, workflow: Workflow) -> dict[str, FieldSpec]:
    """Every field that a version of the workflow has or had, by key; the newest version's words win."""
    rows = Field.objects.filter(version__workflow=workflow).order_by("version__number", "position", "pk")
    return {row.key: row.spec() for row in rows}


def gold_value(*, spec: FieldSpec, value: Any) -> Any:
    """The stored shape of a value as written in a file. Raises ValueError in words."""
    if spec.kind is not Kind.ROWS:
        return typed_value(spec=spec, value=value)
    if value is None or value == "":
        return None
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ValueError(
            f"{spec.label} is a list of rows: write it as a list, each row with its columns by key."
        )
    columns = {column.key: column for column in spec.columns}
    if unknown := next((key for row in value for key in row if key not in columns), None):
        raise ValueError(f"{spec.label} has no column “{unknown}”. Its columns: {', '.join(columns)}.")
    return [
        {key: typed_value(spec=column, value=row.get(key)) for key, column in columns.items()}
        for row in value
    ]


def write_gold(*, case: Case, values: Mapping[str, Any], by: Any) -> bool:
    """Put these in the place of the case's gold values; False when they were the same."""
    known = {label.key: label for label in case.labels.filter(origin=Label.Origin.GOLD)}
    if {key: label.value for key, label in known.items()} == dict(values):
        return False
    for key, label in known.items():
        if key not in values:
            with acting(by=by, why="Gold value taken away", on=label):
                label.delete()
    for key, value in values.items():
        label = known.get(key) or Label(
            workflow_id=case.workflow_id, case=case, key=key, origin=Label.Origin.GOLD
        )
        if label.pk and label.value == value:
            continue
        label.value, label.by = value, by
        with acting(by=by, why="Gold value imported", on=label):
            label.save()
    return True


def gold_of(*, case: Case) -> dict[str, Any]:
    return dict(case.labels.filter(origin=Label.Origin.GOLD).values_list("key", "value"))


def judge(
    *, fields: Iterable[FieldSpec], drafted: Mapping[str, Any] | None, gold: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Each field that has a gold value: {"key", "drafted", "gold", "right"}. Without a draft all of them are wrong, also
    where nothing would have been the right answer."""
    return [
        {
            "key": spec.key,
            "drafted": None if drafted is None else drafted.get(spec.key),
            "gold": gold[spec.key],
            "right": drafted is not None
            and same_value(spec=spec, drafted=drafted.get(spec.key), gold=gold[spec.key]),
        }
        for spec in fields
        if spec.key in gold
    ]
