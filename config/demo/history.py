"""A year of sample history in the demo, so that reports are worth looking at: made in one go, marked, and removable.

Rows are written in bulk, without the histories that people's acts leave behind: nobody acted. Everything is at rest
when it is stored; no worker is woken, nothing is sent, and no budget of today is touched.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from config.backends import DEMO_MAIL
from config.demo.loading import ROLES, SLUGS
from config.demo.sample_drafts import CHANNEL
from config.demo.sample_people import make_sample_people
from config.demo.sample_plan import plan
from config.demo.sample_rows import NEW_VERSION_AT, Rows, Setting, Teller
from config.demo.sample_versions import make_older_version, mark_sample_use
from reviews.models import Review
from workflows.errors import Refused
from workflows.intake import keep_file
from workflows.models import (
    Decision,
    Delivery,
    Destination,
    FieldResult,
    Item,
    Page,
    RegisterEntry,
    Run,
    Source,
    Spending,
    Version,
    Workflow,
)
from workflows.outbox import REGISTER, payload_of
from workflows.versions import read_version

AT_ONCE = 250  # items in one transaction: a demo that is being served goes on meanwhile
MOST_WEEKS, MOST_ITEMS = 260, 100_000


def add_history(*, weeks: int, items: int, seed: int, until: datetime | None = None) -> int:
    """How many items were added: none where there is sample history already. The same seed and end give the same year.

    Raises Refused outside a demo, and where the figures make no history; then nothing was added.
    """
    if not (1 <= weeks <= MOST_WEEKS and 20 <= items <= MOST_ITEMS):
        raise Refused(
            f"Sample history takes 1 to {MOST_WEEKS} weeks and 20 to {MOST_ITEMS:,} items. Nothing was added."
        )
    people, workflows = _demo()
    if sample_items().exists():
        return 0
    dice = Random(seed)  # noqa: S311 - lots, not secrets
    until = timezone.localtime(until).replace(microsecond=0)
    stories = plan(weeks=weeks, items=items, dice=dice, until=until)
    begins = stories[0].came
    people |= make_sample_people(workflows=workflows, joined=begins)
    settings = {
        one.slug: _setting(workflow=one, begins=begins, newer_from=begins + (until - begins) * NEW_VERSION_AT)
        for one in workflows
    }
    teller = Teller(settings=settings, people=people, weeks=weeks, until=until, dice=dice)
    waiting = iter(stories)
    while batch := list(islice(waiting, AT_ONCE)):
        teller.rows = Rows()
        for story in batch:
            teller.tell(story)
        _store(teller.rows)
    _store_spending(workflows=workflows)
    return len(stories)


def sample_items() -> Any:
    return Item.objects.filter(channel=CHANNEL)


def _demo() -> tuple[dict[str, Any], list[Workflow]]:
    people = {
        one.get_username(): one
        for one in get_user_model().objects.filter(username__in=ROLES, email__endswith=DEMO_MAIL)
    }
    workflows = list(Workflow.objects.filter(slug__in=SLUGS, version__isnull=False).select_related("version"))
    if len(people) < len(ROLES) or len(workflows) < len(SLUGS):
        raise Refused(
            "Sample history is made in the demo alone: its people or its workflows are not here. Nothing was added. "
            "Start the demo once (manage.py demo), then run this again."
        )
    return people, sorted(workflows, key=lambda one: SLUGS.index(one.slug))


def _setting(*, workflow: Workflow, begins: datetime, newer_from: datetime) -> Setting:
    newer = workflow.version
    assert newer is not None, "asked for with its version"
    older = make_older_version(of=newer, made=begins)
    mark_sample_use(of=newer, at=newer_from)
    read = read_version(pk=newer.pk)
    register = Destination.objects.filter(workflow=workflow, kind=REGISTER).order_by("-active", "pk").first()
    if register is None:
        raise Refused(f"{workflow.name} has no register. Nothing was added. Load the demo again.")
    versions = Version.objects.prefetch_related("fields").in_bulk([older.pk, newer.pk])
    return Setting(
        workflow=workflow, versions=(versions[older.pk], versions[newer.pk]), specs=read.fields, rules=read.rules,
        register=register,
    )  # fmt: skip


def _store(rows: Rows) -> None:
    with transaction.atomic():
        Item.objects.bulk_create(rows.items)
        # A bulk insert writes the moment of writing into it, and lists of what changed go by it.
        Item.objects.filter(pk__in=[item.pk for item in rows.items]).update(updated_at=F("state_since"))
        for source, content in rows.sources:
            keep_file(source=source, content=content)
        Source.objects.bulk_create(source for source, _ in rows.sources)
        Page.objects.bulk_create(rows.pages)
        Run.objects.bulk_create(rows.runs)
        FieldResult.objects.bulk_create(rows.results)
        Decision.objects.bulk_create(rows.decisions)
        Review.objects.bulk_create(rows.reviews)
        for delivery in rows.deliveries:
            delivery.payload = payload_of(item=delivery.item, decision=delivery.decision)
        Delivery.objects.bulk_create(rows.deliveries)
        RegisterEntry.objects.bulk_create(rows.entries)


def _store_spending(*, workflows: list[Workflow]) -> None:
    """Of days and months that were over when the workflow was made: all of theirs is the sample's, and no limit of now is met."""
    for workflow in workflows:
        made = timezone.localdate(workflow.created_at)
        spent: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
        runs = Run.objects.filter(item__workflow=workflow, item__channel=CHANNEL, cost__gt=0)
        for started_at, cost in runs.values_list("started_at", "cost"):
            day = timezone.localdate(started_at)
            assert cost is not None, "asked for with a cost"
            if day < made:
                spent[Spending.Span.DAY, day] += cost
            if day < made.replace(day=1):
                spent[Spending.Span.MONTH, day.replace(day=1)] += cost
        Spending.objects.bulk_create(
            Spending(workflow=workflow, span=span, starts_on=day, spent=amount)
            for (span, day), amount in sorted(spent.items())
        )


def sample_spending(*, workflow: Workflow) -> Any:
    """What `_store_spending` wrote: nothing real was ever spent before the workflow was there."""
    made = timezone.localdate(workflow.created_at)
    days = Spending.objects.filter(workflow=workflow, span=Spending.Span.DAY, starts_on__lt=made)
    return days | Spending.objects.filter(
        workflow=workflow, span=Spending.Span.MONTH, starts_on__lt=made.replace(day=1)
    )
