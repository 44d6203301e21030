"""Who asks, about which items, and where a figure leads: what every report begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import Max, Min, QuerySet
from django.urls import reverse
from django.utils import timezone

from reviews.reports.cells import Cell
from reviews.reports.filters import NO_SAMPLE, SAMPLE, Filter, items_of
from reviews.reports.parts import narrow
from reviews.reports.periods import Periods, periods_of
from reviews.reports.rollup import cells_of
from workflows.access import Action, countable, visible
from workflows.models import Item, Version, Workflow


@dataclass(frozen=True, slots=True)
class Counted:
    """So many items of one period of intake, state, version and source, and when the last of them came in."""

    period: int
    state: str
    version: int | None
    channel: str
    items: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """A cell, and where it stands."""

    workflow: int
    period: int
    cell: Cell


@dataclass
class Asked:
    user: Any
    filter: Filter
    now: datetime = field(default_factory=timezone.now)

    @cached_property
    def workflows(self) -> list[Workflow]:
        """Those that are counted, by name."""
        found = countable(self.user, Workflow.objects.select_related("brief", "owner").order_by("name"))
        return list(found.filter(pk=self.filter.workflow) if self.filter.workflow else found)

    @cached_property
    def opens(self) -> bool:
        """Whether this person may open each item that is counted; else nothing here names one or leads to one."""
        return self._may_on_all(Action.VIEW)

    @cached_property
    def exports(self) -> bool:
        return self._may_on_all(Action.EXPORT)

    def _may_on_all(self, action: Action) -> bool:
        seen = set(visible(self.user, Workflow.objects.all(), action).values_list("pk", flat=True))
        return all(one.pk in seen for one in self.workflows)

    @property
    def items(self) -> QuerySet[Item]:
        """In no order: they are counted, not read."""
        return self.filter.narrow(items_of(pks=[one.pk for one in self.workflows])).order_by()

    def whenever(self) -> Asked:
        """The same question without its dates."""
        return Asked(user=self.user, filter=self.filter.whenever(), now=self.now)

    def part(self, name: str, of: str = "") -> QuerySet[Item]:
        found = narrow(self.items, part=name, of=of)
        assert found is not None, name
        return found

    def link(self, part: str, of: str = "", **changes: Any) -> str:
        """The list of exactly the items that a figure counts; empty where this person may not open them."""
        if not self.opens:
            return ""
        sent: Mapping[str, str] = {**replace(self.filter, **changes).query(), "part": part}
        query = urlencode({**sent, "of": of} if of else sent)
        return f"{reverse('admin:workflows_item_changelist')}?{query}"

    @cached_property
    def periods(self) -> Periods:
        first, last = self.filter.since, self.filter.until
        if first is None or last is None:
            ends = self.items.aggregate(first=Min("created_at"), last=Max("created_at"))
            first = first or _day(ends["first"] or self.now)
            last = last or max(first, _day(max(ends["last"] or self.now, self.now)))
        return periods_of(first=first, last=last)

    @cached_property
    def cells(self) -> list[Placed]:
        """What the reports add up, of exactly the items above."""
        periods = self.periods
        found = cells_of(
            workflows=[one.pk for one in self.workflows], first=periods.starts[0], last=periods.last
        )
        return [Placed(pk, periods.number(day), cell) for pk, day, cell in found if self._takes(cell)]

    def _takes(self, cell: Cell) -> bool:
        """As `Filter.narrow` narrows items; the dates and the workflow are narrowed already."""
        by = self.filter
        return (
            (not by.version or cell.version == by.version)
            and (not by.team or by.team in cell.teams)
            and (
                not by.source
                or (cell.channel != SAMPLE if by.source == NO_SAMPLE else cell.channel == by.source)
            )
        )

    @cached_property
    def counted(self) -> list[Counted]:
        return [
            Counted(
                period=one.period, state=state, version=one.cell.version, channel=one.cell.channel, items=seen.n, last=seen.last
            )
            for one in self.cells
            for state, seen in one.cell.states.items()
            if seen.last is not None
        ]  # fmt: skip

    @cached_property
    def versions(self) -> dict[int | None, str]:
        """What each version that was counted is called."""
        numbered = self._numbered.items()
        return {
            None: "No version yet",
            **{pk: f"{name}, version {number}" for pk, (name, number) in numbered},
        }

    def in_order(self, version: int | None) -> tuple[str, int]:
        """By workflow and number: version 10 comes after version 9."""
        return self._numbered.get(version or 0, ("", 0))

    @cached_property
    def _numbered(self) -> dict[int, tuple[str, int]]:
        pks = {row.version for row in self.counted if row.version is not None}
        found = Version.objects.filter(pk__in=pks).values_list("pk", "workflow__name", "number")
        return {pk: (name, number) for pk, name, number in found}

    @property
    def has_sample(self) -> bool:
        return any(row.channel == SAMPLE for row in self.counted)

    def total(self, *states: str) -> int:
        return sum(row.items for row in self.counted if not states or row.state in states)


def _day(at: datetime) -> date:
    return timezone.localdate(at)
