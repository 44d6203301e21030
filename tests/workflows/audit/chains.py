"""A log to tamper with, and hands that the triggers would stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from tests.factories import make_user, make_workflow
from workflows.audit import record
from workflows.audit.triggers import POSTGRESQL, SQLITE, drop_statement, make_triggers
from workflows.models import AuditEvent


def make_chain(*, events: int) -> None:
    """Some with content, of two people and two workflows, with letters of several alphabets."""
    people = [make_user(), make_user()]
    workflows = [make_workflow(), make_workflow()]
    for number in range(events - AuditEvent.objects.count()):
        record(
            kind="test.happened", by=people[number % 2], workflow=workflows[number % 2],
            facts={"number": number, "ratio": 0.1 * number, "list": [1, None, True, "ä漢"], "z": {"b": 1, "a": 2}},
            content={"before": {"total": "1.50"}, "after": {"total": f"{number}.00 €"}} if number % 3 else None,
        )  # fmt: skip


@contextmanager
def lifted() -> Iterator[None]:
    """Whoever owns the database can take the triggers away, and put them back."""
    names = POSTGRESQL if connection.vendor == "postgresql" else SQLITE
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(drop_statement(vendor=connection.vendor, name=name))
    try:
        yield
    finally:
        make_triggers(using="default")
