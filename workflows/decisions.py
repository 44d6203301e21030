"""What people decide about an item: approve, edit, complete, reject, escalate, send back, try again, close."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction

from workflows import audit
from workflows.access import Action, may
from workflows.drafting.compare import same_value
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.typed import typed_value, validate_values
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import SUBMITTED, Decision, Delivery, Item, Run
from workflows.outbox import write_deliveries
from workflows.routing import is_empty
from workflows.states import LABELS, TO_DECIDE, TO_TRY_AGAIN, State
from workflows.storable import storable, storable_json
from workflows.transitions import lock, move_locked
from workflows.waking import wake

NEW_DRAFT: dict[str, Any] = {
    "attempts": 0, "calls": 0, "lease": None, "lease_until": None, "not_before": None, "problem": None,
    "priority": SUBMITTED,
}  # fmt: skip


def approve(
    *,
    item: Item,
    by: Any,
    values: dict[str, Any] | None = None,
    reason: str = "",
    revision: int | None = None,
    seen: Collection[str] = (),
) -> Decision:
    """Accept the item with its current values, or with the ones given. Its deliveries are written with it.

    `revision` is the one the person saw; another one now means somebody was first. `seen` are the keys of the fields that
    they looked at: each one that the route asks a look at has to be among them. Raises NotPermitted, Conflict or
    InvalidInput (whose problems are keyed by field), and nothing was changed.
    """
    with transaction.atomic():
        row = lock(item=item)
        _may_decide(item=row, by=by, revision=revision)
        _check_seen(item=row, seen=seen)
        return _accept(row=row, by=by, values=values, reason=reason)


def complete(
    *,
    item: Item,
    by: Any,
    values: dict[str, Any],
    reason: str = "",
    revision: int | None = None,
    seen: Collection[str] = (),
) -> Decision:
    """Accept what a person filled in where there is no draft: the model failed, or the source could not be read.

    Raises as `approve` does.
    """
    with transaction.atomic():
        row = lock(item=item)
        if not may(by, Action.REVIEW, row):
            raise NotPermitted(refusal(item=row, verb="complete this item"))
        check_revision(item=row, revision=revision)
        if not may_complete(item=row):
            raise Conflict(
                f"“{row.title}” is {LABELS[State(row.state)].lower()}, or was approved before. Nothing of yours was sent. "
                "Open it again to see what happened."
            )
        row.version = row.version or row.workflow.version
        _check_seen(item=row, seen=seen)  # of a draft before the one that failed
        return _accept(row=row, by=by, values=values, reason=reason, by_hand=True)


def may_complete(*, item: Item) -> bool:
    """An item without a usable draft, of which nothing was ever handed over."""
    return (
        item.state == State.ATTENTION
        and bool(item.version_id or item.workflow.version_id)
        and not item.deliveries.exclude(state=Delivery.State.CANCELLED).exists()
    )


def _accept(
    *, row: Item, by: Any, values: dict[str, Any] | None, reason: str, by_hand: bool = False
) -> Decision:
    """`by_hand`: no draft was accepted, even where the values of an earlier one stand in it unchanged."""
    drafted = row.values or {}
    final = drafted if values is None else {**drafted, **values}
    if _has_sensitive(item=row, values=final) and not may(by, Action.DECIDE_SENSITIVE, row):
        # Nor by filling a sensitive field in while approving.
        raise NotPermitted(refusal(item=row, verb="decide an item with sensitive fields"))
    _check_values(item=row, values=final)
    if values is not None:
        final = _typed(item=row, values=final, keys=values.keys())
    before = _draft_values(item=row)
    changed = _changed(item=row, drafted=before, final=final)
    decision = record_decision(
        item=row, by=by, kind=Decision.Kind.EDIT if changed or by_hand else Decision.Kind.APPROVE, values=final,
        changed=changed, reason=reason, before=before,
    )  # fmt: skip
    why = f"{decision.get_kind_display()}{f': {reason}' if reason else ''}"
    row = move_locked(
        row=row, to=State.APPROVED, by=by, why=why, values=final, problem=None, version=row.version
    )
    write_deliveries(item=row, decision=decision, by=by)
    return decision


def reject(*, item: Item, by: Any, reason: str, revision: int | None = None) -> Decision:
    return _close(
        item=item, by=by, kind=Decision.Kind.REJECT, to=State.REJECTED, reason=reason, revision=revision
    )


def escalate(*, item: Item, by: Any, reason: str, revision: int | None = None) -> Decision:
    """Ask the escalation group to decide. The item stays whole; who asked and why is told to them."""
    return _close(
        item=item, by=by, kind=Decision.Kind.ESCALATE, to=State.ESCALATED, reason=reason, revision=revision
    )


def send_back(*, item: Item, by: Any, note: str, revision: int | None = None) -> Decision:
    """Have it drafted again with a note that the model sees."""
    decision = _close(
        item=item, by=by, kind=Decision.Kind.BACK, to=State.RECEIVED, reason=note, revision=revision,
        note=note, **NEW_DRAFT,
    )  # fmt: skip
    wake(task="workflows.tasks.work")
    return decision


def try_again(*, item: Item, by: Any, revision: int | None = None) -> Item:
    """From attention or skipped, back to the worker with a new count of calls."""
    with transaction.atomic():
        row = lock(item=item)
        if not (may(by, Action.REVIEW, row) or may(by, Action.MANAGE, row)):
            raise NotPermitted(refusal(item=row, verb="have this item tried again"))
        if row.state not in TO_TRY_AGAIN:
            # The table lets these go back to the worker too, but by a decision, which takes more than this does.
            raise Conflict(
                f"“{row.title}” is {LABELS[State(row.state)].lower()}; only what needs attention or was skipped is tried "
                "again. Nothing was changed."
            )
        check_revision(item=row, revision=revision)
        if row.deliveries.exclude(state="cancelled").exists():
            raise Conflict(
                "This item was approved; its deliveries can be sent again, the draft cannot. Nothing was changed."
            )
        row.sources.filter(unreadable__isnull=False).update(unreadable=None, read_at=None)
        moved = move_locked(
            row=row,
            to=State.RECEIVED,
            by=by,
            why="Tried again",
            version=row.workflow.version or row.version,
            **NEW_DRAFT,
        )
        wake(task="workflows.tasks.work")
        return moved


def close(*, item: Item, by: Any, reason: str, revision: int | None = None) -> Decision:
    """Close without review: it does not belong here, or nothing is to be done. Managers see the reason.

    What waits for a decision is closed by those who may take it. A worker that holds the item finds its lease gone.
    """
    with transaction.atomic():
        row = lock(item=item)
        if not (may_decide(item=row, by=by) if row.state in TO_DECIDE else may(by, Action.REVIEW, row)):
            raise NotPermitted(refusal(item=row, verb="close this item"))
        check_revision(item=row, revision=revision)
        if row.deliveries.filter(state__in=(Delivery.State.WAITING, Delivery.State.SENDING)).exists():
            raise Conflict(
                f"“{row.title}” was approved and is still being handed over. Nothing was changed. "
                "Close it when every delivery has ended."
            )
        decision = record_decision(
            item=row, by=by, kind=Decision.Kind.SKIP, values=None, changed=[], reason=needed_reason(reason)
        )
        problem = {
            "happened": reason,
            "kept": "The item and its files are kept.",
            "next_step": "Nothing, unless it was wrong: then reopen it.",
        }
        move_locked(
            row=row,
            to=State.SKIPPED,
            by=by,
            why=f"Closed: {reason}",
            problem=problem,
            lease=None,
            lease_until=None,
        )
        return decision


def _close(
    *, item: Item, by: Any, kind: Decision.Kind, to: State, reason: str, revision: int | None, **columns: Any
) -> Decision:
    with transaction.atomic():
        row = lock(item=item)
        _may_decide(item=row, by=by, revision=revision)
        decision = record_decision(
            item=row, by=by, kind=kind, values=None, changed=[], reason=needed_reason(reason)
        )
        if kind == Decision.Kind.BACK:
            # The version that is active now, not the one the caller's object remembers.
            columns["version"] = row.workflow.version or row.version
        move_locked(row=row, to=to, by=by, why=f"{decision.get_kind_display()}: {reason}", **columns)
        return decision


def may_decide(*, item: Item, by: Any) -> bool:
    """Whether this person may decide this item as it is now; asked by the list as well as by the act."""
    needed = Action.HANDLE_ESCALATION if item.state == State.ESCALATED else Action.REVIEW
    if not may(by, needed, item):
        return False
    return not _has_sensitive(item=item, values=item.values or {}) or may(by, Action.DECIDE_SENSITIVE, item)


def has_sensitive(*, item: Item) -> bool:
    """Whether deciding the item as it is now takes the permission for sensitive fields."""
    return _has_sensitive(item=item, values=item.values or {})


def _has_sensitive(*, item: Item, values: dict[str, Any]) -> bool:
    return item.version is not None and holds_sensitive(values=values, specs=item.version.specs())


def holds_sensitive(*, values: dict[str, Any], specs: Sequence[FieldSpec]) -> bool:
    return any(spec.sensitive and not is_empty(values.get(spec.key)) for spec in specs)


def _may_decide(*, item: Item, by: Any, revision: int | None) -> None:
    if item.state not in TO_DECIDE:
        raise Conflict(
            f"“{item.title}” is {LABELS[State(item.state)].lower()} now: somebody decided it, or it is not ready. "
            "Nothing of yours was sent. Open it again to see what happened."
        )
    if not may_decide(item=item, by=by):
        raise NotPermitted(refusal(item=item, verb="decide this item"))
    check_revision(item=item, revision=revision)


def fields_to_check(*, item: Item) -> list[str]:
    """Keys of the fields of which the newest draft asks that a person looks at them, in the order of the route."""
    known = {spec.key for spec in item.version.specs()} if item.version else set()
    return [key for key in (item.route or {}).get("to_check", []) if key in known]


def _check_seen(*, item: Item, seen: Collection[str]) -> None:
    missing = [key for key in fields_to_check(item=item) if key not in seen]
    if not missing:
        return
    assert item.version is not None, "an item with fields has a version"
    labels = {spec.key: spec.label for spec in item.version.specs()}
    count = f"{len(missing)} {'field' if len(missing) == 1 else 'fields'} to check"
    raise InvalidInput(
        f"“{item.title}” has {count}: {', '.join(labels[key] for key in missing)}. Nothing was changed. Open it, look at "
        f"{'it' if len(missing) == 1 else 'them'}, then approve.",
        problems=dict.fromkeys(missing, "Look at this field before you approve."),
    )


def check_revision(*, item: Item, revision: int | None) -> None:
    if revision is not None and revision != item.revision:
        raise Conflict(
            f"“{item.title}” changed while you had it open. Nothing of yours was sent. Open it again and compare."
        )


def refusal(*, item: Item, verb: str) -> str:
    return f"You may not {verb} in {item.workflow.name}. Nothing was changed. Ask whoever manages its access."


def needed_reason(reason: str) -> str:
    reason = storable(reason)
    if not reason.strip():
        raise InvalidInput(
            "Say why, in a few words: whoever takes it next reads it.",
            problems={"reason": "Say why, in a few words."},
        )
    return reason.strip()[:300]


def _check_values(*, item: Item, values: dict[str, Any]) -> None:
    assert item.version is not None, "an item that can be decided has a version"
    problems = validate_values(values=values, fields=item.version.specs())
    if problems:
        raise InvalidInput(
            f"{len(problems)} {'field needs' if len(problems) == 1 else 'fields need'} a look before this can be approved. "
            "Nothing was changed.",
            problems=problems,
        )


def _typed(*, item: Item, values: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """The values that were checked, those of `keys` in the shape in which their kind is stored."""
    assert item.version is not None
    typed = dict(values)
    for spec in item.version.specs():
        if spec.key not in keys:
            continue
        if spec.kind is Kind.ROWS:
            typed[spec.key] = [
                {column.key: typed_value(spec=column, value=row.get(column.key)) for column in spec.columns}
                for row in values[spec.key] or []
            ]
        else:
            typed[spec.key] = typed_value(spec=spec, value=values[spec.key])
    kept: dict[str, Any] = storable_json(typed)
    return kept


def _draft_values(*, item: Item) -> dict[str, Any]:
    run = Run.objects.filter(item=item, outcome="ok").first()
    return {result.key: result.value for result in run.results.all()} if run else {}


def _changed(*, item: Item, drafted: dict[str, Any], final: dict[str, Any]) -> list[str]:
    assert item.version is not None
    return [
        spec.key
        for spec in item.version.specs()
        if not same_value(spec=spec, drafted=drafted.get(spec.key), gold=final.get(spec.key))
    ]


def record_decision(
    *,
    item: Item,
    by: Any,
    kind: Decision.Kind,
    values: dict[str, Any] | None,
    changed: list[str],
    reason: str,
    before: dict[str, Any] | None = None,
) -> Decision:
    """`before` are the values of the draft, where some were changed."""
    run = Run.objects.filter(item=item, outcome="ok").order_by("-pk").first()
    decision = Decision.objects.create(
        item=item, run=run, kind=kind, by=by, values=values, changed=changed, reason=storable(reason)[:300]
    )
    specs = item.version.specs() if item.version and changed else ()
    audit.record(
        kind=audit.Kind.ITEM_DECIDED, by=by, item=item,
        facts={
            "decision": decision.pk, "kind": kind.value, "run": run.pk if run else None, "changed": changed,
            "sensitive": [spec.key for spec in specs if spec.sensitive and spec.key in changed],
        },
        content={
            "reason": decision.reason,
            "before": {key: (before or {}).get(key) for key in changed},
            "after": {key: (values or {}).get(key) for key in changed},
        } if changed or decision.reason else None,
    )  # fmt: skip
    return decision
