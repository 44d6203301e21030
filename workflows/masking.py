"""Who sees what stands in a sensitive field: those who may decide it, and nobody else.

Everybody who sees the item sees that the field is there. Its value, the draft of it, its evidence and what it was before are
hidden, and so is the material in which it stands. Every screen, file and answer asks here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import BooleanField, Case, QuerySet, Value, When

from workflows.access import Action, User, may, workflow_ids
from workflows.drafting.fields import FieldSpec
from workflows.models import Field, FieldResult, Item
from workflows.routing import is_empty

MASK = "Hidden: sensitive"


def hidden_keys(*, user: User, item: Item, specs: Iterable[FieldSpec]) -> frozenset[str]:
    """The fields of the item whose values this person may not see."""
    sensitive = frozenset(spec.key for spec in specs if spec.sensitive)
    return frozenset() if not sensitive or may(user, Action.DECIDE_SENSITIVE, item) else sensitive


def without(values: Mapping[str, Any] | None, hidden: Collection[str]) -> dict[str, Any]:
    """For what computes with values or puts them into inputs: hidden ones are not there."""
    return {key: value for key, value in (values or {}).items() if key not in hidden}


def masked(values: Mapping[str, Any] | None, hidden: Collection[str]) -> dict[str, Any]:
    """For what tells values: a hidden one that is filled says so, and no more."""
    return {
        key: MASK if key in hidden and not is_empty(value) else value for key, value in (values or {}).items()
    }


def reasons_shown(route: Mapping[str, Any] | None, hidden: Collection[str]) -> dict[str, Any] | None:
    """A route of which the reasons about hidden fields say that there are some, and nothing of the value."""
    if route is None or not hidden:
        return None if route is None else dict(route)
    reasons = [
        one if one.get("field") not in hidden else {**one, "text": MASK, "value": "", "bar": ""}
        for one in route.get("reasons", [])
    ]
    return {**route, "reasons": reasons}


def hides_material(*, user: User, item: Item) -> bool:
    """Whether the sources, prompts and raw answers of the item hold what this person may not see."""
    if may(user, Action.DECIDE_SENSITIVE, item):
        return False
    specs: Sequence[FieldSpec] = item.version.specs() if item.version else ()
    hidden = hidden_keys(user=user, item=item, specs=specs)
    if not hidden:
        return False
    if any(not is_empty((item.values or {}).get(key)) for key in hidden):
        return True
    # Emptied later, and drafted before.
    found = FieldResult.objects.filter(run__item=item, key__in=hidden).values_list("value", flat=True)
    return any(not is_empty(value) for value in found)


def hides_past(*, user: User, row: Any) -> bool:
    """An earlier state is shown column by column, so of an item with a sensitive field it is shown whole or not at all."""
    item = row if isinstance(row, Item) else getattr(row, "item", None)
    return isinstance(item, Item) and hides_material(user=user, item=item)


def telling_hidden[Q: QuerySet[Any]](queryset: Q, *, user: User, path: str) -> Q:
    """Each row with `hides_sensitive`: whether this person is kept from the sensitive fields of its workflow."""
    ids = workflow_ids(user=user, action=Action.DECIDE_SENSITIVE)
    shown = [When(**{f"{path}__in": ids}, then=Value(False))] if ids else []
    return queryset.annotate(
        hides_sensitive=Case(*shown, default=Value(ids is not None), output_field=BooleanField())
    )


def workflows_with_hidden(*, user: User) -> set[int]:
    """Workflows with a sensitive field, now or in an older version, that this person may not see: no search looks into them."""
    ids = workflow_ids(user=user, action=Action.DECIDE_SENSITIVE)
    seen = workflow_ids(user=user, action=Action.VIEW)
    if ids is None or (seen is not None and seen <= ids):
        return set()
    fields = Field.objects.filter(sensitive=True).exclude(version__workflow__in=ids)
    return set(fields.values_list("version__workflow", flat=True).distinct())


def keys_of(specs: Iterable[FieldSpec], *, hides: bool) -> frozenset[str]:
    return frozenset(spec.key for spec in specs if spec.sensitive) if hides else frozenset()
