"""An accepted result becomes deliveries, in the transaction that accepts it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from workflows import audit
from workflows.models import REGISTER as REGISTER  # whoever reads deliveries takes it from here
from workflows.models import Decision, Delivery, Destination, Item, Stage
from workflows.people import acting
from workflows.waking import wake


def write_deliveries(*, item: Item, decision: Decision, by: Any) -> list[Delivery]:
    """One delivery for each active destination, held for the workflow's hold. On trial the register alone."""
    destinations = list(Destination.objects.filter(workflow=item.workflow_id, active=True).order_by("pk"))
    if item.workflow.stage != Stage.LIVE:
        destinations = [one for one in destinations if one.kind == REGISTER]
    if not any(one.kind == REGISTER for one in destinations):
        destinations.insert(0, _register_of(item=item, by=by))
    due = timezone.now() + timedelta(seconds=item.workflow.hold_seconds)
    payload = payload_of(item=item, decision=decision)
    deliveries = []
    for destination in destinations:
        delivery = Delivery(
            item=item, decision=decision, destination=destination, payload=payload, due_at=due
        )
        with acting(by=by, why="Accepted", on=delivery):
            delivery.save(force_insert=True)
        deliveries.append(delivery)
    wake(task="workflows.tasks.deliver")
    return deliveries


def _register_of(*, item: Item, by: Any) -> Destination:
    """It is always there: switched off or deleted, a result is entered all the same."""
    there = Destination.objects.filter(workflow=item.workflow_id, kind=REGISTER).order_by("pk").first()
    if there is not None:
        return there
    made = Destination(workflow=item.workflow, kind=REGISTER, name="Register")
    with acting(by=by, why="Every result is entered in the register", on=made):
        made.save(force_insert=True)
    return made


def payload_of(*, item: Item, decision: Decision) -> dict[str, Any]:
    """What a destination is told. Plain JSON; ids that leave are opaque."""
    specs = item.version.specs() if item.version else ()
    return {
        "item_id": str(item.public_id),
        "title": item.title,
        "workflow": item.workflow.slug,
        "workflow_name": item.workflow.name,
        "url": f"{settings.SITE_URL}/admin/workflows/item/{item.pk}/change/",
        "external_id": item.external_id,
        "values": decision.values,
        "labels": {spec.key: spec.label for spec in specs},
        "order": [
            name for spec in specs for name in (spec.key, *(f"{spec.key}.{one.key}" for one in spec.columns))
        ],
        "decided_by": decision.by.get_username(),
        "decided_at": decision.created_at.isoformat(),
    }


def values_of(payload: dict[str, Any]) -> dict[str, Any]:
    """As the fields stood in the version, for whoever reads them. PostgreSQL gives JSON back in an order of its own."""
    place = {name: number for number, name in enumerate(payload.get("order", ()))}

    def ordered(values: dict[str, Any], inside: str) -> dict[str, Any]:
        return {
            key: [ordered(row, f"{key}.") if isinstance(row, dict) else row for row in values[key]]
            if isinstance(values[key], list)
            else values[key]
            for key in sorted(values, key=lambda key: place.get(f"{inside}{key}", len(place)))
        }

    return ordered(payload["values"] or {}, "")


def cancel_deliveries(*, item: Item, by: Any, why: str) -> bool:
    """Stop what has not left. False, and nothing changed, when any delivery is on its way or gone."""
    with transaction.atomic():
        waiting = list(
            Delivery.objects.select_for_update().filter(item=item).exclude(state=Delivery.State.CANCELLED)
        )
        if any(one.state != Delivery.State.WAITING or one.tries for one in waiting):
            return False
        for delivery in waiting:
            delivery.state = Delivery.State.CANCELLED
            with acting(by=by, why=why, on=delivery):
                delivery.save(update_fields=["state"])
            audit.record(
                kind=audit.Kind.DELIVERY_ENDED, by=by, item=item, content={"why": why},
                facts={"delivery": delivery.pk, "destination": delivery.destination_id, "state": str(delivery.state)},
            )  # fmt: skip
        return True
