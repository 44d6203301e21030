"""All that the reports add up, in cells: the items of one workflow and day of intake that share version, source and teams.

Each item stands in one cell, so cells add up without counting anything twice, whatever they are filtered by. They are counted
here, row by row, for the days of today and for those kept of days that are over: one way of counting for both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from pydantic import TypeAdapter

from integrations.llm.outcomes import Outcome
from reviews.minutes import seconds_of
from reviews.models import Review
from reviews.reports.parts import ACCEPTED, ACCEPTING, ENDED
from workflows.models import Decision, Item, Run
from workflows.states import State

SHAPE = 1  # one more when a cell is counted in another way: what was kept of the old way is counted again
CHUNK = 5000


@dataclass(slots=True)
class Seen:
    """So many items, and when the last one was."""

    n: int = 0
    last: datetime | None = None

    def add(self, *, n: int, last: datetime | None) -> None:
        self.n += n
        self.last = max((at for at in (self.last, last) if at is not None), default=None)


@dataclass(slots=True)
class Runs:
    """Of one model and outcome. `amount` and `cpu` are None where none of them has any."""

    model: str
    outcome: str
    n: int = 0
    amount: Decimal | None = None
    unpriced: int = 0
    cpu: float | None = None

    def add(self, *, n: int, amount: Decimal | None, unpriced: int, cpu: float | None) -> None:
        self.n += n
        self.unpriced += unpriced
        if amount is not None:
            self.amount = (self.amount or Decimal(0)) + amount
        if cpu is not None:
            self.cpu = (self.cpu or 0.0) + cpu


@dataclass(slots=True)
class Ended:
    """Items that ended after a review. `measured` are those of which each review had a claim; their seconds are added up, and
    the squares of them."""

    items: int = 0
    accepted: int = 0
    unedited: int = 0
    measured: int = 0
    seconds: int = 0
    squares: int = 0


@dataclass(slots=True)
class Cell:
    version: int | None
    channel: str
    teams: tuple[int, ...]
    states: dict[str, Seen] = field(default_factory=dict)  # by intake
    submitted: dict[int, Seen] = field(default_factory=dict)  # by person
    decided: dict[int, Seen] = field(default_factory=dict)
    reasons: dict[str, int] = field(
        default_factory=dict
    )  # of the newest review of each item, as they are written there
    runs: list[Runs] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)  # items with an attempt that ended so
    drafted: int = 0  # items with a run
    priced: int = 0  # items with a run whose price is known
    ended: Ended = field(default_factory=Ended)
    took: list[int] = field(
        default_factory=list
    )  # seconds from intake to hand-over, of each item that was delivered


CELLS = TypeAdapter(list[Cell])
Key = tuple[int, date]  # workflow, day


def counted_as() -> str:
    return f"{SHAPE} {timezone.get_current_timezone_name()}"


def count_cells(items: QuerySet[Item]) -> dict[Key, list[Cell]]:
    """Four queries, whatever their number."""
    of: QuerySet[Any] = items.order_by().values("pk")
    reviews = _by_item(Review.objects.filter(item__in=of), "state", "group", "worked_seconds", "reason_kinds")
    decisions = _by_item(Decision.objects.filter(item__in=of), "by", "kind", "created_at")
    runs = _by_item(Run.objects.filter(item__in=of), "model", "outcome", "cost", "cpu_seconds")
    found: dict[Key, dict[Any, Cell]] = defaultdict(dict)
    rows = items.order_by().values_list(
        "pk", "workflow", "version", "channel", "state", "created_at", "state_since", "submitted_by"
    )
    for pk, workflow, version, channel, state, came, since, by in rows.iterator(chunk_size=CHUNK):
        own = reviews.get(pk, ())
        teams = tuple(sorted({group for _, group, _, _ in own if group is not None}))
        cells, key = found[workflow, timezone.localtime(came).date()], (version, channel, teams)
        if (cell := cells.get(key)) is None:
            cell = cells[key] = Cell(version=version, channel=channel, teams=teams)
        cell.states.setdefault(state, Seen()).add(n=1, last=came)
        cell.submitted.setdefault(by, Seen()).add(n=1, last=came)
        if state == State.DELIVERED:
            cell.took.append(round((since - came).total_seconds()))
        _add_decisions(cell, decisions.get(pk, ()))
        _add_runs(cell, runs.get(pk, ()))
        if own:
            reasons = own[-1][3]
            cell.reasons[reasons] = cell.reasons.get(reasons, 0) + 1
            _add_ended(cell.ended, state=state, reviews=own, decisions=decisions.get(pk, ()))
    return {key: list(cells.values()) for key, cells in found.items()}


def _by_item(rows: QuerySet[Any], *columns: str) -> dict[int, list[tuple[Any, ...]]]:
    """The oldest first."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for _, item, *values in sorted(
        rows.order_by().values_list("pk", "item", *columns).iterator(chunk_size=CHUNK), key=_pk
    ):
        found[item].append(tuple(values))
    return found


def _pk(row: tuple[Any, ...]) -> int:
    return int(row[0])


def _add_decisions(cell: Cell, decisions: Iterable[tuple[Any, ...]]) -> None:
    last: dict[int, datetime] = {}
    for by, _, at in decisions:
        last[by] = max(at, last.get(by, at))
    for by, at in last.items():
        cell.decided.setdefault(by, Seen()).add(n=1, last=at)


def _add_runs(cell: Cell, runs: Iterable[tuple[Any, ...]]) -> None:
    failed, priced, any_run = set(), False, False
    for model, outcome, cost, cpu in runs:
        any_run, priced = True, priced or cost is not None
        one = next((one for one in cell.runs if (one.model, one.outcome) == (model, outcome)), None)
        if one is None:
            cell.runs.append(one := Runs(model=model, outcome=outcome))
        one.add(n=1, amount=cost, unpriced=int(cost is None), cpu=cpu)
        if outcome not in ("", Outcome.OK):
            failed.add(outcome)
    for outcome in failed:
        cell.failed[outcome] = cell.failed.get(outcome, 0) + 1
    cell.drafted += any_run
    cell.priced += priced


def _add_ended(
    sums: Ended,
    *,
    state: str,
    reviews: list[tuple[Any, ...]] | tuple[()],
    decisions: Iterable[tuple[Any, ...]],
) -> None:
    if state not in ENDED or not any(at == Review.State.DONE for at, *_ in reviews):
        return
    sums.items += 1
    if state in ACCEPTED:
        sums.accepted += 1
        # The last one counts, should one have been taken back.
        kinds = [kind for _, kind, _ in decisions if kind in ACCEPTING]
        sums.unedited += bool(kinds) and kinds[-1] == Decision.Kind.APPROVE
    if (seconds := seconds_of((at, worked) for at, _, worked, _ in reviews)) is not None:
        sums.measured += 1
        sums.seconds += seconds
        sums.squares += seconds**2
