"""The four figures with which a manager begins: is it worth it, what is stuck, what did it skip, what does it cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from reviews.reports import cost, minutes, skipped, stuck
from reviews.reports.asking import Asked
from reviews.reports.filters import Filter
from reviews.reports.tables import items, lasting

DAYS = 28


@dataclass(frozen=True, slots=True)
class Start:
    """`words`: the figure is none, but says why. `warn` is the part of what stands below that asks for somebody."""

    name: str
    figure: str
    below: str
    link: str
    words: bool = False
    warn: str = ""


def starts(*, user: Any) -> list[Start]:
    today = timezone.localdate()
    asked = Asked(user=user, filter=Filter(since=today - timedelta(days=DAYS - 1), until=today))
    report = f"{reverse('admin:reports')}?{urlencode(asked.filter.query())}"
    found = [_worth(asked, report), _stuck(asked), _skipped(asked, report), _cost(asked, report)]
    # Invented figures are told as such wherever they stand.
    return (
        [replace(one, name=f"{one.name}, with sample history") for one in found]
        if asked.has_sample
        else found
    )


def _worth(asked: Asked, report: str) -> Start:
    found = minutes.worths(asked)
    whole = minutes.saved(found)
    link = f"{report}#report-minutes"
    if whole is None:
        unknown = minutes.why_unknown(found).figure
        return Start(
            name="Worth it? Last 4 weeks",
            figure=unknown,
            below="so nothing can be said",
            link=link,
            words=True,
        )
    hours, span = minutes.hours_told(whole)
    known = sum(one.known for one in found)
    return Start(
        name="Worth it? Last 4 weeks", figure=hours, link=link,
        below=f"{span}, {known} {'workflow' if known == 1 else 'workflows'}",
    )  # fmt: skip


def _stuck(asked: Asked) -> Start:
    found = stuck.summary(asked)
    unowned = found["unowned"]
    longest = round((asked.now - found["since"]).total_seconds()) if found["since"] else None
    return Start(
        name="Stuck now", figure=items(found["n"]) if found["n"] else "Nothing",
        warn=f"{unowned:,} {'has' if unowned == 1 else 'have'} no owner." if unowned else "",
        below=f"Longest: {lasting(max(0, longest))}" if longest is not None else "Everything moves",
        link=f"{reverse('admin:reports')}#report-stuck",
    )  # fmt: skip


def _skipped(asked: Asked, report: str) -> Start:
    found = skipped.reasons(asked)
    n = sum(count for _, count in found)
    told = "; ".join(f"{count:,} {skipped.told(asked, why)[:60]}" for why, count in found[:2])
    return Start(
        name="Skipped, 4 weeks",
        figure=f"{n:,}",
        below=told or "Every item was worked on",
        link=f"{report}#report-skipped",
    )


def _cost(asked: Asked, report: str) -> Start:
    month = cost.month_of(asked)
    spent, expected = cost.month_told(month)
    return Start(
        name=f"Cost, {month.name}",
        figure=spent,
        below=expected,
        link=f"{report}#report-cost",
        words=spent == cost.NO_PRICE,
    )
