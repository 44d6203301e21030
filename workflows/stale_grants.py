"""Grants that may go: they ended, nobody can use them, or nobody did for a long time.

What leaves a record is told from its record. Seeing leaves none, so for what only looks the last sign-in counts, or the last
use of an API key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils import timezone

from workflows.access import Action, Holder, ends_of_grants
from workflows.models import (
    ApiKey,
    BreakGlass,
    Decision,
    Destination,
    Evaluation,
    GrantChange,
    Item,
    Launch,
    RegisterExport,
    Version,
    Workflow,
)
from workflows.permission_matrix import COLUMNS, WORDS, day_told, key_of, members_of, name_of

DAYS = 90
LOOKING = frozenset({Action.VIEW, Action.REPORTS, Action.MODEL_LOGS})


@dataclass(frozen=True, slots=True)
class Stale:
    """Of one group or person. `kept` is what stays when `actions` go."""

    holder: Holder
    why: str
    actions: tuple[Action, ...]
    kept: tuple[Action, ...]

    @property
    def key(self) -> str:
        return key_of(self.holder)

    @property
    def name(self) -> str:
        return name_of(self.holder)

    @property
    def words(self) -> str:
        return ", ".join(WORDS[action] for action in self.actions)


def stale_grants(*, workflow: Workflow, days: int = DAYS, now: datetime | None = None) -> list[Stale]:
    """The plainest reason first; each grant once. A grant younger than `days` is never unused. Constant in queries."""
    now = now or timezone.now()
    grants = ends_of_grants(workflow)
    members = members_of(one for one in grants if isinstance(one, Group))
    young = _given_since(workflow=workflow, since=now - timedelta(days=days))
    used = _used_since(workflow=workflow, since=now - timedelta(days=days))
    found: list[Stale] = []
    for holder, held in grants.items():
        ended = [action for action, ends_at in held.items() if ends_at is not None and ends_at <= now]
        left = [action for action in COLUMNS if action in held and action not in ended]
        if ended:
            last = max(end for action in ended if (end := held[action]) is not None)
            found.append(_stale(holder, f"ended after {day_told(last)}", ended, held))
        people = members[holder.pk] if isinstance(holder, Group) else frozenset({holder.pk})
        if not left:
            continue
        if not isinstance(holder, Group) and not holder.is_active:
            found.append(_stale(holder, "the account is switched off", left, held))
        elif isinstance(holder, Group) and not people:
            found.append(_stale(holder, "nobody who can sign in is in the group", left, held))
        elif unused := [
            one
            for one in left
            if not people & used[one] and (holder.pk, isinstance(holder, Group), one.value) not in young
        ]:
            found.append(_stale(holder, f"not used in {days} days", unused, held))
    return found


def _stale(holder: Holder, why: str, actions: list[Action], held: Any) -> Stale:
    kept = tuple(one for one in COLUMNS if one in held and one not in actions)
    return Stale(holder, why, tuple(one for one in COLUMNS if one in actions), kept)


def _given_since(*, workflow: Workflow, since: datetime) -> set[tuple[int, bool, str]]:
    changes = GrantChange.objects.filter(workflow=workflow, given=True, at__gte=since)
    return {
        (group or user, group is not None, action)
        for user, group, action in changes.values_list("user", "group", "action")
    }


def _used_since(*, workflow: Workflow, since: datetime) -> dict[Action, set[int]]:
    """By permission, the ids of people with a record of using it."""
    here: dict[str, Any] = {"item__workflow": workflow, "created_at__gte": since}
    decided = _ids(Decision.objects.filter(**here), "by")
    managed = (
        _ids(Workflow.history.filter(id=workflow.pk, history_date__gte=since), "history_user")
        | _ids(Version.history.filter(workflow=workflow.pk, history_date__gte=since), "history_user")
        | _ids(Destination.history.filter(workflow=workflow.pk, history_date__gte=since), "history_user")
        | _ids(Evaluation.objects.filter(version__workflow=workflow, asked_at__gte=since), "by")
        | _ids(Launch.objects.filter(workflow=workflow, created_at__gte=since), "by")
        | _ids(BreakGlass.objects.filter(workflow=workflow, at__gte=since), "by")
    )
    submitted = _ids(Item.objects.filter(workflow=workflow, created_at__gte=since), "submitted_by")
    exported = _ids(RegisterExport.objects.filter(workflow=workflow, at__gte=since), "by")
    gave = _ids(GrantChange.objects.filter(workflow=workflow, at__gte=since), "by")
    acted = decided | managed | submitted | exported | gave
    looked = acted | set(
        get_user_model()
        .objects.filter(
            Q(last_login__gte=since)
            | Q(pk__in=ApiKey.objects.filter(workflow=workflow, last_used_at__gte=since).values("user"))
        )
        .values_list("pk", flat=True)
    )
    found = dict.fromkeys(LOOKING, looked)
    found |= dict.fromkeys((Action.REVIEW, Action.DECIDE_SENSITIVE, Action.HANDLE_ESCALATION), decided)
    return found | {
        Action.SUBMIT: submitted, Action.EXPORT: exported, Action.MANAGE: managed, Action.ACCESS: gave,
    }  # fmt: skip


def _ids(rows: Any, column: str) -> set[int]:
    return {pk for pk in rows.order_by().values_list(column, flat=True).distinct() if pk is not None}
