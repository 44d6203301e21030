"""What came of a try, told as the page shows it."""

from __future__ import annotations

from typing import Any

from workflows.admin.telling import told_value
from workflows.models import Try, Version
from workflows.money import told as told_amount
from workflows.routing import show_signal

TARGETS = {
    "in_review": "It would go to review.", "escalated": "It would be escalated.",
    "approved": "It would be accepted by certificate.",
}  # fmt: skip
EVIDENCE = {
    "verbatim": "Found word for word", "normalised": "Found normalised", "not_found": "Not found in the text",
    "absent": "No quote was due",
}  # fmt: skip


def try_told(*, row: Try, version: Version) -> dict[str, Any]:
    """`row` with its fields in the version's words. A version that was changed since shows what it still knows."""
    specs = {spec.key: spec for spec in version.specs()}
    result = row.result or {}
    check = set(result.get("to_check", ()))
    fields = [
        {
            "label": specs[one["key"]].label if one["key"] in specs else one["key"].replace("_", " "),
            "value": told_value(value=one["value"], spec=specs.get(one["key"])),
            "evidence": _evidence(one),
            "signal": "–" if one["signal"] is None else show_signal(one["signal"]),
            "to_check": one["key"] in check,
            "problems": one["problems"],
        }
        for one in result.get("fields", ())
    ]
    return {
        "row": row, "fields": fields, "target": TARGETS.get(result.get("target", ""), ""),
        "reasons": result.get("reasons", ()), "cost": _cost(row), "cleared": row.ended_at and not row.text,
    }  # fmt: skip


def _evidence(one: dict[str, Any]) -> str:
    told = one.get("evidence") or {}
    if one["value"] is None:
        return "–"
    quote = f": “{told['quote']}”" if told.get("quote") else ""
    return f"{EVIDENCE.get(told.get('status', ''), 'No quote was due')}{quote}"


def _cost(row: Try) -> str:
    if row.cost is None:
        return "cost not known: no price is known for this model"
    return f"cost {told_amount(row.cost)}" if row.cost else "no cost"
