"""Background entry points: ids in, nothing out. Running one twice does no harm."""

from __future__ import annotations

import asyncio
import os

from django.conf import settings
from django.db import connection

from integrations.llm.deployment import Deployment, current_deployment
from workflows import beats, handoff
from workflows.runner import Worker
from workflows.ticking import run_due

WORK_SLOT = "worker"
LEASE_FOR_SECONDS = 240.0
TICK = "tick"


def work() -> int:
    """Draft what is due. One at a time: a single event loop keeps the model busy, others answer the tick."""
    holder = beats.take_slot(name=WORK_SLOT, seconds=settings.LEASE_SECONDS)
    if holder is None:
        return 0
    try:
        return run_worker(
            deployment=current_deployment(os.environ), idle_seconds=1.0, lease_for=LEASE_FOR_SECONDS,
            beat=lambda: beats.keep_slot(name=WORK_SLOT, holder=holder, seconds=settings.LEASE_SECONDS),
        )  # fmt: skip
    finally:
        beats.free_slot(name=WORK_SLOT, holder=holder)


def run_worker(*, deployment: Deployment, idle_seconds: float, lease_for: float, beat=lambda: True) -> int:  # type: ignore[no-untyped-def]
    in_flight = settings.CALLS_IN_FLIGHT or deployment.in_flight

    async def run() -> int:
        worker = Worker(
            deployment=deployment.profile, in_flight=in_flight, beat=beat, cpu_seconds=deployment.cpu_seconds
        )
        return await worker.run(idle_seconds=idle_seconds, lease_for=lease_for)

    return asyncio.run(run())


def deliver() -> int:
    return handoff.deliver_due()


def tick() -> None:
    """Sent every few seconds by the supervisor: a sign of life from inside a worker, and a look at all that is due."""
    beats.beat(name=TICK)
    run_due()
    connection.close_if_unusable_or_obsolete()
