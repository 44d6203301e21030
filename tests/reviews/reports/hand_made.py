"""A small set of work whose every figure was worked out by hand; the workings stand beside the tests.

Rows are written as they would stand after the work, because the verbs take the clock as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from reviews.models import Review
from reviews.reports.asking import Asked
from reviews.reports.filters import Filter
from tests.factories import make_user, make_workflow
from workflows.models import Brief, Decision, Item, Run, Version, Workflow
from workflows.states import State

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # a Friday
FIRST, LAST = date(2026, 11, 2), date(2026, 11, 20)  # three weeks, each from its Monday
_counter = iter(range(1, 1_000_000))


def add(
    *, workflow: Workflow, state: State = State.DELIVERED, at: datetime = NOW, after: timedelta = timedelta(hours=1), by: Any = None,
    decided: str = "", worked: Sequence[int | None] = (), reasons: str = "", costs: Sequence[tuple[str, str | None]] = (),
    version: Version | None = None, channel: str = "admin", problem: dict[str, Any] | None = None, title: str = "",
    review_open: bool = False, due: datetime | None = None,
) -> Item:  # fmt: skip
    """An item taken in `at`, in its state since `after` that. `worked`: the seconds of each review that was done, None where nobody
    had claimed it; the last one was ended by the decision. `costs`: outcome and cost of each run."""
    person = by or make_user()
    item = Item(
        workflow=workflow, version=version or workflow.version, title=title or f"Item {next(_counter)}", state=state, state_since=at + after,
        created_at=at, submitted_by=person, channel=channel, content_hash=f"{next(_counter):064d}", problem=problem, due_at=due,
    )  # fmt: skip
    item.save_without_historical_record()
    for outcome, cost in costs:
        Run.objects.create(
            item=item, version=item.version, outcome=outcome, model="priced" if cost else "own", started_at=at,
            cost=Decimal(cost) if cost else None, cpu_seconds=None if cost else 2.5, ended_at=at,
        )  # fmt: skip
    decision = None
    if decided:
        decision = Decision.objects.create(item=item, kind=decided, by=person, created_at=at + after)
    for number, seconds in enumerate(worked):
        last = number == len(worked) - 1
        Review.objects.create(
            item=item, workflow=workflow, group=workflow.reviewers, state=Review.State.DONE, due_at=at, opened_at=at, closed_at=at + after,
            decision=decision if last else None, worked_seconds=seconds, reason_kinds=reasons if last else "",
        )  # fmt: skip
    if review_open:
        Review.objects.create(
            item=item,
            workflow=workflow,
            group=workflow.reviewers,
            due_at=due or at,
            opened_at=at,
            reason_kinds=reasons,
        )
    return item


def accepted(*, workflow: Workflow, edited: bool = False, worked: int | None = 120, **more: Any) -> Item:
    kind = Decision.Kind.EDIT if edited else Decision.Kind.APPROVE
    return add(workflow=workflow, decided=kind, worked=[worked], **more)


def brief(
    *, workflow: Workflow, stated: str | None = None, timed: Sequence[str] = (), hour: str | None = None
) -> Brief:
    rows = [{"what": str(number), "minutes": minutes} for number, minutes in enumerate(timed)]
    return Brief.objects.create(
        workflow=workflow,
        minutes_by_hand=Decimal(stated) if stated else None,
        timed=rows,
        hour_cost=Decimal(hour) if hour else None,
    )


def ask(user: Any, **narrowed: Any) -> Asked:
    dates: dict[str, Any] = {"since": FIRST, "until": LAST}
    return Asked(user=user, filter=Filter(**{**dates, **narrowed}), now=NOW)


def ago(**since: float) -> datetime:
    return timezone.now() - timedelta(**since)


def texts(row: Sequence[Any]) -> list[str]:
    return [figure.text for figure in row]


def two_workflows() -> tuple[Workflow, Workflow]:
    return make_workflow("leads", name="Leads"), make_workflow("invoices", name="Invoices")
