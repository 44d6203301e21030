"""The verbs of the decision bar and of the list: from a button to `workflows.decisions`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from workflows import decisions
from workflows.models import Decision, Item

DONE = {
    "approve": "approved", "edit": "approved", "reject": "rejected", "escalate": "escalated",
    "back": "sent back; it is drafted again with your note", "again": "tried again", "close": "closed without review",
    "complete": "completed by hand and approved",
}  # fmt: skip

TYPED = ("approve", "edit", "complete")  # verbs that take what stands in the fields


def decide(
    *,
    item: Item,
    by: Any,
    verb: str,
    reason: str,
    values: dict[str, Any] | None = None,
    revision: int | None = None,
    seen: Collection[str] = (),
) -> Decision | None:
    """One of the verbs in `DONE`; trying again decides nothing. Raises what `workflows.decisions` raises."""
    match verb:
        case "approve" | "edit":
            return decisions.approve(
                item=item, by=by, values=values, reason=reason, revision=revision, seen=seen
            )
        case "complete":
            return decisions.complete(
                item=item, by=by, values=values or {}, reason=reason, revision=revision, seen=seen
            )
        case "reject":
            return decisions.reject(item=item, by=by, reason=reason, revision=revision)
        case "escalate":
            return decisions.escalate(item=item, by=by, reason=reason, revision=revision)
        case "back":
            return decisions.send_back(item=item, by=by, note=reason, revision=revision)
        case "close":
            return decisions.close(item=item, by=by, reason=reason, revision=revision)
    decisions.try_again(item=item, by=by, revision=revision)
    return None


def done(*, item: Item, verb: str, decision: Decision | None) -> str:
    """What was done, and when it leaves the house."""
    edits = len(decision.changed) if decision and verb in ("approve", "edit") else 0
    with_edits = f" with {edits} edit{'' if edits == 1 else 's'}" if edits else ""
    said = f"{item.title}: {DONE[verb]}{with_edits}."
    if verb in TYPED:
        hold = item.workflow.hold_seconds
        said += f" Handed over in {hold // 60}:{hold % 60:02d}." if hold else " It is handed over now."
    return said


def number_of(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None
