"""Who works on which item: short leases on rows, won by an update that touched the row, renewed while work goes on.

Lease columns are written by `update()` and stand in no history; the state is moved by `transitions` in the same
transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from workflows.attention import of_lost_workers
from workflows.models import MAX_ATTEMPTS, TAKES_WORK, Item
from workflows.people import system_user
from workflows.states import State
from workflows.transitions import move_all_locked, move_locked


def lease_items(*, limit: int, by: Any = None, besides: Collection[int] = ()) -> list[tuple[int, uuid.UUID]]:
    """Take up to `limit` items that are due, what people submitted first, besides the ones the caller works on.

    Returns (item id, lease).
    """
    now = timezone.now()
    due = _due(now=now)
    wanted = list(
        # Read before the write lock is asked for: an idle worker must not queue behind writers.
        Item.objects.filter(due, workflow__stage__in=TAKES_WORK)
        .exclude(pk__in=besides)
        .order_by("-priority", "created_at", "id")
        .values_list("pk", flat=True)[:limit]
    )
    if not wanted:
        return []
    lease = uuid.uuid4()
    by = by or system_user()
    ours: list[tuple[int, uuid.UUID]] = []
    fresh: list[Item] = []
    with transaction.atomic():
        # The update decides who won: rows that another worker took meanwhile are not touched.
        Item.objects.filter(due, pk__in=wanted).update(
            lease=lease,
            # From now on, not from before the wait for the write lock.
            lease_until=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS),
            attempts=F("attempts") + 1,
        )
        won = (
            Item.objects.select_for_update(of=("self",))
            .select_related("workflow")
            .filter(pk__in=wanted, lease=lease)
        )
        for row in sorted(won, key=lambda row: wanted.index(row.pk)):
            if row.attempts > MAX_ATTEMPTS:
                move_locked(
                    row=row, to=State.ATTENTION, by=by, why="The worker stopped too often",
                    problem=of_lost_workers(times=MAX_ATTEMPTS), lease=None, lease_until=None, attempts=0,
                )  # fmt: skip
                continue
            if row.state == State.RECEIVED:
                fresh.append(row)
            ours.append((row.pk, lease))
        move_all_locked(rows=fresh, to=State.WORKING, by=by, why="A worker took it")
    return ours


def _due(*, now: datetime) -> Q:
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    ready = Q(state=State.RECEIVED) & (Q(not_before=None) | Q(not_before__lte=now))
    return free & (ready | Q(state=State.WORKING))


def is_work_due() -> bool:
    return Item.objects.filter(_due(now=timezone.now()), workflow__stage__in=TAKES_WORK).exists()


def renew(*, held: Mapping[int, uuid.UUID]) -> set[int]:
    """Prolong the leases of these items. Returns the items that are ours no longer: their work must stop."""
    if not held:
        return set()
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    rows = Item.objects.filter(pk__in=held, lease__in=set(held.values()))
    if rows.update(lease_until=until) == len(held):
        return set()
    return set(held) - {pk for pk, lease in rows.values_list("pk", "lease") if held[pk] == lease}


def count_call(*, item_id: int, lease: uuid.UUID, most: int) -> bool:
    """Count one call before it is made. False: the lease is gone or the ceiling is reached; the call must not be made.

    The count is committed first, so that a worker killed in the middle of a call cannot make it uncounted.
    """
    return bool(Item.objects.filter(pk=item_id, lease=lease, calls__lt=most).update(calls=F("calls") + 1))
