"""Signs of life, and slots that one worker holds at a time. Both are rows, so that a killed process cannot keep them."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from workflows.models import Beat

TICK = "tick"  # the beat of the tick: a worker did something a few seconds ago


def beat(*, name: str) -> None:
    Beat.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def age(*, name: str) -> float | None:
    """Seconds since the last sign of life; None when there was none yet."""
    at = Beat.objects.filter(name=name).values_list("at", flat=True).first()
    return None if at is None else (timezone.now() - at).total_seconds()


def take_slot(*, name: str, seconds: float) -> uuid.UUID | None:
    """Hold the slot for some seconds; None when another holds it. `at` is when the hold ends."""
    holder, now = uuid.uuid4(), timezone.now()
    until = now + timedelta(seconds=seconds)
    if Beat.objects.filter(Q(holder=None) | Q(at__lt=now), name=name).update(holder=holder, at=until):
        return holder
    try:
        with transaction.atomic():
            Beat.objects.create(name=name, at=until, holder=holder)
        return holder
    except IntegrityError:
        return None


def keep_slot(*, name: str, holder: uuid.UUID, seconds: float) -> bool:
    return bool(
        Beat.objects.filter(name=name, holder=holder).update(at=timezone.now() + timedelta(seconds=seconds))
    )


def free_slot(*, name: str, holder: uuid.UUID) -> None:
    Beat.objects.filter(name=name, holder=holder).update(holder=None)


def due(*, name: str, every: float) -> bool:
    """True for one caller alone, at most once in so many seconds."""
    now = timezone.now()
    if Beat.objects.filter(name=name, at__lt=now - timedelta(seconds=every)).update(at=now):
        return True
    _, made = Beat.objects.get_or_create(name=name, defaults={"at": now})
    return made
