"""The worker: leases a batch and keeps many calls of the model in flight on one event loop.

Every step with the database runs in one thread of its own, so the loop never waits for SQLite and no transaction is
open across a call. A heartbeat renews the leases, in a second thread, since a step may take longer than a lease; work
whose lease is lost is cancelled.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connections

from integrations.documents.pages import Reading, Unreadable
from integrations.documents.reader import Reader
from integrations.llm.clients import ClientPool
from integrations.llm.cpu import CpuShares
from integrations.llm.deployment import Deployment
from integrations.llm.door import ask
from integrations.llm.profiles import Profile, resolve_profile
from workflows.leasing import count_call, lease_items, renew
from workflows.models import Item, Source
from workflows.people import system_user
from workflows.reading import ToRead, content_of, save_reading, save_unreadable
from workflows.recording import Prepared, give_up, prepare, record
from workflows.routing import show_signal
from workflows.states import LABELS, State

log = logging.getLogger("countersign.work")

AHEAD = 1.0  # of the calls in flight: made ready while the model is busy, since answers come in bursts
LOOK_SECONDS = 0.06  # between looks for due items: one lease of several costs little more than one of one
IDLE_POLL_SECONDS = 0.25
MODEL_WAIT_SECONDS = 60.0


class Worker:
    """One event loop's worth of work. `deployment` is the model that a profile without an address means."""

    def __init__(
        self, *, deployment: Deployment, in_flight: int = 0, beat: Callable[[], bool] = lambda: True
    ) -> None:
        self.deployment = deployment
        self.in_flight = in_flight or deployment.in_flight
        self.beat = beat  # called at each heartbeat; False: our slot is gone, take nothing new
        self.has_slot = True
        self.clients = ClientPool()
        self.tasks: dict[int, asyncio.Task[None]] = {}  # by item
        # Leases to renew, by item; given up just before what came of them is recorded.
        self.held: dict[int, uuid.UUID] = {}
        self.by: Any = None
        self.done = 0
        self.ahead = max(1, int(AHEAD * self.in_flight))
        self._slots = asyncio.Semaphore(self.in_flight)
        self._steps: asyncio.PriorityQueue[tuple[int, int, Callable[[], Any], asyncio.Future[Any]]]
        self._steps = asyncio.PriorityQueue()
        self._numbers = itertools.count()
        self._db = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rows")
        self._pulse = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pulse")
        self._files = ThreadPoolExecutor(max_workers=1, thread_name_prefix="files")
        self._reader = Reader()
        self.cpu = CpuShares(deployment.cpu_seconds)

    async def run(self, *, idle_seconds: float, lease_for: float) -> int:
        """Work until nothing was due for `idle_seconds`; lease nothing new after `lease_for`. Returns items done."""
        began = last_busy = time.monotonic()
        steps = asyncio.create_task(self._take_steps())
        self.by = await self._in_db(system_user)
        heart = asyncio.create_task(self._heartbeat())
        try:
            while True:
                now = time.monotonic()
                room = self.in_flight + self.ahead - len(self.tasks)
                taking = now - began < lease_for and self.has_slot
                if taking and room > 0:
                    # Never what we work on already: a lease of ours that ran out is renewed, or lost to another.
                    ours = frozenset(self.tasks)
                    for item_id, lease in await self._in_db(
                        lease_items, limit=room, by=self.by, besides=ours
                    ):
                        self.held[item_id] = lease
                        task = asyncio.create_task(self._one(item_id=item_id, lease=lease))
                        self.tasks[item_id] = task
                        task.add_done_callback(partial(self._forget, item_id))
                if self.tasks:
                    last_busy = time.monotonic()
                    await asyncio.sleep(LOOK_SECONDS)
                elif not taking or now - last_busy >= idle_seconds:
                    return self.done
                else:
                    await asyncio.sleep(IDLE_POLL_SECONDS)
        finally:
            heart.cancel()
            for task in self.tasks.values():
                task.cancel()
            await asyncio.gather(*self.tasks.values(), heart, return_exceptions=True)
            await self.clients.aclose()
            await asyncio.get_running_loop().run_in_executor(self._files, self._reader.close)
            steps.cancel()
            await asyncio.get_running_loop().run_in_executor(self._db, connections.close_all)
            await asyncio.get_running_loop().run_in_executor(self._pulse, connections.close_all)
            self._db.shutdown()
            self._pulse.shutdown()
            self._files.shutdown()

    async def _heartbeat(self) -> None:
        in_pulse = partial(asyncio.get_running_loop().run_in_executor, self._pulse)
        while True:
            await asyncio.sleep(settings.LEASE_SECONDS / 3)
            try:
                held = dict(self.held)
                lost = await in_pulse(partial(renew, held=held))
                for item_id in lost:
                    # Meanwhile it may have ended, or been taken anew.
                    if self.held.get(item_id) == held[item_id] and (task := self.tasks.get(item_id)):
                        log.warning("A lease was lost; its work is stopped and left to whoever holds it now.")
                        task.cancel()
                if self.has_slot:  # without it, what is in hand is still finished under its leases
                    self.has_slot = await in_pulse(self.beat)
            except Exception:
                # One failed renewal is no reason to drop the work: there is time for two more.
                log.exception("The heartbeat failed; it is tried again.")

    def _forget(self, item_id: int, task: asyncio.Task[None]) -> None:
        if self.tasks.get(item_id) is task:
            del self.tasks[item_id]
            self.held.pop(item_id, None)

    async def _one(self, *, item_id: int, lease: uuid.UUID) -> None:
        began = time.monotonic()
        try:
            prepared = await self._in_db(prepare, item_id=item_id, lease=lease, by=self.by)
            while isinstance(prepared, list):
                for source in prepared:
                    await self._read(source=source)
                prepared = await self._in_db(prepare, item_id=item_id, lease=lease, by=self.by)
            seconds = time.monotonic() - began
            item = None
            if prepared is not None:
                item, called = await self._call(prepared=prepared)
                seconds += called
            self.done += 1
            if item is None:
                item = await self._in_db(Item.objects.select_related("workflow").get, pk=item_id)
            _report(item=item, seconds=seconds)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("Item %s failed.", item_id)
            await self._in_db(give_up, item_id=item_id, lease=lease, error=error)

    async def _read(self, *, source: ToRead) -> None:
        loop = asyncio.get_running_loop()
        row = await self._in_db(Source.objects.select_related("item").get, pk=source.source_id)

        def read() -> Reading:
            return self._reader.read(
                content=content_of(source=row), name=source.name, media_type=source.media_type
            )

        try:
            reading = await loop.run_in_executor(self._files, read)
        except Unreadable as why:
            await self._in_db(save_unreadable, source=row, why=why)
        else:
            await self._in_db(save_reading, source=row, reading=reading)

    async def _call(self, *, prepared: Prepared) -> tuple[Item | None, float]:
        """What became of the item, and the seconds that the model took, without the wait for a turn."""

        async def before_call(asked: Profile) -> bool:
            await self._until_ready(asked)
            # Before everything else: a slot of the model is waiting for it.
            begun = await self._in_db(prepared.meter.begin, urgent=True, profile=asked, count=count)
            if begun and asked.base_url == self.deployment.local_url:
                self.cpu.begin(prepared.meter)
            return begun

        count = partial(
            count_call, item_id=prepared.item_id, lease=prepared.lease, most=prepared.version.max_calls
        )
        prepared.meter.local_url = self.deployment.local_url
        profile = resolve_profile(profile=prepared.version.profile, deployment=self.deployment.profile)
        async with self._slots:
            await self._until_ready(profile)
            try:
                answer = await ask(
                    request=prepared.request,
                    profile=profile,
                    before_call=before_call,
                    client_pool=self.clients,
                )
            finally:
                spent = self.cpu.end(prepared.meter)
        if self.held.get(prepared.item_id) == prepared.lease:
            del self.held[prepared.item_id]
        item = await self._in_db(record, prepared=prepared, answer=answer, cpu_seconds=spent)
        return item, answer.seconds

    async def _until_ready(self, profile: Profile) -> None:
        """A model that is being started again is waited for, before each call: one now would only be spent."""
        is_ready = self.deployment.is_ready
        if is_ready is None or profile.base_url != self.deployment.profile.base_url:
            return
        deadline = time.monotonic() + MODEL_WAIT_SECONDS
        while time.monotonic() < deadline and not await asyncio.to_thread(is_ready):
            await asyncio.sleep(0.3)

    async def _in_db[T](self, call: Callable[..., T], urgent: bool = False, **arguments: Any) -> T:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._steps.put_nowait((0 if urgent else 1, next(self._numbers), partial(call, **arguments), done))
        return await done

    async def _take_steps(self) -> None:
        """The steps with the database, one after the other in their thread; urgent ones first."""
        loop = asyncio.get_running_loop()
        while True:
            _, _, step, done = await self._steps.get()
            if done.cancelled():
                continue
            try:
                result = await loop.run_in_executor(self._db, step)
            except Exception as error:
                if not done.cancelled():
                    done.set_exception(error)
            else:
                if not done.cancelled():
                    done.set_result(result)


def _report(*, item: Item, seconds: float) -> None:
    """The progress line: ids and words of ours, for a log outlives what is erased."""
    why = ""
    if item.state == State.ATTENTION and item.problem:
        why = f" ({item.problem.get('outcome', '')})"
    signal = f", signal {show_signal(item.signal)}" if item.signal is not None else ""
    log.info(
        "%s: item %s: %s%s%s, %.1f s.",
        item.workflow.slug,
        item.pk,
        LABELS[State(item.state)].lower(),
        why,
        signal,
        seconds,
    )
