"""How often a draft was accepted as it was, by version and over time, with the place for how often it was right.

The two are never shown apart: a share without edits may mean that the drafts are right, or that nobody looks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from reviews.reports.asking import Asked
from reviews.reports.intervals import Share
from reviews.reports.tables import Chart, Column, Figure, Half, Report, Tile, count, moment, share, text
from workflows.models import Evaluation
from workflows.states import State

NO_AUDITS = "No audits yet"
MOST_LINES = 6  # of the chart; the table has all of them


def unedited(asked: Asked) -> Share:
    ended = [one.cell.ended for one in asked.cells]
    return Share(sum(one.unedited for one in ended), sum(one.accepted for one in ended))


def tile(asked: Asked) -> Tile:
    found = unedited(asked)
    if not found.whole:
        first = Half("No decisions yet", "accepted without edits", words=True)
        return Tile(
            title="Accepted, and right", halves=(first, Half(NO_AUDITS, "right in blind audit", words=True))
        )
    return Tile(
        title="Accepted, and right",
        halves=(
            Half(found.told(), "accepted without edits", link=asked.link("unedited")),
            Half(NO_AUDITS, "right in blind audit", words=True),
        ),
        lines=[
            Figure(text=f"95 % interval {found.told_interval()}", link=asked.link("accepted after review")),
            Figure(text="Without edits does not mean right: perhaps nobody looked."),
        ],
    )


def quality(asked: Asked) -> Report:
    """A line for each version that drafted an item, the newest first."""
    by_version: dict[int | None, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in asked.counted:
        by_version[row.version]["all"] += row.items
        by_version[row.version][row.state] += row.items
    for one in asked.cells:
        by_version[one.cell.version]["accepted"] += one.cell.ended.accepted
        by_version[one.cell.version]["unedited"] += one.cell.ended.unedited
    evaluated = _evaluated([pk for pk in by_version if pk])
    rows = []
    for version in sorted(by_version, key=asked.in_order, reverse=True):
        n = by_version[version]
        of: dict[str, Any] = {"version": version} if version else {}
        linked = asked.link if version else _no_link
        decided = n["accepted"] + n[State.REJECTED]
        rows.append(
            [
                text(asked.versions.get(version, "No version yet")),
                count(n["all"], link=linked("all", **of)),
                count(n["accepted"], link=linked("accepted after review", **of)),
                *share(Share(n["unedited"], n["accepted"])),
                text(NO_AUDITS.lower()),
                count(n[State.REJECTED], link=linked("rejected", **of)),
                *share(Share(n[State.REJECTED], decided)),
                *evaluated.get(version, [text("not evaluated"), text("–")]),
            ]
        )  # fmt: skip
    return Report(
        key="quality", title="Quality by version",
        columns=(
            Column("Version"), Column("Items", number=True), Column("Accepted", number=True), Column("Without edits", number=True),
            Column("95 % interval"), Column("Right in blind audit"), Column("Rejected", number=True),
            Column("Share rejected", number=True), Column("95 % interval"), Column("Fields right in evaluation", number=True),
            Column("Evaluated"),
        ),
        rows=rows, chart=_chart(asked), empty="No decisions yet.",
        notes=("Accepted: after a review. Share rejected: of the accepted and the rejected together.",),
    )  # fmt: skip


def _chart(asked: Asked) -> Chart | None:
    """The share without edits by period of intake, a line a version."""
    found: dict[int | None, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for one in asked.cells:
        if one.cell.ended.accepted:
            both = found[one.cell.version][one.period]
            both[0] += one.cell.ended.unedited
            both[1] += one.cell.ended.accepted
    if not found:
        return None
    most = sorted(found, key=lambda pk: -sum(whole for _, whole in found[pk].values()))[:MOST_LINES]
    series: list[tuple[str, Sequence[float | None]]] = []
    for version in sorted(most, key=asked.in_order):
        shares = [found[version].get(at) for at in range(len(asked.periods.starts))]
        series.append(
            (
                asked.versions.get(version, "No version"),
                [round(100 * one[0] / one[1], 1) if one else None for one in shares],
            )
        )
    return Chart(kind="lines", labels=asked.periods.told(), series=series, unit="%", top=100)


def _evaluated(versions: list[int]) -> dict[int | None, list[Figure]]:
    """Of the newest evaluation of each that ended: right fields of those that were due."""
    ended = Evaluation.objects.filter(version__in=versions, ended_at__isnull=False, due__gt=0).order_by("pk")
    found: dict[int | None, list[Figure]] = {}
    for version, right, due, at in ended.values_list("version", "right", "due", "ended_at"):
        one = Share(right, due)
        found[version] = [
            Figure(text=f"{right:,} of {due:,}", value=share(one)[0].value, small=one.told_interval()),
            moment(at),
        ]
    return found


def _no_link(part: str, **of: int) -> str:
    return ""  # items without a version are no choice of the filter
