"""Counting what must not happen too often. In the database, so that it holds for every process of the installation.

An update counts by itself, so no two processes count as one. A row is for one thing, and is used again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from workflows.models import Tally


def count(*, name: str, seconds: float) -> Tally:
    """One more; the count ends so many seconds after the first one."""
    while True:
        now = timezone.now()
        live = Tally.objects.filter(name=name, ends_at__gt=now)
        if live.update(count=F("count") + 1) and (row := live.first()):
            return row
        Tally.objects.filter(name=name, ends_at__lte=now).delete()
        Tally.objects.bulk_create(
            [Tally(name=name, count=0, ends_at=now + timedelta(seconds=seconds))], ignore_conflicts=True
        )


def running(*, names: list[str]) -> list[Tally]:
    return list(Tally.objects.filter(name__in=names, ends_at__gt=timezone.now()))


def prolong(*, tally: Tally, until: datetime) -> None:
    Tally.objects.filter(pk=tally.pk).update(ends_at=until)


def forget(*, name: str) -> bool:
    """Whether there was one."""
    return bool(Tally.objects.filter(name=name).delete()[0])


def sweep() -> None:
    Tally.objects.filter(ends_at__lte=timezone.now()).delete()
