"""Who uses it and who stopped: people who submitted or decided. Nothing here says how fast anybody is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from reviews.claims import name_of
from reviews.reports.asking import Asked
from reviews.reports.cells import Seen
from reviews.reports.filters import SOURCES
from reviews.reports.intervals import Share
from reviews.reports.tables import Column, Figure, Report, count, lasting, moment, share, text
from workflows.people import SYSTEM

STOPPED = timedelta(weeks=3)


@dataclass(frozen=True, slots=True)
class Use:
    """What one person did with the items that are counted."""

    name: str
    submitted: int
    decided: int  # items
    last: datetime

    def stopped(self, *, now: datetime) -> bool:
        return now - self.last > STOPPED


def uses(asked: Asked) -> dict[int, Use]:
    """By the key of the person, whoever did most first. The system is nobody."""
    submitted: dict[int, Seen] = defaultdict(Seen)
    decided: dict[int, Seen] = defaultdict(Seen)
    for one in asked.cells:
        for all_of, of_cell in ((submitted, one.cell.submitted), (decided, one.cell.decided)):
            for pk, seen in of_cell.items():
                all_of[pk].add(n=seen.n, last=seen.last)
    last_of = _last_acts(asked)
    people = get_user_model().objects.exclude(username=SYSTEM).in_bulk([*submitted, *decided])
    found = {}
    for pk, person in people.items():
        sent, chosen = submitted[pk], decided[pk]
        last = max(at for at in (sent.last, chosen.last, last_of.get(pk)) if at is not None)
        found[pk] = Use(name=name_of(person), submitted=sent.n, decided=chosen.n, last=last)
    return dict(sorted(found.items(), key=lambda one: (-one[1].decided - one[1].submitted, one[1].name)))


def _last_acts(asked: Asked) -> dict[int, datetime]:
    """With items of any day, where the dates of the filter end in the past: who went on with others did not stop."""
    if asked.filter.until is None or asked.filter.until >= timezone.localdate(asked.now):
        return {}
    found: dict[int, Seen] = defaultdict(Seen)
    for one in asked.whenever().cells:
        for of_cell in (one.cell.submitted, one.cell.decided):
            for pk, seen in of_cell.items():
                found[pk].add(n=seen.n, last=seen.last)
    return {pk: seen.last for pk, seen in found.items() if seen.last is not None}


def people(asked: Asked, found: dict[int, Use]) -> Report:
    rows = [
        [
            text(one.name), count(one.submitted, link=asked.link("submitted by", str(pk))),
            count(one.decided, link=asked.link("decided by", str(pk))), moment(one.last), _stopped(one, asked.now),
        ]
        for pk, one in found.items()
    ] if asked.opens else []  # fmt: skip
    active = sum(1 for one in found.values() if not one.stopped(now=asked.now))
    return Report(
        key="people", title="Who uses it",
        columns=(
            Column("Person"), Column("Submitted", number=True), Column("Decided", number=True), Column("Last"), Column("Stopped"),
        ),
        rows=rows, about=f"{active} of {len(found)} in the last 3 weeks", names_items=True,
        notes=("Items that a person submitted or decided. Their order says how much, and nothing how fast.",),
        empty="Nobody used it yet." if not found else "You may see figures here, and no names. Ask who manages access.",
    )  # fmt: skip


def teams(asked: Asked, found: dict[int, Use]) -> Report:
    """Of the groups that review and that answer escalations: how many of their people did anything."""
    groups = {pk for one in asked.workflows for pk in (one.reviewers_id, one.escalation_id) if pk}
    members: dict[int, set[int]] = {pk: set() for pk in groups}
    through = get_user_model().groups.through.objects
    for group, person in through.filter(group__in=groups, user__is_active=True).values_list("group", "user"):
        members[group].add(person)
    rows = []
    for pk, name in Group.objects.filter(pk__in=groups).order_by("name").values_list("pk", "name"):
        own = members[pk]
        active = {one for one in own if one in found and not found[one].stopped(now=asked.now)}
        quiet = sorted(found[one].name for one in own - active if one in found)
        never = len(own) - len(active) - len(quiet)
        said = [f"stopped: {', '.join(quiet) if asked.opens else len(quiet)}"] if quiet else []
        said += [f"{never} not seen"] if never else []
        rows.append(
            [
                text(name), Figure(text=f"{len(active)} of {len(own)}", value=len(active)), *share(Share(len(active), len(own))),
                text("; ".join(said) or "–"),
            ]
        )  # fmt: skip
    return Report(
        key="teams", title="Teams",
        columns=(
            Column("Team"), Column("People active", number=True), Column("Share", number=True), Column("95 % interval"),
            Column("Stopped, or not seen"),
        ),
        rows=rows, names_items=True, empty="No workflow has a group of reviewers yet.",
    )  # fmt: skip


def sources(asked: Asked) -> Report:
    found: dict[str, int] = defaultdict(int)
    last: dict[str, datetime] = {}
    for row in asked.counted:
        found[row.channel] += row.items
        last[row.channel] = max(row.last, last.get(row.channel, row.last))
    rows = [
        [
            text(SOURCES.get(channel, channel.capitalize())), count(n, link=asked.link("all", source=channel)),
            *share(Share(n, asked.total())), moment(last[channel]),
        ]
        for channel, n in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    ]  # fmt: skip
    return Report(
        key="sources", title="Where items come from",
        columns=(
            Column("Source"), Column("Items", number=True), Column("Share", number=True), Column("95 % interval"), Column("Last"),
        ),
        rows=rows,
    )  # fmt: skip


def _stopped(one: Use, now: datetime) -> Figure:
    if not one.stopped(now=now):
        return text("–")
    return text(f"none for {lasting(round((now - one.last).total_seconds()))}", tone="warn")
