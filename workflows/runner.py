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
from typing import Any, TypeVar

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
from workflows.reading import ToRead, save_reading, save_unreadable
from workflows.recording import Prepared, give_up, prepare, record
from workflows.states import LABELS, State

log = logging.getLogger("countersign.work")
T = TypeVar("T")

AHEAD = 2  # items read while the model is busy with others
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
        self.tasks: dict[uuid.UUID, asyncio.Task[None]] = {}
        self.done = 0
        self._slots = asyncio.Semaphore(self.in_flight)
        self._db = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rows")
        self._files = ThreadPoolExecutor(max_workers=1, thread_name_prefix="files")
        self._reader = Reader()

    async def run(self, *, idle_seconds: float, lease_for: float) -> int:
        """Work until nothing was due for `idle_seconds`; lease nothing new after `lease_for`. Returns items done."""
        began = last_busy = time.monotonic()
        heart = asyncio.create_task(self._heartbeat())
        try:
            while True:
                now = time.monotonic()
                room = self.in_flight + AHEAD - len(self.tasks)
                taking = now - began < lease_for and not heart.done()
                if taking and room > 0:
                    for item_id, lease in await self._in_db(lease_items, limit=room):
                        task = asyncio.create_task(self._one(item_id=item_id, lease=lease))
                        self.tasks[lease] = task
                        task.add_done_callback(lambda _, lease=lease: self.tasks.pop(lease, None))
                if self.tasks:
                    last_busy = time.monotonic()
                    await asyncio.wait(self.tasks.values(), timeout=IDLE_POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
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
                lost = await self._in_db(renew, leases=list(self.tasks))
                for lease in lost:
                    if task := self.tasks.get(lease):
                        log.warning("A lease was lost; its work is stopped and left to whoever holds it now.")
                        task.cancel()
                if not await self._in_db(self.beat):
                    return
            except Exception:
                # One failed renewal is no reason to drop the work: there is time for two more.
                log.exception("The heartbeat failed; it is tried again.")

    async def _one(self, *, item_id: int, lease: uuid.UUID) -> None:
        began = time.monotonic()
        try:
            prepared = await self._in_db(prepare, item_id=item_id, lease=lease)
            while isinstance(prepared, list):
                for source in prepared:
                    await self._read(source=source)
                prepared = await self._in_db(prepare, item_id=item_id, lease=lease)
            state: State | None
            if prepared is None:
                state = None
            else:
                state = await self._call(prepared=prepared)
            self.done += 1
            await self._in_db(_report, item_id=item_id, seconds=time.monotonic() - began, state=state)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("Item %s failed.", item_id)
            await self._in_db(give_up, item_id=item_id, lease=lease, error=error)

    async def _read(self, *, source: ToRead) -> None:
        loop = asyncio.get_running_loop()
        read = partial(self._reader.read, content=source.content, name=source.name, media_type=source.media_type)
        row = await self._in_db(Source.objects.select_related("item").get, pk=source.source_id)
        try:
            reading = await loop.run_in_executor(self._files, read)
        except Unreadable as why:
            await self._in_db(save_unreadable, source=row, why=why)
        else:
            await self._in_db(save_reading, source=row, reading=reading)

    async def _call(self, *, prepared: Prepared) -> State | None:
        async def before_call(_: Profile) -> bool:
            return await self._in_db(count_call, item_id=prepared.item_id, lease=prepared.lease, most=prepared.max_calls)

        profile = resolve_profile(profile=prepared.profile, deployment=self.deployment.profile)
        async with self._slots:
            await self._until_ready()
            before = self._computed()
            answer = await ask(
                request=prepared.request, profile=profile, before_call=before_call, client_pool=self.clients
            )
            after = self._computed()
        # A model that was started anew in between counts from zero.
        spent = max(0.0, after - before) if before is not None and after is not None else None
        return await self._in_db(record, prepared=prepared, answer=answer, cpu_seconds=spent)

    async def _until_ready(self) -> None:
        """A model that is being started again is waited for: a call now would only be spent."""
        deadline = time.monotonic() + MODEL_WAIT_SECONDS
        while time.monotonic() < deadline and not await asyncio.to_thread(self.deployment.is_ready):
            await asyncio.sleep(0.3)

    def _computed(self) -> float | None:
        return self.deployment.cpu_seconds() if self.deployment.cpu_seconds else None

    async def _in_db(self, call: Callable[..., T], **arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._db, partial(call, **arguments))


def _report(*, item_id: int, seconds: float, state: State | None) -> None:
    """The progress line."""
    item = Item.objects.select_related("workflow").only("title", "state", "signal", "route", "problem", "workflow__slug").get(pk=item_id)
    why = ""
    if item.state == State.ATTENTION and item.problem:
        why = item.problem["happened"]
    elif item.route and item.route.get("reasons"):
        why = item.route["reasons"][0]["text"]
    signal = f", signal {item.signal:.2f}" if item.signal is not None else ""
    log.info("%s: %s: %s%s, %.1f s. %s", item.workflow.slug, item.title, LABELS[State(item.state)].lower(), signal, seconds, why)
