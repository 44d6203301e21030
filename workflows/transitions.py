"""The only code that assigns `Item.state`: guard, set, save, log, on a locked and re-read row.

Other apps follow a state by registering a function in their `ready()`; it is called in the same transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from workflows.audit import Entry, Kind, record_many
from workflows.errors import Conflict
from workflows.models import Item
from workflows.people import acting
from workflows.states import FOR_A_PERSON, LABELS, State, may_follow

# Said by the worker in words that are always the same.
NOBODY_SAYS_WHY = frozenset({State.WORKING, State.DELIVERED})
Follower = Callable[..., None]
_followers: dict[State | None, list[Follower]] = defaultdict(list)


class InvalidTransition(Exception):
    """The item is not where the caller believed it to be. Nothing was written."""

    def __init__(self, *, item: Item, to: State) -> None:
        self.state, self.to = State(item.state), to
        super().__init__(
            f"“{item.title}” is {LABELS[self.state].lower()} and cannot become {LABELS[to].lower()}. "
            "Nothing was changed. Open it again to see what happened to it."
        )


def follow(*, states: Iterable[State] | None, call: Follower) -> None:
    """Have `call(item=, was=, by=, why=)` called at each arrival in one of the states; None means any."""
    for state in [None] if states is None else states:
        if call not in _followers[state]:
            _followers[state].append(call)


def lock(*, item: Item) -> Item:
    """The row as it is now, ours until the transaction ends. SQLite's transactions are immediate: one writer anyway."""
    assert connection.in_atomic_block, "lock an item inside the transaction that changes it"
    return Item.objects.select_for_update(of=("self",)).select_related("workflow").get(pk=item.pk)


def check_not_erased(*, item: Item) -> None:
    """What is left of an erased item counts and does nothing else."""
    if item.erased_at is not None:
        raise Conflict(
            "The content of this item was erased. Nothing was changed. Submit the work anew to have it done."
        )


def due_at(*, item: Item, to: State) -> datetime | None:
    """By when a person is expected to act: nothing waits for nobody, and nothing for ever."""
    if to not in FOR_A_PERSON:
        return None
    workflow = item.workflow
    minutes = workflow.escalation_due_minutes if to == State.ESCALATED else workflow.review_due_minutes
    return timezone.now() + timedelta(minutes=minutes)


def move(*, item: Item, to: State, by: Any, why: str, **columns: Any) -> Item:
    """Bring the item to a state, together with other columns of it, and tell who follows.

    Returns the fresh row; the caller's object is stale afterwards. Raises InvalidTransition.
    """
    with transaction.atomic():
        return move_locked(row=lock(item=item), to=to, by=by, why=why, **columns)


def move_all_locked(*, rows: Sequence[Item], to: State, by: Any, why: str) -> None:
    """The same move for several rows that this transaction locked, in two statements instead of two a row. Only to a state
    in which nobody is waited for: there is no due time to work out."""
    assert connection.in_atomic_block, "the lock on the rows ended with its transaction"
    assert to not in FOR_A_PERSON, "each of these has a due time of its own"
    if not rows:
        return
    was, now = {row.pk: State(row.state) for row in rows}, timezone.now()
    for row in rows:
        if not may_follow(state=row.state, to=to):
            raise InvalidTransition(item=row, to=to)
        row.state, row.state_since, row.updated_at = to.value, now, now
        row.due_at = None
        row.revision += 1
    Item.objects.filter(pk__in=was).update(
        state=to.value, state_since=now, due_at=None, updated_at=now, revision=F("revision") + 1
    )
    Item.history.bulk_history_create(rows, update=True, default_user=by, default_change_reason=why[:100])
    record_many([_told(row=row, was=was[row.pk], by=by, why=why) for row in rows])
    for row in rows:
        for call in (*_followers[to], *_followers[None]):
            call(item=row, was=was[row.pk], by=by, why=why)


def move_locked(*, row: Item, to: State, by: Any, why: str, **columns: Any) -> Item:
    """The same for a row that `lock()` gave in this very transaction: it is not read again."""
    assert connection.in_atomic_block, "the lock on the row ended with its transaction"
    check_not_erased(item=row)
    if not may_follow(state=row.state, to=to):
        raise InvalidTransition(item=row, to=to)
    was = State(row.state)
    row.state, row.state_since = to.value, timezone.now()
    row.due_at = due_at(item=row, to=to)
    row.revision += 1
    for name, value in columns.items():
        setattr(row, name, value)
    with acting(by=by, why=why, on=row):
        row.save(update_fields=["state", "state_since", "due_at", "revision", "updated_at", *columns])
    record_many([_told(row=row, was=was, by=by, why=why, routed="route" in columns)])
    for call in (*_followers[to], *_followers[None]):
        call(item=row, was=was, by=by, why=why)
    return row


def _told(*, row: Item, was: State, by: Any, why: str, routed: bool = False) -> Entry:
    """For the audit log. Why may quote what stands in the item or what a person typed."""
    facts: dict[str, Any] = {"from": was.value, "to": row.state, "revision": row.revision}
    content: dict[str, Any] | None = None if row.state in NOBODY_SAYS_WHY else {"why": why}
    if routed and row.route:
        route = row.route
        facts |= {
            "version": row.version_id, "target": route["target"], "signal": route["signal"], "signal_of": route["signal_of"],
            "to_check": route["to_check"],
            "reasons": [{"kind": one["kind"], "field": one["field"]} for one in route["reasons"]],
        }  # fmt: skip
        content = {"reasons": [one["text"] for one in route["reasons"]]}
    return Entry(
        kind=Kind.ITEM_ROUTED if routed else Kind.ITEM_MOVED, by=by, item=row, facts=facts, content=content
    )
