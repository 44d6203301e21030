"""The destination that is always there: the searchable table of accepted results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from workflows.drafting.fields import FieldSpec
from workflows.drafting.telling import told_value
from workflows.models import Delivery, RegisterEntry
from workflows.people import acting


def enter(*, delivery: Delivery, by: Any) -> RegisterEntry:
    """Write the result, or replace an earlier one of the same item. Call it in the transaction that ends the delivery."""
    item = delivery.item
    entry = RegisterEntry.objects.filter(item=item).first() or RegisterEntry(
        item=item, workflow=item.workflow
    )
    entry.delivery, entry.title, entry.values = delivery, item.title, delivery.payload["values"]
    specs = item.version.specs() if item.version else ()
    entry.words = searchable(title=entry.title, values=entry.values, specs=specs)
    with acting(by=by, why="Accepted", on=entry):
        entry.save()
    return entry


def searchable(*, title: str, values: Mapping[str, Any] | None, specs: Iterable[FieldSpec]) -> str:
    """Title and values as people read and type them, folded to one case; numbers also with their thousands apart."""
    known = {spec.key: spec for spec in specs}
    told = [title]
    for key, value in (values or {}).items():
        if value in (None, "", []):
            continue
        told.append(told_value(value=value, spec=known.get(key)))
        if grouped := _grouped(value):
            told.append(grouped)
    return "\n".join(told).casefold()


def _grouped(value: Any) -> str:
    number = value.get("amount") if isinstance(value, Mapping) else value
    if isinstance(number, bool) or not isinstance(number, str | int | float):
        return ""
    try:
        read = Decimal(str(number))
    except InvalidOperation:
        return ""
    return f"{read:,}" if read.is_finite() and abs(read) >= 1000 else ""
