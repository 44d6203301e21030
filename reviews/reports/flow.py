"""How many items came in, week by week, and where they stand now."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from reviews.reports.asking import Asked
from reviews.reports.parts import ACCEPTED
from reviews.reports.tables import Chart, Column, Report, count, text
from workflows.states import State

# In the order in which they are stacked.
GROUPS = (
    ("Accepted", "accepted", ACCEPTED),
    ("Skipped", "skipped", frozenset({State.SKIPPED})),
    ("Rejected", "rejected", frozenset({State.REJECTED})),
    ("Still open", "open", frozenset(State) - ACCEPTED - {State.SKIPPED, State.REJECTED}),
)


def flow(asked: Asked) -> Report:
    periods = asked.periods
    found = [[0] * len(GROUPS) for _ in periods.starts]
    for row in asked.counted:
        group = next(number for number, (_, _, states) in enumerate(GROUPS) if row.state in states)
        found[row.period][group] += row.items
    rows = []
    for number, (start, told) in enumerate(zip(periods.starts, periods.told(), strict=True)):
        dates: dict[str, Any] = {"since": start, "until": periods.end(number)}
        rows.append(
            [
                text(told),
                *(count(found[number][at], link=asked.link(part, **dates)) for at, (_, part, _) in enumerate(GROUPS)),
                count(sum(found[number]), link=asked.link("all", **dates)),
            ]
        )  # fmt: skip
    return Report(
        key="flow", title=f"Items by state and {periods.word} of intake",
        columns=(Column(periods.word.capitalize()), *(Column(name, number=True) for name, _, _ in GROUPS), Column("All", number=True)),
        rows=rows if asked.counted else [],
        notes=(f"The last {periods.word} is not over.",) if periods.last >= timezone.localdate(asked.now) else (),
        chart=Chart(
            kind="stacked", labels=periods.told(), unit="items",
            series=[(name, [row[at] for row in found]) for at, (name, _, _) in enumerate(GROUPS)],
        ),
    )  # fmt: skip
