"""Background entry points: ids in, nothing out. Running one twice does no harm."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from django.conf import settings

from integrations.llm.deployment import Deployment, NoModel, current_deployment
from workflows import beats, handoff, trying
from workflows.evaluation import running
from workflows.leasing import is_work_due
from workflows.runner import Worker
from workflows.ticking import run_due
from workflows.waking import send_wake_up

WORK_SLOT = "worker"
LEASE_FOR_SECONDS = 240.0
DELIVERY_SLOT = "deliveries"
TICK = beats.TICK


def work() -> int:
    """Draft what is due. One at a time: a single event loop keeps the model busy, others answer the tick."""
    deployment = current_deployment(os.environ)
    if deployment.is_ready and not deployment.is_ready():
        return 0  # it is still being fetched or started; the tick asks again
    holder = beats.take_slot(name=WORK_SLOT, seconds=settings.LEASE_SECONDS)
    if holder is None:
        return 0
    try:
        return run_worker(
            deployment=deployment, idle_seconds=1.0, lease_for=LEASE_FOR_SECONDS,
            beat=lambda: beats.keep_slot(name=WORK_SLOT, holder=holder, seconds=settings.LEASE_SECONDS),
        )  # fmt: skip
    finally:
        beats.free_slot(name=WORK_SLOT, holder=holder)


def run_worker(
    *, deployment: Deployment, idle_seconds: float, lease_for: float, beat: Callable[[], bool] = lambda: True
) -> int:
    async def run() -> int:
        worker = Worker(deployment=deployment, in_flight=settings.CALLS_IN_FLIGHT, beat=beat)
        return await worker.run(idle_seconds=idle_seconds, lease_for=lease_for)

    return asyncio.run(run())


def deliver() -> int:
    """Hand over what is due. One at a time, so that slow receivers leave workers free for the tick."""
    holder = beats.take_slot(name=DELIVERY_SLOT, seconds=settings.LEASE_SECONDS)
    if holder is None:
        return 0
    try:
        return handoff.deliver_due(
            beat=lambda: beats.keep_slot(name=DELIVERY_SLOT, holder=holder, seconds=settings.LEASE_SECONDS)
        )
    finally:
        beats.free_slot(name=DELIVERY_SLOT, holder=holder)


def try_versions() -> int:
    """Try versions on what people pasted. One at a time, so that they leave workers free for the work."""
    holder = beats.take_slot(name=trying.SLOT, seconds=settings.LEASE_SECONDS)
    if holder is None:
        return 0
    try:
        deployment = current_deployment(os.environ)
    except NoModel:
        deployment = None
    try:
        return trying.run_tries(
            deployment=deployment,
            beat=lambda: beats.keep_slot(name=trying.SLOT, holder=holder, seconds=settings.LEASE_SECONDS),
        )
    finally:
        beats.free_slot(name=trying.SLOT, holder=holder)


def evaluate() -> int:
    """Run versions over their cases. One at a time, and not for ever: what is left is taken up at the next look."""
    deployment: Deployment | None
    try:
        deployment = current_deployment(os.environ)
    except NoModel:
        deployment = None
    if deployment and deployment.is_ready and not deployment.is_ready():
        return 0  # it is still being fetched or started; the tick asks again
    holder = beats.take_slot(name=running.SLOT, seconds=settings.LEASE_SECONDS)
    if holder is None:
        return 0
    try:
        return running.run_evaluations(
            deployment=deployment, most_seconds=LEASE_FOR_SECONDS,
            beat=lambda: beats.keep_slot(name=running.SLOT, holder=holder, seconds=settings.LEASE_SECONDS),
        )  # fmt: skip
    finally:
        beats.free_slot(name=running.SLOT, holder=holder)


def wake_what_is_due() -> None:
    """What every wake-up was lost for is found here, by asking the rows."""
    if is_work_due():
        send_wake_up("workflows.tasks.work")
    if handoff.is_delivery_due():
        send_wake_up("workflows.tasks.deliver")
    if trying.is_try_due():
        send_wake_up("workflows.tasks.try_versions")
    if running.is_evaluation_due():
        send_wake_up(running.TASK)


def tick() -> None:
    """Sent every few seconds by the supervisor: a look at all that is due."""
    run_due()


def note_tick(*, task: dict[str, object], **_: object) -> None:
    """The sign of life, written where the queue acknowledges a task: a worker that hangs shows, and a monitor too."""
    if task.get("func") == "workflows.tasks.tick":
        beats.beat(name=TICK)
