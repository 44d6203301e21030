"""Weeks, or months where there are too many of them, and the number of the one in which a day lies."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta

from reviews.reports.filters import monday

MOST_WEEKS = 60


@dataclass(frozen=True, slots=True)
class Periods:
    """`starts` are the first days, `last` the last day of all. The first and the last may be cut by the filter."""

    starts: tuple[date, ...]
    last: date
    word: str  # week, month

    def number(self, day: date) -> int:
        return max(0, bisect_right(self.starts, day) - 1)

    def end(self, number: int) -> date:
        return self.starts[number + 1] - timedelta(days=1) if number + 1 < len(self.starts) else self.last

    def told(self) -> list[str]:
        return [f"{day:%-d %b}" if self.word == "week" else f"{day:%b %Y}" for day in self.starts]


def periods_of(*, first: date, last: date) -> Periods:
    starts = [first]
    if (last - first).days <= 7 * MOST_WEEKS:
        while (following := monday(starts[-1]) + timedelta(weeks=1)) <= last:
            starts.append(following)
        return Periods(starts=tuple(starts), last=last, word="week")
    while (following := (starts[-1].replace(day=1) + timedelta(days=32)).replace(day=1)) <= last:
        starts.append(following)
    return Periods(starts=tuple(starts), last=last, word="month")
