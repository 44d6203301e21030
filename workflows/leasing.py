"""Who works on which item: short leases on rows, won by an update that touched the row, renewed while work goes on.

Lease columns are written by `update()` and stand in no history; the state is moved by `transitions` in the same
transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from workflows.attention import of_lost_workers
from workflows.models import Item, Version
from workflows.people import system_user
from workflows.states import State
from workflows.transitions import move

MAX_ATTEMPTS = 6  # leases of one item without an outcome


def lease_items(*, limit: int) -> list[tuple[int, uuid.UUID]]:
    """Take up to `limit` items that are due, what people submitted first. Returns (item id, lease)."""
    now = timezone.now()
    ours: list[tuple[int, uuid.UUID]] = []
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = Q(state=State.RECEIVED) & (Q(not_before=None) | Q(not_before__lte=now))
    candidates = (
        Item.objects.filter(free, due | Q(state=State.WORKING), workflow__stage__in=("trial", "live"))
        .order_by("-priority", "created_at", "id")
        .values_list("pk", flat=True)
    )
    # Read before the write lock is asked for: an idle worker must not queue behind writers.
    wanted = list(candidates[:limit])
    if not wanted:
        return []
    by = system_user()
    with transaction.atomic():
        for pk in wanted:
            lease = uuid.uuid4()
            won = Item.objects.filter(free, due | Q(state=State.WORKING), pk=pk).update(
                lease=lease, lease_until=now + timedelta(seconds=settings.LEASE_SECONDS), attempts=F("attempts") + 1
            )
            if not won:
                continue  # another worker was first
            item = Item.objects.select_related("workflow").get(pk=pk)
            if item.attempts > MAX_ATTEMPTS:
                move(
                    item=item, to=State.ATTENTION, by=by, why="The worker stopped too often",
                    problem=of_lost_workers(times=MAX_ATTEMPTS), lease=None, lease_until=None,
                )  # fmt: skip
                continue
            if item.state == State.RECEIVED:
                move(item=item, to=State.WORKING, by=by, why="A worker took it")
            ours.append((pk, lease))
    return ours


def renew(*, leases: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Prolong the leases. Returns those that are ours no longer: their work must stop."""
    asked = set(leases)
    if not asked:
        return set()
    held = Item.objects.filter(lease__in=asked)
    if held.update(lease_until=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)) == len(asked):
        return set()
    return asked - set(held.values_list("lease", flat=True))


def count_call(*, item_id: int, lease: uuid.UUID, most: int) -> bool:
    """Count one call before it is made. False: the lease is gone or the ceiling is reached; the call must not be made.

    The count is committed first, so that a worker killed in the middle of a call cannot make it uncounted.
    """
    return bool(Item.objects.filter(pk=item_id, lease=lease, calls__lt=most).update(calls=F("calls") + 1))


def mark_used(*, version: Version) -> None:
    """From its first use on a version is immutable."""
    if version.used_at is None:
        version.used_at = timezone.now()
        Version.objects.filter(pk=version.pk, used_at=None).update(used_at=version.used_at)
