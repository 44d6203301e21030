"""Who opened an item with sensitive values: kept once for each person, item and day."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from workflows import audit
from workflows.decisions import has_sensitive
from workflows.models import AuditEvent, Item

DAY_SECONDS = 86_400


def note_view(*, item: Item, by: Any, way: str) -> None:
    """The cache of each process answers first; the log itself is asked once. Two at the same moment may both be kept."""
    if not has_sensitive(item=item):
        return
    today = timezone.localdate()
    key = f"viewed:{by.pk}:{item.pk}:{today}"
    if not cache.add(key, True, DAY_SECONDS):
        return
    midnight = timezone.make_aware(datetime.combine(today, time.min))
    seen = AuditEvent.objects.filter(
        item=item.public_id, actor_id=by.pk, kind=audit.Kind.ITEM_VIEWED, at__gte=midnight
    )
    if not seen.exists():
        audit.record(kind=audit.Kind.ITEM_VIEWED, by=by, item=item, facts={"way": way, "state": item.state})
