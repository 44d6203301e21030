"""What the gate and the so-what take from rows: minutes of people and money of the model, for one item. Made-up history counts nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from workflows.models import CaseResult, Run, Workflow
from workflows.samples import Sample
from workflows.worth import Measured

SAMPLE_CHANNEL = "sample"  # of a demo's history: good to look at, evidence of nothing
COST_DAYS = 30
ACTUAL_DAYS = 28

PersonMinutes = Callable[[Workflow], Sample | None]
_person_minutes: list[PersonMinutes] = []


@dataclass(frozen=True, slots=True)
class Actual:
    """A metric as it was measured, of `n` items."""

    value: Decimal
    n: int


ActualOf = Callable[[Workflow, str, Any], Actual | None]
_actual_of: list[ActualOf] = []


def tell_actuals(call: ActualOf) -> None:
    """The app that keeps reports registers here what a computed metric is, in its `ready()`."""
    _actual_of[:] = [call]


def actual_of(*, workflow: Workflow, source: str, user: Any) -> Actual | None:
    return _actual_of[0](workflow, source, user) if _actual_of else None


def tell_person_minutes(call: PersonMinutes) -> None:
    """The app that keeps claims and reviews registers here how long people take, in its `ready()`."""
    _person_minutes[:] = [call]


def person_minutes(*, workflow: Workflow) -> Sample | None:
    return _person_minutes[0](workflow) if _person_minutes else None


def measured_of(*, workflow: Workflow) -> Measured:
    return Measured(person=person_minutes(workflow=workflow), cost=cost_of_an_item(workflow=workflow))


def cost_of_an_item(*, workflow: Workflow) -> Decimal | None:
    """The mean of the last 30 days; before there are items, of the active version's evaluations. None: no price is known.

    One answer without a price makes the sum a guess. A call that brought no answer may have none.
    """
    answered = Q(outcome="ok")
    told = (
        Run.objects.filter(item__workflow=workflow, started_at__gte=timezone.now() - timedelta(days=COST_DAYS))
        .exclude(item__channel=SAMPLE_CHANNEL)
        .aggregate(
            sum=Sum("cost"), items=Count("item", distinct=True, filter=answered),
            unpriced=Count("pk", filter=answered & Q(cost=None)),
        )
    )  # fmt: skip
    if not told["items"] and workflow.version_id is not None:
        # What was taken from a stored run cost nothing that time, and says nothing of what an item costs.
        asked = CaseResult.objects.filter(
            evaluation__version=workflow.version_id, reused_run=None, reused_result=None
        )
        told = asked.aggregate(
            sum=Sum("cost"), items=Count("pk", filter=answered), unpriced=Count("pk", filter=answered & Q(cost=None))
        )  # fmt: skip
    if not told["items"] or told["unpriced"]:
        return None
    return (told["sum"] or Decimal(0)) / told["items"]
