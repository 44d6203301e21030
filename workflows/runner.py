"""The worker: leases a batch and keeps many calls of the model in flight on one event loop.

Every step with the database runs in one thread of its own, so the loop never waits for SQLite and no transaction is
open across a call. A heartbeat renews the leases; work whose lease is lost is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connections

from integrations.documents.pages import Unreadable
from integrations.documents.reader import Reader
from integrations.llm.clients import ClientPool
from integrations.llm.deployment import Deployment
from integrations.llm.door import ask
from integrations.llm.profiles import Profile, resolve_profile
from workflows.leasing import count_call, lease_items, renew
from workflows.models import Item, Source
from workflows.people import system_user
from workflows.reading import ToRead, save_reading, save_unreadable
from workflows.recording import Prepared, give_up, prepare, record
from workflows.routing import show_signal
from workflows.states import LABELS, State

log = logging.getLogger("countersign.work")

AHEAD = 1  # read while the model is busy with another; more would make what a person submits wait
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
        self.clients = ClientPool()
        self.tasks: dict[int, asyncio.Task[None]] = {}  # by item
        # Leases to renew, by item; given up just before what came of them is recorded.
        self.held: dict[int, uuid.UUID] = {}
        self.by: Any = None
        self.done = 0
        self._slots = asyncio.Semaphore(self.in_flight)
        self._db = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rows")
        self._files = ThreadPoolExecutor(max_workers=1, thread_name_prefix="files")
        self._reader = Reader()

    async def run(self, *, idle_seconds: float, lease_for: float) -> int:
        """Work until nothing was due for `idle_seconds`; lease nothing new after `lease_for`. Returns items done."""
        began = last_busy = time.monotonic()
        self.by = await self._in_db(system_user)
        heart = asyncio.create_task(self._heartbeat())
        try:
            while True:
                now = time.monotonic()
                room = self.in_flight + AHEAD - len(self.tasks)
                taking = now - began < lease_for and not heart.done()
                if taking and room > 0:
                    for item_id, lease in await self._in_db(lease_items, limit=room, by=self.by):
                        if stale := self.tasks.pop(item_id, None):
                            stale.cancel()  # its lease ran out under us, and we won it again
                        self.held[item_id] = lease
                        task = asyncio.create_task(self._one(item_id=item_id, lease=lease))
                        self.tasks[item_id] = task
                        task.add_done_callback(partial(self._forget, item_id))
                if self.tasks:
                    last_busy = time.monotonic()
                    await asyncio.wait(
                        self.tasks.values(), timeout=IDLE_POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
                    )
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
            await self._in_db(connections.close_all)
            self._db.shutdown()
            self._files.shutdown()

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(settings.LEASE_SECONDS / 3)
            try:
                lost = await self._in_db(renew, held=dict(self.held))
                for item_id in lost & self.held.keys():
                    if task := self.tasks.get(item_id):
                        log.warning("A lease was lost; its work is stopped and left to whoever holds it now.")
                        task.cancel()
                if not await self._in_db(self.beat):
                    return
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
        read = partial(
            self._reader.read, content=source.content, name=source.name, media_type=source.media_type
        )
        row = await self._in_db(Source.objects.select_related("item").get, pk=source.source_id)
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
            return await self._in_db(
                count_call, item_id=prepared.item_id, lease=prepared.lease, most=prepared.version.max_calls
            )

        profile = resolve_profile(profile=prepared.version.profile, deployment=self.deployment.profile)
        async with self._slots:
            await self._until_ready(profile)
            before = self._computed()
            answer = await ask(
                request=prepared.request, profile=profile, before_call=before_call, client_pool=self.clients
            )
            after = self._computed()
        # A model that was started anew in between counts from zero.
        spent = max(0.0, after - before) if before is not None and after is not None else None
        if self.held.get(prepared.item_id) == prepared.lease:
            del self.held[prepared.item_id]
        item = await self._in_db(record, prepared=prepared, answer=answer, cpu_seconds=spent)
        return item, answer.seconds

    async def _until_ready(self, profile: Profile) -> None:
        """A model that is being started again is waited for, before each call: one now would only be spent."""
        if profile.base_url != self.deployment.profile.base_url:
            return
        deadline = time.monotonic() + MODEL_WAIT_SECONDS
        while time.monotonic() < deadline and not await asyncio.to_thread(self.deployment.is_ready):
            await asyncio.sleep(0.3)

    def _computed(self) -> float | None:
        return self.deployment.cpu_seconds() if self.deployment.cpu_seconds else None

    async def _in_db[T](self, call: Callable[..., T], **arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._db, partial(call, **arguments))


def _report(*, item: Item, seconds: float) -> None:
    """The progress line."""
    why = ""
    if item.state == State.ATTENTION and item.problem:
        why = item.problem["happened"]
    elif item.route and item.route.get("reasons"):
        why = item.route["reasons"][0]["text"]
    signal = f", signal {show_signal(item.signal)}" if item.signal is not None else ""
    log.info(
        "%s: %s: %s%s, %.1f s. %s",
        item.workflow.slug,
        item.title,
        LABELS[State(item.state)].lower(),
        signal,
        seconds,
        why,
    )
