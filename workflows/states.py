"""The states of an item, the groups they fall into, and the one table of what may follow what."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    RECEIVED = "received"
    WORKING = "working"
    IN_REVIEW = "in_review"
    ESCALATED = "escalated"
    ATTENTION = "attention"
    APPROVED = "approved"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    SKIPPED = "skipped"


LABELS = {
    State.RECEIVED: "Received",
    State.WORKING: "Working",
    State.IN_REVIEW: "In review",
    State.ESCALATED: "Escalated",
    State.ATTENTION: "Needs attention",
    State.APPROVED: "Approved",
    State.DELIVERED: "Delivered",
    State.REJECTED: "Rejected",
    State.SKIPPED: "Skipped",
}
CHOICES = [(state.value, label) for state, label in LABELS.items()]

FOR_THE_WORKER = frozenset({State.RECEIVED, State.WORKING})
FOR_A_PERSON = frozenset({State.IN_REVIEW, State.ESCALATED, State.ATTENTION})
TO_DECIDE = frozenset({State.IN_REVIEW, State.ESCALATED})
TO_TRY_AGAIN = frozenset({State.ATTENTION, State.SKIPPED})
CLOSED = frozenset({State.DELIVERED, State.REJECTED, State.SKIPPED})
RESTING = FOR_A_PERSON | CLOSED  # nothing runs by itself; `approved` rests only when its deliveries do

TRANSITIONS: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.WORKING, State.ATTENTION, State.SKIPPED}),
    # A worker that gives an item back puts it in `received`; a lease that runs out keeps `working`.
    State.WORKING: frozenset(
        {State.RECEIVED, State.IN_REVIEW, State.ESCALATED, State.ATTENTION, State.APPROVED, State.SKIPPED}
    ),
    State.IN_REVIEW: frozenset(
        {State.APPROVED, State.REJECTED, State.ESCALATED, State.RECEIVED, State.ATTENTION, State.SKIPPED}
    ),
    State.ESCALATED: frozenset({State.APPROVED, State.REJECTED, State.IN_REVIEW, State.RECEIVED, State.SKIPPED}),
    State.ATTENTION: frozenset(
        {State.RECEIVED, State.IN_REVIEW, State.ESCALATED, State.APPROVED, State.DELIVERED, State.REJECTED, State.SKIPPED}
    ),
    State.APPROVED: frozenset({State.DELIVERED, State.ATTENTION, State.IN_REVIEW}),
    State.DELIVERED: frozenset(),
    State.REJECTED: frozenset({State.IN_REVIEW}),
    State.SKIPPED: frozenset({State.RECEIVED}),
}  # fmt: skip


def may_follow(*, state: State | str, to: State | str) -> bool:
    return State(to) in TRANSITIONS[State(state)]
