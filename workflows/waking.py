"""The queue is only a wake-up: the rows say what is due. Losing every queued task loses no work."""

from __future__ import annotations

import logging

from django.db import transaction
from django_q.tasks import async_task, queue_size

log = logging.getLogger(__name__)

# A worker that comes takes whatever is due, so more wake-ups do nothing but stand before the tick: without its sign of
# life the workers would be taken for dead, and ended in the middle of their work.
MOST_QUEUED = 4


def wake(*, task: str) -> None:
    """Have a worker look at the rows soon after this transaction. A queue that is away is made up for by the tick."""
    transaction.on_commit(lambda: send_wake_up(task), robust=True)


def send_wake_up(task: str) -> None:
    try:
        if queue_size() < MOST_QUEUED:
            async_task(task)
    except Exception:
        log.warning(
            "The queue did not take a wake-up for %s. The next tick makes up for it.", task, exc_info=True
        )
