"""How close one worker comes to the model's own speed: 200 plain texts, 500 ms a call, 32 calls in flight."""

from __future__ import annotations

import multiprocessing
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from config.ports import free_port
from integrations.llm.deployment import Deployment
from integrations.llm.profiles import Profile
from tests.factories import STAFF, make_user, make_workflow
from workflows.intake import submit
from workflows.models import Item
from workflows.states import State
from workflows.tasks import run_worker

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

ITEMS, LATENCY, IN_FLIGHT = 200, 0.5, 32
MOST_TIMES_IDEAL = 1.5
TEXT = (
    "Name: Customer {number}\nTotal: {number}.50 EUR\nDue: 30 November 2026\nTopic: quote\n\n"
    "Good morning, thank you for the talk on the phone. We would like to go on with the offer as discussed, with "
    "delivery to our second site. Call me when anything is missing, best before noon.\n[[item {number}]]\n"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A process of its own, so that its work is not counted as ours."""
    port = free_port()
    command = [sys.executable, "-m", "tests.scripted_model", "--port", str(port), "--latency", str(LATENCY),
               "--log", str(tmp_path / "calls.jsonl")]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 15
        while True:
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/health", trust_env=False).is_success:
                    break
            except httpx2.TransportError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(timeout=5)


def test_one_worker_keeps_the_model_busy(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    workflow = make_workflow()
    by = make_user(can=STAFF, on=workflow)
    for number in range(ITEMS):
        submit(workflow=workflow, by=by, channel="admin", text=TEXT.format(number=number))
    deployment = Deployment(
        profile=Profile(name="scripted", base_url=server, model="scripted"), in_flight=IN_FLIGHT
    )
    run_worker(
        deployment=deployment, idle_seconds=0, lease_for=0
    )  # imports and caches are not what is measured
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    done = run_worker(deployment=deployment, idle_seconds=0, lease_for=120)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    ideal = ITEMS * LATENCY / IN_FLIGHT
    with capsys.disabled():
        print(
            f"\n{done} items in {seconds:.2f} s with {IN_FLIGHT} in flight at {LATENCY * 1000:.0f} ms: "
            f"{seconds / ideal:.2f} times the ideal {ideal:.2f} s; {1000 * cpu / done:.1f} ms CPU an item "
            f"({multiprocessing.cpu_count()} cores)"
        )
    assert done == ITEMS
    assert not Item.objects.exclude(state=State.IN_REVIEW).exists()
    assert seconds <= MOST_TIMES_IDEAL * ideal
