"""kill -9 of every process of a running installation, with work and deliveries in flight. Minutes, not seconds."""

from __future__ import annotations

import base64
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import psutil
import pytest
from django.utils import timezone

from tests.factories import STAFF, make_user, make_workflow
from tests.faults.figures import ALL, ROUNDS, Round
from tests.faults.held import open_attempts, what_is_held
from tests.faults.installation import Installation
from tests.faults.servers import Server
from tests.faults.waiting import wait_until
from workflows.decisions import approve, fields_to_check
from workflows.intake import submit
from workflows.models import Beat, Delivery, Item, RegisterEntry, Run
from workflows.states import RESTING, State
from workflows.tasks import TICK

pytestmark = pytest.mark.faults

AGAIN_SECONDS = 30.0
GONE_SECONDS = 5.0
SECRET = "whsec_" + base64.b64encode(b"known to both sides of this test").decode()
ITEMS, APPROVALS = 4, 2  # of each round
READING_SECONDS = 0.5  # from the note of an attempt to its request's last byte
# A task that a worker had already when another died still ends; later ones prove that the queue is sound.
PASSING_SECONDS = 3.0


class Scene:
    """An installation between a model and a receiver, with people who submit and approve."""

    def __init__(self, *, folder: Path, install: Callable[..., Installation]) -> None:
        self.model = Server("tests.scripted_model", "--latency", "0.5", log=folder / "model.jsonl")
        self.receiver = Server("tests.webhook_receiver", "--secret", SECRET, log=folder / "receiver.jsonl")
        url = f"http://127.0.0.1:{self.receiver.port}/ok"
        webhook = {"url": url, "secret_env": "FAULTS_WEBHOOK_SECRET", "timeout_seconds": 40}
        self.workflow = make_workflow(
            "letters",
            hold_seconds=0,
            destinations=(
                {"kind": "register", "name": "Register"},
                {"kind": "webhook", "name": "Books", "config": webhook},
            ),
        )
        self.person = make_user(can=STAFF, on=self.workflow)
        self.approved: list[int] = []
        self._numbers = itertools.count(1)
        self.installation = install(
            OPENAI_BASE_URL=f"http://127.0.0.1:{self.model.port}/v1",
            OPENAI_MODEL="scripted",
            FAULTS_WEBHOOK_SECRET=SECRET,
            ALLOWED_PRIVATE_HOSTS="127.0.0.1",
        )

    def give(self, *, slow: int = 0) -> Item:
        number = next(self._numbers)
        marker = f"[[slow {slow} x1]]" if slow else ""
        text = f"Name: Ines Okafor\nTotal: {number}.50 EUR\nTopic: quote\n[[item {number}]] {marker}"
        return submit(
            workflow=self.workflow, by=self.person, channel="api", text=text, external_id=str(number)
        ).item

    def approve_some(self) -> None:
        for item in Item.objects.filter(state=State.IN_REVIEW).order_by("pk")[:APPROVALS]:
            approve(item=item, by=self.person, seen=fields_to_check(item=item))
            self.approved.append(item.pk)

    def at_rest(self) -> bool:
        return not Item.objects.exclude(state__in=RESTING).exists()

    def all_done(self) -> bool:
        return self.at_rest() and not what_is_held().deliveries

    def calls(self) -> Counter[str]:
        """Calls of each item, as the model's own log counts them."""
        return Counter(line["item"] for line in self.model.saw())

    def effects(self) -> set[str]:
        """Idempotency keys that had their effect at the receiver: a repeat of one has none."""
        return {line["id"] for line in self.receiver.saw() if line["valid"] and not line["repeated"]}

    def end(self) -> None:
        self.model.end()
        self.receiver.end()


@pytest.fixture
def scene(tmp_path: Path, install: Callable[..., Installation]) -> Iterator[Scene]:
    scene = Scene(folder=tmp_path, install=install)
    yield scene
    scene.installation.end()  # before the servers, so that its last lines say nothing of their end
    scene.end()


VICTIMS: dict[str, Callable[[Scene], psutil.Process | None]] = {
    "web": lambda scene: scene.installation.web(),
    "web worker": lambda scene: scene.installation.web_worker(),
    "cluster": lambda scene: scene.installation.cluster(),
    "idle worker": lambda scene: scene.installation.idle_worker(
        busy_with=(scene.model.port, scene.receiver.port)
    ),
    "drafting worker": lambda scene: scene.installation.worker_that_talks_to(scene.model.port),
    "sending worker": lambda scene: scene.installation.worker_that_talks_to(scene.receiver.port),
    "supervisor": lambda scene: scene.installation.supervisor(),
}
HOLDS_WORK = {"cluster", "drafting worker", "supervisor"}
HOLDS_DELIVERIES = {"cluster", "sending worker", "supervisor"}
# How long the model holds the items of a round at their first call; afterwards it answers at once.
SLOW_SECONDS = {
    "web": 4,
    "web worker": 4,
    # This death is noticed by silence, and then the cluster ends with whatever is still held.
    "idle worker": 20,
}
OTHERWISE_SLOW_SECONDS = 8


