"""Eight processes that write into one log, on whatever database the tests run on."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.factories import make_item, make_workflow
from tests.workflows.test_money_race import url_of_the_test_database
from workflows.audit.verifying import verify_log
from workflows.models import AuditEvent

ROOT = Path(__file__).parents[3]
WRITERS = 8


def write_at_once(*, events: int) -> float:
    """Each of them so many. Seconds it took. Asserts one whole chain in which nothing is missing."""
    workflow = make_workflow()
    items = [str(make_item(workflow=workflow).pk) for _ in range(WRITERS)]
    before = AuditEvent.objects.count()
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    env["DATABASE_URL"] = url_of_the_test_database()
    began = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.workflows.audit.writer", str(events), *items],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [str(events)] * WRITERS, ran.stderr
    sequences = list(AuditEvent.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, before + WRITERS * events + 1))
    verdict = verify_log()
    assert verdict.whole, verdict.words
    # They took turns: one after the other would be no test of the lock.
    actors = list(
        AuditEvent.objects.filter(kind="test.written").order_by("sequence").values_list("item", flat=True)
    )
    assert sum(one != other for one, other in itertools.pairwise(actors)) > WRITERS
    return seconds
