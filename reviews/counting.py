"""What waits, counted: every figure of the sidebar, the tabs and home in one query, and none reads a million rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from reviews.claims import to_decide
from reviews.models import Escalation, Review, Stuck
from workflows.access import visible
from workflows.states import State

MOST = 999  # more than that is "more than 999": a longer count tells nobody more


def count_each(rows: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    """How many rows each has, up to one more than `MOST`, in one statement."""
    counts = dict.fromkeys(rows, 0)
    parts: list[str] = []
    params: list[Any] = []
    asked: list[str] = []
    for name, queryset in rows.items():
        try:
            sql, values = queryset.order_by().values("pk")[: MOST + 1].query.sql_with_params()
        except EmptyResultSet:
            continue
        asked.append(name)
        parts.append(f"(SELECT COUNT(*) FROM ({sql}) AS counted)")  # noqa: S608 - written by the ORM
        params.extend(values)
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(parts)}", params)
            counts.update(zip(asked, cursor.fetchone(), strict=True))
    return counts


def told(count: int) -> str:
    return f"more than {MOST}" if count > MOST else str(count)


def short(count: int) -> str:
    """For a badge, where a word has no room."""
    return f"{MOST}+" if count > MOST else str(count)


def waiting(request: HttpRequest) -> dict[str, int]:
    """All that is counted for this person on any page. Counted once per request."""
    counted: dict[str, int] | None = getattr(request, "_waiting", None)
    if counted is None:
        counted = count_each(_questions(request.user))
        request._waiting = counted  # type: ignore[attr-defined]
    return counted


def _questions(user: Any) -> dict[str, QuerySet[Any]]:
    now = timezone.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    mine = to_decide(user=user)
    mine_to_answer = on_me(user=user)
    escalations = open_escalations(user=user)
    claimed = mine.filter(claimed_until__gte=now)
    return {
        "mine": mine,
        "late": mine.filter(due_at__lt=now),
        "today": mine.filter(due_at__gte=now, due_at__lt=midnight),
        "high": mine.filter(risk=Review.Risk.HIGH),
        "claimed": claimed.filter(claimed_by=user),
        "colleagues": claimed.exclude(claimed_by=user),
        "on me": mine_to_answer,
        "on me late": mine_to_answer.filter(due_at__lt=now),
        "asked": escalations.filter(asked_by=user),
        "escalations": escalations,
        "escalations late": escalations.filter(due_at__lt=now),
        "attention": stuck(user=user),
    }


def on_me(*, user: Any) -> QuerySet[Review]:
    """Escalations that this person may answer."""
    return to_decide(user=user, kind=Review.Kind.ESCALATION)


def open_escalations(*, user: Any) -> QuerySet[Escalation]:
    return visible(user, Escalation.objects.filter(state=Review.State.OPEN, kind=Review.Kind.ESCALATION))


def stuck(*, user: Any) -> QuerySet[Stuck]:
    return visible(user, Stuck.objects.filter(state=State.ATTENTION))
