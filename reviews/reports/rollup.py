"""Keeps the figures of days that are over, and gives them back; what is not kept, or changed since, is counted as it is asked."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from reviews.models import DayFigures, Recount
from reviews.reports.cells import CELLS, Cell, Key, count_cells, counted_as
from reviews.reports.filters import midnight
from workflows.models import Item, Workflow

# Triggers note changes in items older than a day. Two hours more are longer than any transaction.
OVER = timedelta(hours=26)
DAYS_AT_ONCE = 7
MOST_NOTES = 20_000  # to be told apart by the page
AT_ONCE = 10_000
MOST_SECONDS = 3.0  # of one round; the next goes on
MOST_SPANS = 60  # of days to count now; beyond, what is kept between them would not help
Span = tuple[date, date]  # both included


def cells_of(*, workflows: list[int], first: date, last: date) -> list[tuple[int, date, Cell]]:
    """Every cell of these workflows and days, kept or counted now."""
    kept = dict(_kept(workflows=workflows, first=first, last=last))
    for key in _noted(workflows=workflows, first=first, last=last):
        kept.pop(key, None)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    spans = {pk: spans_of([day for day in days if (pk, day) not in kept]) for pk in workflows}
    if sum(map(len, spans.values())) > MOST_SPANS:
        kept, spans = {}, {pk: [(first, last)] for pk in workflows}
    counted = count_cells(Item.objects.filter(_within(spans))) if any(spans.values()) else {}
    read = {key: CELLS.validate_json(cells) for key, cells in kept.items()}
    return [(pk, day, cell) for (pk, day), cells in (*read.items(), *counted.items()) for cell in cells]


def roll_up(*, now: datetime | None = None, most_seconds: float = MOST_SECONDS) -> int:
    """Count what is missing or changed, the newest days first. Returns the number of days that were kept."""
    until = timezone.localtime((now or timezone.now()) - OVER).date() - timedelta(days=1)
    notes = _notes()
    stored = {
        (pk, day): at
        for pk, day, at in DayFigures.objects.filter(counted_as=counted_as()).values_list(
            "workflow", "day", "counted_at"
        )
    }
    days = [*_missing(stored=set(stored), until=until), *(key for key in notes if key[1] <= until)]
    done, end = 0, time.monotonic() + most_seconds
    for pk, (first, last) in _portions(sorted(set(days))):
        counted = count_cells(Item.objects.filter(_within({pk: [(first, last)]})))
        day = first
        while day <= last:
            key = (pk, day)
            done += _keep(key, cells=counted.get(key, []), seen=stored.get(key), notes=notes.get(key, []))
            day += timedelta(days=1)
        if time.monotonic() > end:
            break
    return done


def _keep(key: Key, *, cells: list[Cell], seen: datetime | None, notes: list[int]) -> bool:
    """The notes were read before the rows were counted: one that came in between stays, and the day is counted again."""
    pk, day = key
    new = {"cells": CELLS.dump_json(cells).decode(), "counted_as": counted_as(), "counted_at": timezone.now()}
    with transaction.atomic():
        if seen is None:
            # Of another shape or clock, or none.
            DayFigures.objects.filter(workflow=pk, day=day).exclude(counted_as=counted_as()).delete()
            _, ours = DayFigures.objects.get_or_create(workflow_id=pk, day=day, defaults=new)
        else:
            ours = bool(DayFigures.objects.filter(workflow=pk, day=day, counted_at=seen).update(**new))
        if ours:  # else another worker was first, and its count may be the newer one
            for first in range(0, len(notes), AT_ONCE):
                Recount.objects.filter(pk__in=notes[first : first + AT_ONCE]).delete()
    return ours


def _notes() -> dict[Key, list[int]]:
    found: dict[Key, list[int]] = defaultdict(list)
    known = set(Workflow.objects.values_list("pk", flat=True))
    Recount.objects.exclude(workflow_id__in=known).delete()
    rows = Recount.objects.values_list("pk", "workflow_id", "created_at")
    for note, pk, came in rows.iterator(chunk_size=AT_ONCE):
        found[pk, timezone.localtime(came).date()].append(note)
    return found


def _missing(*, stored: set[Key], until: date) -> list[Key]:
    """From the first item of a workflow on, days without an item too: nothing is known of a day until it was counted."""
    firsts = Item.objects.order_by().values_list("workflow").annotate(first=Min("created_at"))
    found = []
    for pk, first in firsts:
        day = timezone.localtime(first).date()
        while day <= until:
            if (pk, day) not in stored:
                found.append((pk, day))
            day += timedelta(days=1)
    return found


def _portions(days: list[Key]) -> list[tuple[int, Span]]:
    """Of a week at most, the newest first."""
    by_workflow: dict[int, list[date]] = defaultdict(list)
    for pk, day in days:
        by_workflow[pk].append(day)
    found = []
    for pk, own in by_workflow.items():
        for first, last in spans_of(own):
            while first <= last:
                end = min(last, first + timedelta(days=DAYS_AT_ONCE - 1))
                found.append((pk, (first, end)))
                first = end + timedelta(days=1)
    return sorted(found, key=lambda one: one[1], reverse=True)


def spans_of(days: Iterable[date]) -> list[Span]:
    """Days in their order, those that follow one another together."""
    found: list[Span] = []
    for day in days:
        if found and found[-1][1] + timedelta(days=1) == day:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _within(spans: dict[int, list[Span]]) -> Q:
    together: dict[Span, list[int]] = defaultdict(list)
    for pk, own in spans.items():
        for span in own:
            together[span].append(pk)
    return reduce(
        or_,
        (
            Q(
                workflow__in=pks,
                created_at__gte=midnight(first),
                created_at__lt=midnight(last + timedelta(days=1)),
            )
            for (first, last), pks in together.items()
        ),
    )


def _kept(*, workflows: list[int], first: date, last: date) -> list[tuple[Key, str]]:
    rows = DayFigures.objects.filter(
        workflow__in=workflows, day__gte=first, day__lte=last, counted_as=counted_as()
    )
    return [((pk, day), cells) for pk, day, cells in rows.values_list("workflow", "day", "cells")]


def _noted(*, workflows: list[int], first: date, last: date) -> set[Key]:
    rows = Recount.objects.filter(
        workflow_id__in=workflows,
        created_at__gte=midnight(first),
        created_at__lt=midnight(last + timedelta(days=1)),
    )
    noted = list(rows.values_list("workflow_id", "created_at").distinct()[: MOST_NOTES + 1])
    if (
        len(noted) > MOST_NOTES
    ):  # somebody changed everything: nothing that is kept is of use until it is counted again
        return {
            (pk, first + timedelta(days=number))
            for pk in workflows
            for number in range((last - first).days + 1)
        }
    return {(pk, timezone.localtime(at).date()) for pk, at in noted}