def test_whoever_is_killed_what_was_held_is_taken_up_again_and_nothing_is_done_twice(scene: Scene) -> None:
    for _ in range(APPROVALS):
        scene.give()
    wait_until(scene.at_rest, seconds=60, what="the first items are drafted")
    for victim in VICTIMS:
        began = len(scene.receiver.saw())
        for number in range(1, ROUNDS + 1):
            kill_once(scene=scene, victim=victim, number=number)
        # The kills did hurt: a request that its sender did not live to hear the answer of came again, with its key.
        repeats = [line for line in scene.receiver.saw()[began:] if line["repeated"]]
        assert repeats or victim not in HOLDS_DELIVERIES, victim
    while Item.objects.filter(state=State.IN_REVIEW).exists():
        scene.approve_some()
    wait_until(scene.all_done, seconds=60, what="everything is at rest")

    calls, ceiling = scene.calls(), scene.workflow.version.max_calls
    counted = dict(Item.objects.values_list("external_id", "calls"))
    assert calls.keys() == counted.keys()
    # Counted before it is made: a kill in between may cost a call, and never gives one away.
    assert all(calls[number] <= counted[number] <= ceiling for number in counted)
    assert len(scene.approved) == len(set(scene.approved)) == len(counted)
    keys = Delivery.objects.filter(destination__kind="webhook").values_list("key", flat=True)
    assert len(keys) == len(scene.approved)
    assert scene.effects() == {str(key) for key in keys}
    assert sorted(RegisterEntry.objects.values_list("item_id", flat=True)) == sorted(scene.approved)
    assert not Item.objects.exclude(state=State.DELIVERED).exists()


def kill_once(*, scene: Scene, victim: str, number: int) -> None:
    everyone_is_there(scene=scene, ticked_since=timezone.now())
    slow = SLOW_SECONDS.get(victim, OTHERWISE_SLOW_SECONDS)
    scene.receiver.hold_its_breath()
    try:
        items = [scene.give(slow=slow) for _ in range(ITEMS)]
        scene.approve_some()
        asked = {item.external_id for item in items}
        wait_until(lambda: asked <= set(scene.calls()), seconds=30, what="the model has the new items")
        wait_until(lambda: open_attempts() >= APPROVALS, seconds=30, what="the deliveries have left")
        time.sleep(READING_SECONDS)
        process = wait_until(lambda: VICTIMS[victim](scene), seconds=20, what=f"there is the {victim}")
        scene.installation.family()
        held = what_is_held()
        assert len(held.items) >= ITEMS
        assert len(held.deliveries) >= APPROVALS
        process.kill()
        killed, kill_time = time.monotonic(), timezone.now()
        gone = None
        if victim == "supervisor":
            gone = restart(scene=scene)
            killed, kill_time = time.monotonic(), timezone.now()
        else:
            wait_until(lambda: not process.is_running(), seconds=10, what=f"the {victim} has ended")
    finally:
        scene.receiver.breathe()
    wait_until(
        lambda: not held.still_held(),
        seconds=AGAIN_SECONDS,
        what=lambda: f"what was held when the {victim} was killed is leased again: {held.still_held()}",
    )
    again = time.monotonic() - killed
    everyone_is_there(scene=scene, ticked_since=kill_time + timedelta(seconds=PASSING_SECONDS))
    whole = time.monotonic() - killed
    assert whole <= AGAIN_SECONDS
    wait_until(scene.all_done, seconds=60, what="everything is at rest")
    calls = scene.calls()
    if victim in HOLDS_WORK:
        assert all(calls[number] >= 2 for number in asked)
        assert Run.objects.filter(item__in=items, error__startswith="The worker stopped").count() >= ITEMS
    ALL.append(
        Round(
            victim,
            number,
            items_held=len(held.items),
            deliveries_held=len(held.deliveries),
            again=again,
            whole=whole,
            gone=gone,
            calls=f"{max(calls[number] for number in asked)} of {scene.workflow.version.max_calls}",
            effects=f"{len(scene.effects())} of {len(scene.approved)}",
        )
    )


def restart(*, scene: Scene) -> float:
    installation = scene.installation
    assert installation.process is not None
    installation.process.wait(5)
    gone = installation.gone_within(GONE_SECONDS)
    installation.start()
    return gone


def everyone_is_there(*, scene: Scene, ticked_since: datetime) -> None:
    """Web answers, the cluster has all its workers, and tasks pass through it."""
    address = f"http://127.0.0.1:{scene.installation.port}/readyz"

    def answers() -> bool:
        try:
            return httpx2.get(address, timeout=3.0, trust_env=False).is_success
        except httpx2.TransportError:
            return False

    def ticks() -> bool:
        return Beat.objects.filter(name=TICK, at__gt=ticked_since).exists()

    wait_until(ticks, seconds=AGAIN_SECONDS, what="a tick passes through the cluster")
    wait_until(scene.installation.workers, seconds=AGAIN_SECONDS, what="the cluster has all its workers")
    wait_until(answers, seconds=AGAIN_SECONDS, what=f"{address} says that all is ready")
