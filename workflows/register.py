"""The destination that is always there: the searchable table of accepted results."""

from __future__ import annotations

from typing import Any

from workflows.models import Delivery, RegisterEntry
from workflows.people import acting


def enter(*, delivery: Delivery, by: Any) -> RegisterEntry:
    """Write the result, or replace an earlier one of the same item. Call it in the transaction that ends the delivery."""
    item = delivery.item
    entry = RegisterEntry.objects.filter(item=item).first() or RegisterEntry(
        item=item, workflow=item.workflow
    )
    entry.delivery, entry.title, entry.values = delivery, item.title, delivery.payload["values"]
    with acting(by=by, why="Accepted", on=entry):
        entry.save()
    return entry
