"""What the metric of a brief really is, where it is computed: the figures of the reports, of the last four weeks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from reviews.reports import acceptance, cost, minutes, waiting
from reviews.reports.asking import Asked
from reviews.reports.filters import NO_SAMPLE, Filter
from workflows.measuring import ACTUAL_DAYS, Actual
from workflows.models import Brief, Workflow


def actual_of(workflow: Workflow, source: str, user: Any) -> Actual | None:
    """None where nothing was measured, or this person may not see the reports of the workflow."""
    today = timezone.localdate()
    days = Filter(
        since=today - timedelta(days=ACTUAL_DAYS - 1), until=today, workflow=workflow.pk, source=NO_SAMPLE
    )
    asked = Asked(user=user, filter=days)
    if not asked.workflows:
        return None
    value, n = _figure(asked, source)
    return Actual(value=Decimal(str(round(value, 4))), n=n) if n else None


def _figure(asked: Asked, source: str) -> tuple[float, int]:
    """With the number of items that it is of."""
    match source:
        case Brief.Source.MINUTES:
            (worth,) = minutes.worths(asked)
            return worth.spent.measured.mean if worth.spent.measured.n else 0.0, worth.spent.measured.n
        case Brief.Source.UNEDITED:
            share = acceptance.unedited(asked)
            return 100 * (share.value or 0.0), share.whole
        case Brief.Source.NEXT_ACTION:
            waited = waiting.times(asked).whole
            return (waited.half / 3600, waited.n) if waited else (0.0, 0)
        case Brief.Source.COST:
            spent = cost.cost_of(asked)
            return (float(spent.amount) / spent.priced, spent.priced) if spent.priced else (0.0, 0)
    raise AssertionError(source)
