"""What happened in the sample year, before there is a row of it: when each item came in, and what became of it.

Pure, and the same for the same seed and end. Weeks have a shape, months a season, and the year grows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from random import Random

OPEN = 12  # items that wait for a person in the end: a day's work, not a backlog
SHARES = {"inbound-leads": 0.42, "supplier-invoices": 0.36, "call-follow-ups": 0.22}
WEEKDAYS = (1.18, 1.06, 1.0, 0.97, 0.82, 0.06, 0.03)
HOURS = (
    7, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 12, 13, 13, 14, 14, 14, 14, 15, 15, 15, 16, 16, 17, 19,
)  # fmt: skip


class Fate(StrEnum):
    DECIDED = "decided"  # a person approved it, with or without edits
    REJECTED = "rejected"
    ASKED = "asked"  # somebody asked a senior, who decided
    BACK = "back"  # sent back once, then approved
    CLOSED = "closed"  # closed without review, with a reason
    COPY = "copy"  # the same content came in before
    RETRIED = "retried"  # the model failed once
    BY_HAND = "by hand"  # it failed, and a person filled it in
    GIVEN_UP = "given up"  # it failed, and a person closed it
    WAITS = "waits"  # open, for a reviewer
    WAITS_ABOVE = "waits above"  # open, for a senior
    STUCK = "stuck"  # open: the model failed


CHANCES = {
    Fate.DECIDED: 84.5, Fate.REJECTED: 3.8, Fate.ASKED: 2.4, Fate.BACK: 1.6, Fate.CLOSED: 2.0, Fate.COPY: 2.4,
    Fate.RETRIED: 2.0, Fate.BY_HAND: 0.8, Fate.GIVEN_UP: 0.5,
}  # fmt: skip
AT_THE_END = (Fate.WAITS, Fate.WAITS, Fate.STUCK, Fate.WAITS, Fate.WAITS_ABOVE, Fate.WAITS)  # and again


@dataclass(frozen=True, slots=True)
class Story:
    number: int
    slug: str
    came: datetime
    fate: Fate
    share: float  # of the year that had passed: 0 to 1


def plan(*, weeks: int, items: int, dice: Random, until: datetime) -> list[Story]:
    """In the order in which they came in. `until` is aware, in the zone whose office hours count."""
    days = [(until - timedelta(days=back)).date() for back in range(weeks * 7, -1, -1)]
    weekly = [math.exp(dice.gauss(0, 0.09)) for _ in range(weeks + 1)]
    weights = [
        WEEKDAYS[day.weekday()] * _season(day.timetuple().tm_yday) * (0.62 + 0.76 * place / len(days))
        * weekly[place // 7]
        for place, day in enumerate(days)
    ]  # fmt: skip
    waiting = min(OPEN, items // 8)
    latest = until - timedelta(hours=4)
    came = sorted(
        min(_at(day, dice=dice, until=until), latest - timedelta(minutes=dice.randint(0, 300)))
        for day in dice.choices(days, weights=weights, k=items - waiting)
    )
    came += sorted(until - timedelta(minutes=dice.uniform(5, 100)) for _ in range(waiting))
    fates = dice.choices(list(CHANCES), weights=list(CHANCES.values()), k=items - waiting)
    fates += [AT_THE_END[number % len(AT_THE_END)] for number in range(waiting)]
    slugs = dice.choices(list(SHARES), weights=list(SHARES.values()), k=items)
    begin, whole = came[0], (until - came[0]).total_seconds()
    return [
        Story(
            number=number, slug=slug, came=at, fate=fate, share=(at - begin).total_seconds() / whole,
        )
        for number, (slug, at, fate) in enumerate(zip(slugs, came, fates, strict=True), start=1)
    ]  # fmt: skip


def _season(day_of_year: int) -> float:
    """Quiet around the turn of the year and in August, busy in spring and autumn."""
    if day_of_year >= 357 or day_of_year <= 4:
        return 0.25
    if 213 <= day_of_year <= 237:
        return 0.66
    return 1 + 0.14 * math.sin((day_of_year - 20) / 365 * 4 * math.pi)


def _at(day: object, *, dice: Random, until: datetime) -> datetime:
    clock = time(dice.choice(HOURS), dice.randint(0, 59), dice.randint(0, 59))
    return datetime.combine(day, clock, tzinfo=until.tzinfo)  # type: ignore[arg-type]


def decided_at(*, opened: datetime, median_minutes: float, dice: Random, until: datetime) -> datetime:
    """When a person got to it: after a wait, in office hours, and before the end of the history."""
    at = opened + timedelta(minutes=median_minutes * math.exp(dice.gauss(0, 0.9)))
    while at.weekday() > 4 or not 8 <= at.hour < 18:
        day = at if at.hour < 8 else at + timedelta(days=1)
        at = datetime.combine(day.date(), time(8, dice.randint(0, 59), dice.randint(0, 59)), tzinfo=at.tzinfo)
    left = until - opened
    return min(at, opened + left * dice.uniform(0.3, 0.9))


def working(*, share: float, weeks: int) -> Iterator[tuple[str, float]]:
    """Who reviewed at that time of the year, and how much of it: one person stopped, one began in the middle."""
    yield "staff", 4.0
    yield "senior", 0.6
    yield "reviewer-2", 3.0
    if share < 1 - min(7 / weeks, 0.5):
        yield "reviewer-3", 2.4
    if share > 0.6:
        yield "reviewer-4", 2.0
