"""All reports of one question, in the order in which they stand on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from reviews.reports import acceptance, cost, minutes, people, stuck, waiting
from reviews.reports.asking import Asked
from reviews.reports.exceptions import exceptions, failures
from reviews.reports.flow import flow
from reviews.reports.people import Use
from reviews.reports.skipped import skipped
from reviews.reports.tables import Report, Tile


@dataclass
class Reports:
    """Each is worked out when it is asked for; what several need is asked once."""

    asked: Asked

    @cached_property
    def worths(self) -> list[minutes.Worth]:
        return minutes.worths(self.asked)

    @cached_property
    def uses(self) -> dict[int, Use]:
        return people.uses(self.asked)

    @cached_property
    def times(self) -> waiting.Times:
        return waiting.times(self.asked)

    def tiles(self) -> list[Tile]:
        return [
            minutes.tile(self.asked, self.worths),
            cost.tile(self.asked, cost.cost_of(self.asked), cost.month_of(self.asked)),
            acceptance.tile(self.asked),
            waiting.tile(self.asked, self.times.whole),
        ]

    def all(self, *, stuck_rows: int = stuck.SHOWN) -> dict[str, Report]:
        return {key: self.one(key, stuck_rows=stuck_rows) for key in MAKERS}

    def one(self, key: str, *, stuck_rows: int = stuck.SHOWN) -> Report:
        return stuck.report(self.asked, most=stuck_rows) if key == "stuck" else MAKERS[key](self)


MAKERS: dict[str, Callable[[Reports], Report]] = {
    "flow": lambda one: flow(one.asked),
    "exceptions": lambda one: exceptions(one.asked),
    "stuck": lambda one: stuck.report(one.asked),
    "skipped": lambda one: skipped(one.asked),
    "people": lambda one: people.people(one.asked, one.uses),
    "quality": lambda one: acceptance.quality(one.asked),
    "minutes": lambda one: minutes.report(one.asked, one.worths),
    "waiting": lambda one: waiting.waiting(one.asked, one.times),
    "cost": lambda one: cost.report(one.asked),
    "teams": lambda one: people.teams(one.asked, one.uses),
    "sources": lambda one: people.sources(one.asked),
    "failures": lambda one: failures(one.asked),
}
