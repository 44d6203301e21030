"""How many queries each screen takes, for each role: the same with 3 rows as with 30, and as many as recorded.

counts.json is the record. After a change that means to ask more or less:
    RECORD=1 python -m pytest tests/queries
and read the difference before you commit it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_user
from tests.queries.rows import ROLES, Large, addresses, make_rows

pytestmark = pytest.mark.django_db

RECORD = Path(__file__).parent / "counts.json"
FEW, MANY = 3, 30
Counts = dict[str, dict[str, int]]  # screen -> role -> queries


def test_no_screen_asks_more_than_recorded_nor_more_with_more_rows() -> None:
    people = {role: make_user(role) for role in ROLES}
    few = counts_of(people=people, large=make_rows(count=FEW, people=people))
    many = counts_of(people=people, large=make_rows(count=MANY, people=people))
    grown = differences(few, many)
    assert not grown, "\n".join([f"With {FEW} rows, and with {MANY}:", *grown])
    if os.environ.get("RECORD"):
        RECORD.write_text(json.dumps(few, indent=1, sort_keys=True) + "\n")
    changed = differences(json.loads(RECORD.read_text()), few)
    assert not changed, "\n".join(["Recorded, and now (see the head of this file):", *changed])


def counts_of(*, people: dict[str, Any], large: Large) -> Counts:
    """Of every screen that a role may open; what they may not is left out."""
    counts: Counts = {}
    places = addresses(large=large, person=people["everything"])
    clients = {role: Client() for role in people}
    for role, person in people.items():
        clients[role].force_login(person, backend="config.backends.PasswordBackend")
    for address in places.values():
        clients["everything"].get(address)  # what is kept from one request to the next is there now
    for role, client in clients.items():
        for name, address in places.items():
            with CaptureQueriesContext(connection) as asked:
                answer = client.get(address)
                if answer.streaming:
                    b"".join(answer.streaming_content)
            if answer.status_code == 200:
                counts.setdefault(name, {})[role] = len(asked)
    return counts


def differences(before: Counts, after: Counts) -> list[str]:
    return [
        f"{name} for {role}: {before.get(name, {}).get(role)} -> {after.get(name, {}).get(role)}"
        for name in sorted(before.keys() | after.keys())
        for role in ROLES
        if before.get(name, {}).get(role) != after.get(name, {}).get(role)
    ]
