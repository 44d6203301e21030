"""The register as rows for a file: which columns, what stands in each cell, and the record of who took it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from workflows import audit
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.telling import in_order, told_value
from workflows.masking import MASK, keys_of, masked
from workflows.models import RegisterEntry, RegisterExport, Version, Workflow

Cell = (
    str | int | Decimal | date | datetime | None
)  # a datetime is one of the installation's clock, without an offset
Specs = Mapping[str, FieldSpec]
CHUNK = 500  # rows in memory at a time
LARGE = ("item__values", "item__route", "item__problem", "item__metadata", "item__note", "words",
         "delivery__payload", "delivery__decision__values", "delivery__decision__changed")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    read: Callable[[RegisterEntry, Specs], Cell]


def rows_by_workflow(*, entries: QuerySet[RegisterEntry]) -> dict[int, int]:
    """How many rows of each workflow there are to export."""
    counted = entries.order_by().values_list("workflow").annotate(rows=Count("pk", distinct=True))
    return dict(counted.values_list("workflow", "rows"))


def record_export(*, by: Any, format: str, filters: str, rows: Mapping[int, int]) -> list[RegisterExport]:
    """Before the first byte: a download that breaks off was an export all the same."""
    now = timezone.now()
    workflows = Workflow.objects.in_bulk(rows)
    with transaction.atomic():
        made = [
            RegisterExport.objects.create(
                workflow=workflows[pk], by=by, at=now, format=format, filters=filters[:500], rows=count
            )
            for pk, count in rows.items()
        ]
        audit.record_many(
            [
                audit.Entry(
                    kind=audit.Kind.EXPORTED, by=by, workflow=one.workflow, content={"filters": filters} if filters else None,
                    facts={"export": one.pk, "rows": one.rows, "format": format},
                )
                for one in made
            ]
        )  # fmt: skip
    return made


def columns_of(*, workflow: Workflow | None) -> list[Column]:
    """One column for each field of the workflow, two for an amount; without one workflow, its values in words."""
    zone = settings.TIME_ZONE
    common = [
        Column("Title", lambda entry, specs: entry.title),
        Column("Workflow", lambda entry, specs: entry.workflow.name),
        Column(f"Accepted at ({zone})", lambda entry, specs: _moment(entry.accepted_at)),
        Column("Accepted by", lambda entry, specs: _name(entry.delivery.decision.by)),
        Column("Decision", lambda entry, specs: entry.delivery.decision.get_kind_display()),
        Column("External id", lambda entry, specs: entry.item.external_id),
        Column("Item", lambda entry, specs: str(entry.item.public_id)),
    ]
    if workflow is None:
        return [*common, Column("Values", lambda entry, specs: in_words(values=entry.values, specs=specs))]
    return common + [column for spec in _fields(workflow) for column in _columns(spec)]


def read_rows(*, entries: QuerySet[RegisterEntry], columns: list[Column]) -> Iterator[list[Cell]]:
    """The cells of each entry. Reads a chunk at a time, and the fields of each version once."""
    specs: dict[int | None, Specs] = {None: {}}
    found = entries.select_related("workflow", "item", "delivery__decision__by").defer(*LARGE)
    for entry in found.iterator(chunk_size=CHUNK):
        version_id = entry.item.version_id
        if version_id is not None and version_id not in specs:
            version = Version.objects.get(pk=version_id)
            specs[version_id] = {spec.key: spec for spec in version.specs()}
        # Whoever asked for the rows has said of each whether its sensitive fields are hidden; unsaid, they are.
        known = specs[version_id].values()
        entry.values = masked(entry.values, keys_of(known, hides=getattr(entry, "hides_sensitive", True)))
        yield [column.read(entry, specs[version_id]) for column in columns]


def in_words(*, values: Mapping[str, Any] | None, specs: Specs) -> str:
    return "; ".join(
        f"{specs[key].label if key in specs else key.replace('_', ' ')}: {told_value(value=value, spec=specs.get(key))}"
        for key, value in in_order(values=values or {}, specs=specs.values()).items()
        if value not in (None, "", [])
    )


def _fields(workflow: Workflow) -> list[FieldSpec]:
    """Those of the active version in its order, then what only older versions had."""
    ordered = sorted(
        workflow.versions.prefetch_related("fields"),
        key=lambda one: (one.pk != workflow.version_id, -one.number),
    )
    found: dict[str, FieldSpec] = {}
    for version in ordered:
        if version.pk == workflow.version_id or version.used_at is not None:
            for spec in version.specs():
                found.setdefault(spec.key, spec)
    return list(found.values())


def _columns(spec: FieldSpec) -> list[Column]:
    def read(entry: RegisterEntry, specs: Specs) -> Cell:
        # Its own version says what the value is; a later one may have another kind under the same key.
        return typed_cell(value=(entry.values or {}).get(spec.key), spec=specs.get(spec.key, spec))

    def currency(entry: RegisterEntry, specs: Specs) -> Cell:
        value = (entry.values or {}).get(spec.key)
        return str(value.get("currency") or "") if isinstance(value, Mapping) else None

    columns = [Column(spec.label, read)]
    return [*columns, Column(f"{spec.label}, currency", currency)] if spec.kind is Kind.MONEY else columns


def typed_cell(*, value: Any, spec: FieldSpec) -> Cell:
    """Numbers as numbers and dates as dates, so that a sheet can add and sort; what is none of them in words."""
    if value in (None, "", []):
        return None
    if value == MASK:
        return MASK
    if spec.kind is Kind.MONEY and isinstance(value, Mapping):
        return _number(value.get("amount"))
    if spec.kind in (Kind.INTEGER, Kind.DECIMAL):
        return _number(value)
    if spec.kind is Kind.DATE:
        return _date(value)
    if spec.kind is Kind.DATETIME:
        return _as_written(value)
    return told_value(value=value, spec=spec)


def _number(value: Any) -> Cell:
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return read if read.is_finite() else str(value)


def _date(value: Any) -> Cell:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return str(value)


def _as_written(value: Any) -> Cell:
    """Local to the source. One with an offset stays text: a sheet would drop the offset in silence."""
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return read if read.tzinfo is None else str(value)


def _moment(at: datetime) -> datetime:
    return timezone.localtime(at).replace(tzinfo=None, microsecond=0)


def _name(user: Any) -> str:
    return str(user.get_full_name() or user.get_username())
