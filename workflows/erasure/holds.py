"""Legal holds: while one stands, neither retention nor a request erases what is held."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from workflows import audit
from workflows.access import Action, may
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import Item, LegalHold, Workflow
from workflows.storable import storable

MOST_REASON = 300


def place_hold(*, on: Item | Workflow, by: Any, reason: str) -> LegalHold:
    """Raises NotPermitted, InvalidInput without a reason, or Conflict where it is held already."""
    reason = checked_reason(reason, what="it has to be kept")
    if not may(by, Action.MANAGE, on):
        raise NotPermitted("You may not hold items of this workflow. Ask whoever manages its access.")
    item = on if isinstance(on, Item) else None
    workflow_id = on.workflow_id if isinstance(on, Item) else on.pk
    try:
        with transaction.atomic():
            # After an erasure that is under way, and before the next: both lock these rows, in this order.
            if item is not None:
                item = Item.objects.select_for_update(of=("self",)).get(pk=item.pk)
                if item.erased_at is not None:
                    raise Conflict(
                        "Its content was erased already: there is nothing to hold. Nothing was changed."
                    )
            Workflow.objects.select_for_update(no_key=True).only("pk").get(pk=workflow_id)
            hold = LegalHold.objects.create(workflow_id=workflow_id, item=item, reason=reason, by=by)
            _note(hold, kind=audit.Kind.HELD, by=by, reason=reason)
            return hold
    except IntegrityError:
        raise Conflict("It is held already. Nothing was changed.") from None


def release_hold(*, hold: LegalHold, by: Any, reason: str) -> LegalHold:
    reason = checked_reason(reason, what="it need not be kept any more")
    if not may(by, Action.MANAGE, hold):
        raise NotPermitted("You may not release holds of this workflow. Ask whoever manages its access.")
    with transaction.atomic():
        released = LegalHold.objects.filter(pk=hold.pk, released_at=None).update(
            released_by=by, released_at=timezone.now(), release_reason=reason
        )
        if not released:
            raise Conflict("This hold was released already. Nothing was changed.")
        _note(hold, kind=audit.Kind.RELEASED, by=by, reason=reason)
    hold.refresh_from_db()
    return hold


def _note(hold: LegalHold, *, kind: audit.Kind, by: Any, reason: str) -> None:
    audit.record(
        kind=kind,
        by=by,
        workflow=hold.workflow,
        item=hold.item,
        facts={"hold": hold.pk},
        content={"reason": reason},
    )


def checked_reason(reason: str, *, what: str) -> str:
    reason = storable(reason).strip()
    if not reason or len(reason) > MOST_REASON:
        raise InvalidInput(
            f"Say why {what}, in at most {MOST_REASON} characters. Nothing was changed.",
            problems={"reason": "Say why." if not reason else f"At most {MOST_REASON} characters."},
        )
    return reason


def hold_of_workflow(workflow_id: int) -> LegalHold | None:
    rows = LegalHold.objects.filter(workflow=workflow_id, item=None, released_at=None)
    return rows.select_related("by").first()


def holds_of(*, items: Iterable[int], workflow_id: int) -> dict[int, LegalHold]:
    """By item: the hold on it, else the one on its workflow. Two queries."""
    items = list(items)
    whole = hold_of_workflow(workflow_id)
    own = LegalHold.objects.filter(item__in=items, released_at=None).select_related("by")
    found = {pk: whole for pk in items if whole is not None}
    return {**found, **{hold.item_id: hold for hold in own if hold.item_id is not None}}
