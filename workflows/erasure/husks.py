"""What is left of an item: its ids, states, times, counts and cost."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.utils import timezone

from workflows.erasure.registry import HISTORY_REASON, Batch, history_of
from workflows.models import Item
from workflows.people import system_user

TITLE = "Erased item"
HUSK: dict[str, Any] = {
    "title": TITLE, "external_id": "", "content_hash": "", "metadata": {}, "values": None, "route": None,
    "note": "",
}  # fmt: skip
KEPT_OF_A_PROBLEM = ("outcome", "item")  # what reports count by


def make_husks(batch: Batch) -> int:
    now = timezone.now()
    past: Any = history_of(Item)
    columns = {one.name for one in past._meta.get_fields()}
    past.objects.filter(id__in=batch.items).update(
        **{name: value for name, value in HUSK.items() if name in columns}, problem=None, **{HISTORY_REASON: None}
    )  # fmt: skip
    rows = Item.objects.filter(pk__in=batch.items)
    for row in rows.filter(problem__isnull=False).only("pk", "problem"):
        Item.objects.filter(pk=row.pk).update(problem=_problem(row.problem))
    changed = rows.update(
        **HUSK, erased_at=now, erasure=batch.erasure, lease=None, lease_until=None, not_before=None, due_at=None,
        updated_at=now, revision=F("revision") + 1,
    )  # fmt: skip
    past_rows: Any = Item.history
    past_rows.bulk_history_create(
        list(rows), update=True, default_user=batch.by or system_user(), default_change_reason="Its content was erased"
    )  # fmt: skip
    return int(changed)


def _problem(problem: Any) -> dict[str, Any]:
    kept = {name: problem[name] for name in KEPT_OF_A_PROBLEM if name in problem}
    return {
        "happened": "Its content was erased.",
        "kept": "The item still counts.",
        "next_step": "Nothing.",
        **kept,
    }
