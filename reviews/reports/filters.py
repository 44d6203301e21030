"""The one filter of all reports: read from an address, told in words, and put on a queryset of items.

Dates are days of intake on the installation's clock, both ends included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from reviews.models import Review
from workflows.access import countable
from workflows.models import Item, Version, Workflow

WEEKS = 12
MOST_DAYS = 5 * 366
ALL = "all"  # as a date: without a limit
SAMPLE = "sample"
NO_SAMPLE = "-sample"
NAMES = ("since", "until", "workflow", "version", "team", "source")
SOURCES = {
    "admin": "Submitted on the screen", "api": "API", "command": "Command line", "demo": "Demo inputs", "mailbox": "Mailbox",
    "folder": "Watched folder", SAMPLE: "Sample history",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filter:
    """`problems` say in words what could not be read; each of those parts is left out."""

    since: date | None = None
    until: date | None = None
    workflow: int | None = None
    version: int | None = None
    team: int | None = None
    source: str = ""
    problems: tuple[str, ...] = ()

    def narrow(self, items: QuerySet[Item]) -> QuerySet[Item]:
        if self.since:
            items = items.filter(created_at__gte=midnight(self.since))
        if self.until:
            items = items.filter(created_at__lt=midnight(self.until + timedelta(days=1)))
        if self.workflow:
            items = items.filter(workflow=self.workflow)
        if self.version:
            items = items.filter(version=self.version)
        if self.team:
            items = items.filter(Exists(Review.objects.filter(item=OuterRef("pk"), group=self.team)))
        if self.source == NO_SAMPLE:
            items = items.exclude(channel=SAMPLE)
        elif self.source:
            items = items.filter(channel=self.source)
        return items

    def whenever(self) -> Filter:
        """The same, without its dates: for what is asked about now."""
        return replace(self, since=None, until=None)

    def query(self) -> dict[str, str]:
        """As it stands in an address."""
        parts: dict[str, Any] = {
            "since": self.since.isoformat() if self.since else ALL, "until": self.until.isoformat() if self.until else ALL,
            "workflow": self.workflow, "version": self.version, "team": self.team, "source": self.source,
        }  # fmt: skip
        return {name: str(value) for name, value in parts.items() if value}


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filter may be set to: names of what this person may count, and of nothing else."""

    workflows: dict[int, str]
    versions: dict[int, str]
    teams: dict[int, str]
    sources: dict[str, str]


def read_filter(*, sent: Mapping[str, Any], user: Any, today: date | None = None) -> tuple[Filter, Choices]:
    """Raises nothing: what cannot be read is said in `problems`, and stands at its default."""
    today = today or timezone.localdate()
    problems: list[str] = []
    since, until = _days(sent=sent, today=today, problems=problems)
    choices = choices_for(user=user)
    found = {
        name: _choice(sent=sent, name=name, known=known, problems=problems)
        for name, known in (("workflow", choices.workflows), ("version", choices.versions), ("team", choices.teams))
    }  # fmt: skip
    source = str(sent.get("source", ""))
    if source and source not in choices.sources:
        problems.append(_unknown("source"))
        source = ""
    return Filter(since=since, until=until, source=source, problems=tuple(problems), **found), choices


def default_filter(*, today: date | None = None) -> Filter:
    today = today or timezone.localdate()
    return Filter(since=monday(today) - timedelta(weeks=WEEKS - 1), until=today)


def choices_for(*, user: Any) -> Choices:
    workflows = list(
        countable(user, Workflow.objects.order_by("name")).values_list(
            "pk", "name", "reviewers", "escalation"
        )
    )
    versions = countable(user, Version.objects.order_by("workflow__name", "-number"))
    groups = {pk for _, _, *both in workflows for pk in both if pk}
    channels = (
        items_of(pks=[row[0] for row in workflows]).order_by().values_list("channel", flat=True).distinct()
    )
    sources = {channel: SOURCES.get(channel, channel.capitalize()) for channel in sorted(channels)}
    if SAMPLE in sources:
        sources[NO_SAMPLE] = "All but sample history"
    return Choices(
        workflows={row[0]: row[1] for row in workflows},
        versions={
            pk: f"{name}, version {number}"
            for pk, name, number in versions.values_list("pk", "workflow__name", "number")
        },
        teams=dict(Group.objects.filter(pk__in=groups).order_by("name").values_list("pk", "name")),
        sources=sources,
    )  # fmt: skip


def items_of(*, pks: list[int]) -> QuerySet[Item]:
    """Named one by one, for a superuser too: this is what the index of reports begins with."""
    return Item.objects.filter(workflow__in=pks)


def in_words(*, filter: Filter, choices: Choices) -> str:
    told = []
    if filter.since or filter.until:
        first = f"{filter.since:%-d %b %Y}" if filter.since else "the beginning"
        told.append(
            f"taken in from {first} to {filter.until:%-d %b %Y}" if filter.until else f"taken in from {first}"
        )
    told += [choices.workflows[filter.workflow]] if filter.workflow else []
    told += [choices.versions[filter.version]] if filter.version else []
    told += [f"team {choices.teams[filter.team]}"] if filter.team else []
    told += [f"source: {choices.sources[filter.source].lower()}"] if filter.source else []
    return "; ".join(told) or "everything"


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _days(*, sent: Mapping[str, Any], today: date, problems: list[str]) -> tuple[date | None, date | None]:
    usual = default_filter(today=today)
    since = _day(sent=sent, name="since", usual=usual.since, problems=problems)
    until = _day(sent=sent, name="until", usual=usual.until, problems=problems)
    if since and until and since > until:
        problems.append(
            f"“From” ({since:%-d %b %Y}) is after “to” ({until:%-d %b %Y}). The last {WEEKS} weeks are shown."
        )
        return usual.since, usual.until
    if since and (until or today) - since > timedelta(days=MOST_DAYS):
        problems.append("At most five years are shown at once. The last five are.")
        since = (until or today) - timedelta(days=MOST_DAYS)
    return since, until


def _day(*, sent: Mapping[str, Any], name: str, usual: date | None, problems: list[str]) -> date | None:
    written = str(sent.get(name, "")).strip()
    if not written:
        return usual
    if written == ALL:
        return None
    try:
        day = date.fromisoformat(written)
    except ValueError:
        day = date.min
    if not 1990 <= day.year <= 2200:
        word = "From" if name == "since" else "To"
        problems.append(f"“{word}” is not a day. Write it as 2026-11-30. The usual day is taken.")
        return usual
    return day


def _choice(
    *, sent: Mapping[str, Any], name: str, known: Mapping[int, str], problems: list[str]
) -> int | None:
    written = str(sent.get(name, "")).strip()
    if not written:
        return None
    if written.isdecimal() and len(written) < 16 and int(written) in known:
        return int(written)
    problems.append(_unknown(name))
    return None


def _unknown(name: str) -> str:
    # The same for what is hidden and for what never was.
    return f"There is no such {name} among those whose figures you may see. It is left out of the filter."
