"""What an event costs, alone and by the batch, and eight writers of 500 events each: one unbroken chain."""

from __future__ import annotations

import time

import pytest
from django.db import connection, transaction

from tests.factories import make_item, make_workflow
from tests.workflows.audit.writers import WRITERS, write_at_once
from workflows.audit import Entry, record, record_many
from workflows.audit.verifying import verify_log
from workflows.models import Item
from workflows.people import system_user

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

TIMES, BATCH, EVENTS = 300, 50, 500


def test_what_an_event_costs(capsys: pytest.CaptureFixture[str]) -> None:
    item, by = make_item(workflow=make_workflow()), system_user()
    content = {"reason": "Because it is so", "before": {"total": "1.00"}, "after": {"total": "2.00"}}

    def seconds(events: int) -> float:
        began, cpu = time.perf_counter(), time.process_time()
        for number in range(TIMES):
            with transaction.atomic():
                Item.objects.filter(pk=item.pk).update(priority=number % 7)
                entry = Entry(kind="test.written", by=by, item=item, facts={"n": number}, content=content)
                record_many([entry] * events)
        spent.append(time.process_time() - cpu)
        return time.perf_counter() - began

    spent: list[float] = []
    record(kind="test.first", by=by)
    without, with_one, with_many = seconds(0), seconds(1), seconds(BATCH)
    began = time.perf_counter()
    verdict = verify_log()
    verifying = time.perf_counter() - began
    assert verdict.whole, verdict.words
    with capsys.disabled():
        print(
            f"\n{connection.vendor}: a transaction of one update {1000 * without / TIMES:.2f} ms ({1000 * spent[0] / TIMES:.2f} CPU); "
            f"with one event {1000 * (with_one - without) / TIMES:.2f} ms more ({1000 * (spent[1] - spent[0]) / TIMES:.2f} CPU); "
            f"with {BATCH} events {1000 * (with_many - without) / TIMES / BATCH:.3f} ms more an event "
            f"({1000 * (spent[2] - spent[0]) / TIMES / BATCH:.3f} CPU); "
            f"verified {verdict.events:,} events in {verifying:.1f} s ({1e6 * verifying / verdict.events:.0f} µs an event)"
        )


def test_eight_writers_of_five_hundred_events_keep_one_chain(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = write_at_once(events=EVENTS)
    with capsys.disabled():
        print(
            f"\n{connection.vendor}: {WRITERS} writers x {EVENTS} events in {seconds:.1f} s "
            f"({WRITERS * EVENTS / seconds:.0f} events/s), one unbroken chain"
        )
