"""The page of the reports over 100,000 items: as many queries as over a few, and its time beside the naive aggregate's."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F
from django.db.models.functions import TruncWeek
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reviews.models import Review
from reviews.reports.rollup import roll_up
from tests.factories import MANAGER, grant_all, make_item, make_user, make_workflow
from tests.queries.copies import copy
from workflows.decisions import approve
from workflows.models import Decision, Item, Run
from workflows.states import State

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.django_db,
]

ITEMS, WORKFLOWS, WEEKS = 100_000, 4, 12
MOST_SECONDS = 1.0  # of CPU, which neighbours on the machine stretch less than the clock
ADDRESS = "/admin/reports/"


def test_the_reports_over_a_hundred_thousand_items_are_quick(capsys: pytest.CaptureFixture[str]) -> None:
    boss = make_user("boss")
    workflows = [make_workflow() for _ in range(WORKFLOWS)]
    for workflow in workflows:
        grant_all(to=boss, on=workflow, actions=MANAGER)
        make_few(workflow=workflow)
    client = Client()
    client.force_login(boss, backend="config.backends.PasswordBackend")
    client.get(ADDRESS)
    few, _, _ = measure(client)

    for workflow in workflows:
        multiply(workflow=workflow, times=ITEMS // WORKFLOWS)
    _, bare, _ = measure(client)  # before anything is kept
    began = time.perf_counter()
    kept = roll_up(most_seconds=600)
    keeping = time.perf_counter() - began
    measure(client)  # warm
    many, seconds, cpu = measure(client)
    naive, naive_cpu = naively()

    with capsys.disabled():
        print(
            f"\nReports over {Item.objects.count():,} items: {seconds:.2f} s ({cpu:.2f} of CPU) and {many} queries ({few} over {WORKFLOWS}); "
            f"with nothing kept {bare:.2f} s; keeping {kept} days took {keeping:.2f} s; "
            f"naive aggregates of three of its twelve reports, rows and all: {naive:.2f} s ({naive_cpu:.2f} of CPU)"
        )
    assert many == few
    assert cpu < MOST_SECONDS


def make_few(*, workflow: Any) -> None:
    item = make_item(workflow=workflow, text="Ines Okafor owes 12.50 EUR. " * 20)
    approve(item=item, by=make_user(can=tuple(_all()), on=workflow), seen=())
    Item.objects.filter(pk=item.pk).update(state=State.DELIVERED)
    Review.objects.filter(item=item).update(worked_seconds=120, reason_kinds="|bar|certificate|")
    make_item(workflow=workflow, state=State.ATTENTION)
    Run.objects.filter(item=item).update(cost="0.02", prompt=[{"role": "user", "content": "x" * 2000}])


def _all() -> Any:
    from workflows.access import Action

    return Action


def multiply(*, workflow: Any, times: int) -> None:
    """As many items more, spread over twelve weeks, each with a run, a decision and a review."""
    item = Item.objects.get(workflow=workflow, state=State.DELIVERED)
    run, decision, review = (
        Run.objects.get(item=item),
        Decision.objects.get(item=item),
        Review.objects.get(item=item),
    )
    last = {
        model: model._default_manager.order_by("-pk").first().pk for model in (Item, Run, Decision, Review)
    }
    back = f"(n.i * {(WEEKS * 7 * 1440 - 2000) * WORKFLOWS // ITEMS})"
    if connection.vendor == "sqlite":
        earlier = f"strftime('%%Y-%%m-%%d %%H:%%M:%%f000', t.created_at, (-{back}) || ' minutes')"
        later = (
            f"strftime('%%Y-%%m-%%d %%H:%%M:%%f000', t.created_at, (1 + n.i %% 997 - {back}) || ' minutes')"
        )
        opaque, padded = "lower(hex(randomblob(16)))", "printf('%%064x', n.i)"
    else:
        earlier = f"t.created_at - {back} * interval '1 minute'"
        later = f"t.created_at + (1 + n.i %% 997 - {back}) * interval '1 minute'"
        opaque, padded = "gen_random_uuid()", "lpad(n.i::text, 64, '0')"
    started = earlier.replace("created_at", "started_at")
    states = "CASE WHEN n.i %% 20 = 0 THEN 'rejected' WHEN n.i %% 25 = 1 THEN 'skipped' WHEN n.i %% 500 = 2 THEN 'attention' ELSE 'delivered' END"
    copy(
        row=item, times=times,
        new={
            "id": f"{last[Item]} + n.i", "public_id": opaque, "content_hash": padded,
            "created_at": earlier, "state_since": later, "state": states,
        },
    )  # fmt: skip
    copy(
        row=run,
        times=times,
        new={"id": f"{last[Run]} + n.i", "item_id": f"{last[Item]} + n.i", "started_at": started},
    )
    copy(
        row=decision, times=times,
        new={
            "id": f"{last[Decision]} + n.i", "item_id": f"{last[Item]} + n.i", "run_id": f"{last[Run]} + n.i",
            "kind": "CASE WHEN n.i %% 4 = 0 THEN 'edit' ELSE 'approve' END",
        },
    )  # fmt: skip
    copy(
        row=review, times=times,
        new={
            "id": f"{last[Review]} + n.i", "item_id": f"{last[Item]} + n.i", "decision_id": f"{last[Decision]} + n.i",
            "worked_seconds": "60 + n.i %% 300",
        },
    )  # fmt: skip


def measure(client: Client) -> tuple[int, float, float]:
    """Queries, seconds by the clock, and seconds of CPU."""
    began, worked = time.perf_counter(), time.process_time()
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(ADDRESS)
    seconds = time.perf_counter() - began
    assert answer.status_code == 200
    return len(asked), seconds, time.process_time() - worked


def naively() -> tuple[float, float]:
    """Weeks by the database's own week, times by its own difference, acceptance by a join: what one would write first."""
    began, worked = time.perf_counter(), time.process_time()
    list(
        Item.objects.order_by()
        .annotate(week=TruncWeek("created_at"))
        .values("week", "state")
        .annotate(n=Count("pk"))
    )
    took = ExpressionWrapper(F("state_since") - F("created_at"), output_field=DurationField())
    Item.objects.filter(state=State.DELIVERED).aggregate(took=Avg(took))
    sorted(Item.objects.filter(state=State.DELIVERED).annotate(took=took).values_list("took", flat=True))
    list(
        Decision.objects.order_by()
        .annotate(week=TruncWeek("item__created_at"))
        .values("week", "kind")
        .annotate(n=Count("item", distinct=True))
    )
    return time.perf_counter() - began, time.process_time() - worked
