"""Sixteen processes against one budget, on whatever database the tests run on."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from tests.factories import make_workflow
from workflows.models import Budget, Reservation, Spending

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES, TRIES, CALLS = 16, 12, 100
AMOUNT = Decimal("0.01")  # a sum of a hundred of these is not 1 in floating point
ROOT = Path(__file__).parents[2]


def url_of_the_test_database() -> str:
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    user, password = quote(told["USER"]), quote(told["PASSWORD"] or "")
    return f"postgresql://{user}:{password}@{told['HOST']}:{told['PORT'] or 5432}/{told['NAME']}"


def test_sixteen_processes_never_make_the_hundred_and_first_call() -> None:
    workflow = make_workflow()
    Budget.objects.create(workflow=workflow, per_day=AMOUNT * CALLS, per_month=AMOUNT * (CALLS + 1))
    command = [sys.executable, "-m", "tests.workflows.spender", str(workflow.pk), str(AMOUNT), str(TRIES), str(PROCESSES)]  # fmt: skip
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    env["DATABASE_URL"] = url_of_the_test_database()
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "failed" not in ran.stdout, ran.stderr
    given = [int(line) for line in ran.stdout.split()]
    assert len(given) == PROCESSES
    assert sum(given) == CALLS
    assert sum(bool(count) for count in given) > 1, "they did not run at the same time"
    assert Reservation.objects.count() == CALLS
    settled = Reservation.objects.exclude(settled_at=None).count()
    rows = list(Spending.objects.filter(workflow=workflow))
    assert len(rows) == 2
    for row in rows:
        assert (row.spent, row.held) == (AMOUNT * settled, AMOUNT * (CALLS - settled))
