"""What happened to an item so far: its timeline, and which values were changed by whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from reviews.models import Review
from workflows.admin.telling import told_value
from workflows.drafting.fields import FieldSpec
from workflows.masking import MASK
from workflows.models import Decision, Item
from workflows.people import SYSTEM
from workflows.states import LABELS, State

MOST_EVENTS = 100
SAME_ACT = timedelta(seconds=5)  # a decision and the move it makes are written in one transaction


@dataclass(slots=True)
class Event:
    at: datetime
    who: str
    what: str
    why: str = ""
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    label: str
    before: str
    after: str


def events_of(
    *, item: Item, specs: Sequence[FieldSpec], review: Review | None, hidden: Collection[str] = ()
) -> list[Event]:
    """Newest first. A decision tells its whole reason; the history's own is cut short."""
    rows = list(
        item.history.select_related("history_user").order_by("-history_date", "-history_id")[:MOST_EVENTS]
    )
    decisions = list(item.decisions.select_related("by")[:MOST_EVENTS])
    events = []
    for row, before in pairwise([*rows, None]):  # an item of the sample history has no rows at all
        assert row is not None, "only the last one is followed by nothing"
        decision = next((one for one in decisions if _is_act_of(row=row, decision=one)), None)
        if decision is not None:
            decisions.remove(decision)
        events.append(
            Event(
                at=row.history_date, who=who(row.history_user),
                what=decision.get_kind_display() if decision else LABELS[State(row.state)],
                why=decision.reason if decision else str(row.history_change_reason or ""),
                changes=_changes(row=row, before=before, specs=specs, hidden=hidden) if before is not None else [],
            )
        )  # fmt: skip
    events += [
        Event(at=one.created_at, who=who(one.by), what=one.get_kind_display(), why=one.reason)
        for one in decisions
    ]
    if review is not None:
        taken = review.history.filter(history_change_reason__startswith="Claim taken over").select_related(
            "history_user"
        )
        events += [
            Event(at=one.history_date, who=who(one.history_user), what=str(one.history_change_reason), why="")
            for one in taken[:MOST_EVENTS]
        ]
    return sorted(events, key=lambda event: event.at, reverse=True)


def _is_act_of(*, row: Any, decision: Decision) -> bool:
    return (
        row.history_user_id == decision.by_id
        and timedelta(0) <= row.history_date - decision.created_at < SAME_ACT
    )


def _changes(*, row: Any, before: Any, specs: Sequence[FieldSpec], hidden: Collection[str]) -> list[Change]:
    told = [
        Change("Title", before.title, row.title) if row.title != before.title else None,
        Change("Note for the draft", before.note or "–", row.note or "–")
        if row.note != before.note
        else None,
    ]
    now, then = row.values or {}, before.values or {}
    for spec in specs:
        if now.get(spec.key) != then.get(spec.key):
            if spec.key in hidden:
                told.append(Change(spec.label, MASK, MASK))
                continue
            told.append(
                Change(
                    spec.label,
                    told_value(value=then.get(spec.key), spec=spec),
                    told_value(value=now.get(spec.key), spec=spec),
                )
            )
    return [one for one in told if one is not None]


def who(person: Any) -> str:
    if person is None or person.get_username() == SYSTEM:
        return "Countersign"
    return str(person.get_full_name() or person.get_username())
