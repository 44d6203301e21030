"""Send a test to a destination: a real delivery of made-up values that says it is a test, and what came of it in words."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from integrations.connectors.base import DeliveryFailed, Parcel, connector, parse_config
from workflows.access import Action, may
from workflows.drafting.fields import FieldSpec, Kind
from workflows.errors import Conflict, NotPermitted
from workflows.models import Destination
from workflows.outbox import REGISTER
from workflows.people import acting

PAUSE_SECONDS = 5  # between two tests of one destination: a receiver is not to be flooded from here
MADE_UP: dict[Kind, Any] = {
    Kind.TEXT: "Test", Kind.LONG_TEXT: "Test", Kind.INTEGER: 1, Kind.DECIMAL: "1.00",
    Kind.MONEY: {"amount": "1.00", "currency": "EUR"}, Kind.DATE: "2026-01-01", Kind.DATETIME: "2026-01-01T09:00",
    Kind.YES_NO: True, Kind.EMAIL: "test@countersign.example", Kind.PHONE: "+441134960000",
    Kind.URL: "https://countersign.example/",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tested:
    arrived: bool
    said: str


def send_test(*, destination: Destination, by: Any) -> Tested:
    """Waits for the other side, within the connector's own time-outs. Of the test only its time is stored. Not inside a transaction."""
    if not may(by, Action.MANAGE, destination):
        raise NotPermitted("You may not test destinations of this workflow. Ask whoever manages its access.")
    version = destination.workflow.version
    specs = version.specs() if version else ()
    if destination.kind == REGISTER:
        labels = ", ".join(spec.label for spec in specs) or "its fields, once a version is active"
        return Tested(
            arrived=True,
            said=f"{destination.name}: it is part of this installation, so nothing had to be sent and nothing was written. "
            f"An accepted result is entered with its title and: {labels}.",
        )
    try:
        config = parse_config(kind=destination.kind, config=destination.config)
    except (ValueError, LookupError) as error:
        return Tested(
            arrived=False, said=f"{destination.name}: nothing was sent. Its settings are not valid: {error}"
        )
    if not cache.add(f"destination-test:{destination.pk}", 1, PAUSE_SECONDS):
        raise Conflict(f"{destination.name} was tested a moment ago. Nothing was sent. Wait a few seconds.")
    try:
        receipt = connector(destination.kind).deliver(
            parcel=_parcel(destination=destination, specs=specs, by=by), config=config
        )
    except DeliveryFailed as error:
        return Tested(
            arrived=False, said=f"{destination.name}: the test did not arrive. {_of_a_test(str(error))}"
        )
    _keep(destination=destination, by=by)
    told = f" {receipt.detail}." if receipt.detail else ""
    return Tested(arrived=True, said=f"{destination.name}: the test arrived.{told} It was marked as a test.")


def _keep(*, destination: Destination, by: Any) -> None:
    """The launch gate asks for it. Settings that changed while the test was on its way were not tested."""
    with transaction.atomic():
        row = Destination.objects.select_for_update().get(pk=destination.pk)
        if row.config == destination.config:
            row.tested_at = timezone.now()
            with acting(by=by, why="A test arrived", on=row):
                row.save(update_fields=["tested_at"])


def _of_a_test(said: str) -> str:
    """A connector's words are about a result that is kept and sent again; a test is neither."""
    for sentence in (
        "The result is kept here.", "It will be tried again by itself.",
        "It will be sent again by itself; the receiver knows a repeat by its key.", "It will be sent again by itself.",
    ):  # fmt: skip
        said = said.replace(f" {sentence}", "")
    return f"{said} Nothing was kept of the test."


def _parcel(*, destination: Destination, specs: tuple[FieldSpec, ...], by: Any) -> Parcel:
    workflow = destination.workflow
    return Parcel(
        key=str(uuid.uuid4()), item_id=str(uuid.uuid4()), title=f"Test of {destination.name}", workflow=workflow.slug,
        workflow_name=workflow.name, url=f"{settings.SITE_URL}/admin/workflows/workflow/{workflow.pk}/change/",
        values={spec.key: _made_up(spec) for spec in specs}, labels={spec.key: spec.label for spec in specs},
        decided_by=by.get_username(), decided_at=timezone.now(), test=True,
    )  # fmt: skip


def _made_up(spec: FieldSpec) -> Any:
    match spec.kind:
        case Kind.CHOICE:
            return spec.choices[0].key
        case Kind.CHOICES:
            return [spec.choices[0].key]
        case Kind.ROWS:
            return [{column.key: _made_up(column) for column in spec.columns}]
    return MADE_UP[spec.kind]
