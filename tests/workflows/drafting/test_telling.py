"""Values are told as their fields stand in the version, whatever order a database gives JSON back in."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.connectors.email.text import body
from tests.factories import make_item, make_user, make_workflow
from workflows.access import Action
from workflows.decisions import approve
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.telling import in_order, told_value
from workflows.handoff import _parcel
from workflows.models import Delivery

LINES: dict[str, Any] = {
    "key": "lines", "label": "Lines", "kind": "rows",
    "columns": [{"key": "what", "label": "What", "kind": "text"}, {"key": "cost", "label": "Cost", "kind": "text"}],
}  # fmt: skip
FIELDS = [
    {"key": "title_of_it", "label": "Title", "kind": "text"},
    LINES,
    {"key": "day", "label": "Day", "kind": "text"},
]
VALUES: dict[str, Any] = {
    "title_of_it": "Chairs",
    "lines": [{"what": "Chair", "cost": "12"}],
    "day": "Monday",
}


def as_postgresql(value: Any) -> Any:
    """Short keys first, then by letter: so jsonb keeps them."""
    if isinstance(value, dict):
        return {key: as_postgresql(value[key]) for key in sorted(value, key=lambda key: (len(key), key))}
    return [as_postgresql(one) for one in value] if isinstance(value, list) else value


def test_fields_in_their_order_then_what_none_of_them_knows() -> None:
    specs = [FieldSpec(key=key, label=key, kind=Kind.TEXT) for key in ("second", "first", "absent")]
    found = in_order(values={"gone": 1, "first": 2, "second": 3}, specs=specs)
    assert list(found.items()) == [("second", 3), ("first", 2), ("gone", 1)]


def test_cells_of_a_row_stand_as_its_columns_do() -> None:
    spec = FieldSpec.model_validate(LINES)
    assert told_value(value=as_postgresql(VALUES["lines"]), spec=spec) == "What: Chair, Cost: 12"


@pytest.mark.django_db
def test_a_mail_tells_values_in_the_order_of_the_fields() -> None:
    workflow = make_workflow(fields=FIELDS)
    approve(item=make_item(workflow=workflow, values=VALUES), by=make_user(can=tuple(Action), on=workflow))
    delivery = Delivery.objects.get()
    delivery.payload = as_postgresql(delivery.payload)
    told = body(_parcel(delivery=delivery))
    places = [told.index(word) for word in ("Title: Chairs", "What: Chair", "Cost: 12", "Day: Monday")]
    assert places == sorted(places), told
