"""How long people work on an item of a workflow: from claim to decision, of its reviews together."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db.models import Count, F, Sum
from django.utils import timezone

from reviews.models import Review
from workflows.measuring import SAMPLE_CHANNEL
from workflows.models import Workflow
from workflows.samples import Sample, sample_of

DAYS = 90  # how it is done now, not how it was done at first
MOST_ITEMS = 1000


def person_minutes(workflow: Workflow) -> Sample | None:
    """Of items whose every decision was measured: one without a claim has no time, and half an item is no item."""
    items = (
        Review.objects.filter(
            workflow=workflow, decision__isnull=False, closed_at__gte=timezone.now() - timedelta(days=DAYS)
        )
        .exclude(item__channel=SAMPLE_CHANNEL)
        .order_by().values("item").annotate(known=Count("worked_seconds"), all=Count("pk"), seconds=Sum("worked_seconds"))
        .filter(known=F("all")).order_by("-item").values_list("seconds", flat=True)
    )  # fmt: skip
    return sample_of(Decimal(seconds) / 60 for seconds in items[:MOST_ITEMS])
