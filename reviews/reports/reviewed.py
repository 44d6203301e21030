"""Items that ended after a review, gone through once: what people spent on them, and how they were accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, CharField, Count, F, QuerySet, Sum, Value, When

from reviews.models import Review
from reviews.reports.parts import ACCEPTED, ENDED, accepting_kind
from workflows.models import Decision, Item


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Of one workflow, version and period. `measured` are the items of which each review had a claim; their seconds are added
    up, and the squares of them."""

    workflow: int
    version: int | None
    period: int
    items: int
    accepted: int
    unedited: int
    measured: int
    seconds: int
    squares: int


def reviewed(items: QuerySet[Item], *, period: Any) -> list[Reviewed]:
    """Two steps in one statement: the reviews of an item, then the items of a workflow, version and period."""
    ended = items.filter(state__in=ENDED).order_by()
    # Beginning with the items, the database finds the reviews of each in their own index, one after the other.
    done = (
        Review.objects.filter(item__in=ended.values("pk"), state=Review.State.DONE)
        .order_by()
        .values(of_item=F("item_id"))
    )
    sums = done.annotate(done=Count("pk"), known=Count("worked_seconds"), spent=Sum("worked_seconds"))
    how = Case(When(state__in=ACCEPTED, then=accepting_kind()), default=Value(""), output_field=CharField())
    each = ended.annotate(at=period, how=how).values(
        "at", "how", pk_=F("pk"), of=F("workflow_id"), drafted=F("version_id"), now=F("state")
    )
    try:
        (each_sql, each_values), (sums_sql, sums_values) = (
            each.query.sql_with_params(),
            sums.query.sql_with_params(),
        )
    except EmptyResultSet:  # the ORM knows without asking: there is no workflow to look in
        return []
    accepted = ", ".join(f"'{state}'" for state in sorted(ACCEPTED))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT each.of, each.drafted, each.at, COUNT(*), "  # noqa: S608 - written by the ORM, and names of ours
            f"SUM(CASE WHEN each.now IN ({accepted}) THEN 1 ELSE 0 END), "
            f"SUM(CASE WHEN each.how = '{Decision.Kind.APPROVE.value}' THEN 1 ELSE 0 END), "
            "SUM(CASE WHEN sums.known = sums.done THEN 1 ELSE 0 END), "
            "SUM(CASE WHEN sums.known = sums.done THEN sums.spent ELSE 0 END), "
            "SUM(CASE WHEN sums.known = sums.done THEN sums.spent * sums.spent ELSE 0 END) "
            f"FROM ({sums_sql}) AS sums JOIN ({each_sql}) AS each ON each.pk_ = sums.of_item "
            "GROUP BY each.of, each.drafted, each.at",
            (*sums_values, *each_values),
        )
        # PostgreSQL adds whole numbers up to decimals.
        return [Reviewed(*row[:3], *map(int, row[3:])) for row in cursor.fetchall()]
