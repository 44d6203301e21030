"""How long people work on an item of a workflow: from claim to decision, of its reviews together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from itertools import groupby, islice

from django.utils import timezone

from reviews.models import Review
from workflows.measuring import SAMPLE_CHANNEL
from workflows.models import Workflow
from workflows.samples import Sample, sample_of

DAYS = 90  # how it is done now, not how it was done at first
MOST_ITEMS = 1000


def seconds_of(reviews: Iterable[tuple[str, int | None]]) -> int | None:
    """Of one item, from the state and the seconds of each of its reviews. None where no review was done, or one of them without a
    claim: half an item is no item."""
    done = [seconds for state, seconds in reviews if state == Review.State.DONE]
    known = [seconds for seconds in done if seconds is not None]
    return sum(known) if done and len(known) == len(done) else None


def person_minutes(workflow: Workflow) -> Sample | None:
    """Of the newest items whose every decision was measured."""
    since = timezone.now() - timedelta(days=DAYS)
    rows = (
        Review.objects.filter(workflow=workflow, state=Review.State.DONE, closed_at__gte=since)
        .exclude(item__channel=SAMPLE_CHANNEL)
        .order_by("-item").values_list("item", "state", "worked_seconds")
    )  # fmt: skip
    each = (
        seconds_of((state, seconds) for _, state, seconds in own)
        for _, own in groupby(rows.iterator(chunk_size=MOST_ITEMS), key=lambda row: row[0])
    )
    return sample_of(
        Decimal(one) / 60 for one in islice((one for one in each if one is not None), MOST_ITEMS)
    )
