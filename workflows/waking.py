"""The queue is only a wake-up: the rows say what is due. Losing every queued task loses no work."""

from __future__ import annotations

import logging

from django.db import transaction
from django_q.tasks import async_task

log = logging.getLogger(__name__)


def wake(*, task: str) -> None:
    """Have a worker look at the rows soon after this transaction. A queue that is away is made up for by the tick."""
    transaction.on_commit(lambda: send_wake_up(task), robust=True)


def send_wake_up(task: str) -> None:
    try:
        async_task(task)
    except Exception:
        log.warning(
            "The queue did not take a wake-up for %s. The next tick makes up for it.", task, exc_info=True
        )
