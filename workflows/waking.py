"""The queue is only a wake-up: the rows say what is due. Losing every queued task loses no work."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from workflows.models import Delivery, Item
from workflows.states import State

log = logging.getLogger(__name__)


def wake(*, task: str) -> None:
    """Have a worker look at the rows soon after this transaction. A queue that is away is made up for by the tick."""
    transaction.on_commit(lambda: _send(task), robust=True)


def _send(task: str) -> None:
    try:
        async_task(task)
    except Exception:
        log.warning("The queue did not take a wake-up for %s. The next tick makes up for it.", task, exc_info=True)


def wake_if_due() -> None:
    """What every wake-up was lost for is found here, by asking the rows."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    ready = Q(state=State.RECEIVED) & (Q(not_before=None) | Q(not_before__lte=now))
    if Item.objects.filter(free, ready | Q(state=State.WORKING)).exists():
        _send("workflows.tasks.work")
    waiting = Q(state=Delivery.State.WAITING, due_at__lte=now)
    if Delivery.objects.filter(waiting | Q(state=Delivery.State.SENDING, lease_until__lt=now)).exists():
        _send("workflows.tasks.deliver")
