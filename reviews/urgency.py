"""How much an item can hurt, in three words, and the money it is about. Worked out once, when its review opens.

High: a rule of the workflow spoke, or a required or money field is missing, cannot be right, or is not found in the
source, or the item is escalated. Medium: anything else is doubtful, or the item holds money or something sensitive.
Low: it is here by policy alone.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from reviews.models import Review
from workflows.decisions import holds_sensitive
from workflows.drafting.fields import FieldSpec, Kind
from workflows.models import Item
from workflows.routing import RuleSpec
from workflows.states import State
from workflows.versions import use_version

SEVERE = frozenset({"value", "evidence"})
MOST = Decimal(10) ** 17  # what the column holds


def urgency(*, item: Item) -> dict[str, Any]:
    """The columns of a review that say how urgent it is beside its due time."""
    specs, rules = _said(item)
    reasons: list[dict[str, Any]] = (item.route or {}).get("reasons", [])
    money = _money(item=item, specs=specs, rules=rules)
    sensitive = holds_sensitive(values=item.values or {}, specs=specs)
    amount, currency = money or (None, "")
    kinds = dict.fromkeys(str(reason.get("kind", "")) for reason in reasons)
    return {
        "risk": _risk(item=item, specs=specs, reasons=reasons, matters=sensitive or money is not None),
        "amount": amount,
        "currency": currency,
        "sensitive": sensitive,
        "reason_kinds": f"|{'|'.join(kinds)}|"[:120] if kinds else "",
    }


def _said(item: Item) -> tuple[tuple[FieldSpec, ...], tuple[RuleSpec, ...]]:
    """What its version says of fields and rules, from memory: this is worked out for each item that is drafted."""
    if item.version_id is None:
        return (), ()
    version = use_version(pk=item.version_id)
    return version.fields, version.rules


def _risk(
    *, item: Item, specs: tuple[FieldSpec, ...], reasons: list[dict[str, Any]], matters: bool
) -> Review.Risk:
    weighty = {spec.key for spec in specs if spec.required or spec.kind is Kind.MONEY}
    doubtful = [reason for reason in reasons if reason.get("doubtful", True)]
    severe = any(
        reason.get("kind") == "rule" or (reason.get("kind") in SEVERE and reason.get("field") in weighty)
        for reason in doubtful
    )
    if item.state == State.ESCALATED or severe:
        return Review.Risk.HIGH
    return Review.Risk.MEDIUM if doubtful or matters else Review.Risk.LOW


def _money(
    *, item: Item, specs: tuple[FieldSpec, ...], rules: tuple[RuleSpec, ...]
) -> tuple[Decimal, str] | None:
    """Of the field that a rule speaks of, else of the one called total, else of the first one that is filled."""
    filled = {spec.key: read for spec in specs if (read := _read(spec, (item.values or {}).get(spec.key)))}
    ruled = next((filled[rule.field] for rule in rules if rule.field in filled), None)
    return ruled or filled.get("total") or next(iter(filled.values()), None)


def _read(spec: FieldSpec, value: Any) -> tuple[Decimal, str] | None:
    if spec.kind is not Kind.MONEY or not isinstance(value, dict):
        return None
    try:
        amount = Decimal(str(value.get("amount")))
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) >= MOST:
        return None
    return round(amount, 2), str(value.get("currency") or "")[:10]
