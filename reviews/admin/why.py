"""Why an item is with a person: each reason of its route as rule, field, value and what was needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reviews.models import Review
from workflows.drafting.fields import FieldSpec

WHEN = {
    "equals": "reviewed when it is {}", "differs": "reviewed when it is not {}", "is_empty": "reviewed when empty",
    "is_set": "reviewed when filled", "above": "reviewed above {}", "below": "reviewed below {}",
    "contains": "reviewed when it contains {}", "one_of": "reviewed when it is one of {}", "matches": "reviewed when it fits {}",
    "always": "always reviewed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Why:
    rule: str
    field: str
    value: str
    needed: str
    doubtful: bool


def why_here(*, route: Mapping[str, Any] | None, specs: Sequence[FieldSpec]) -> list[Why]:
    labels = {spec.key: spec.label for spec in specs}
    return [_why(reason=reason, labels=labels) for reason in (route or {}).get("reasons", [])]


def _why(*, reason: Mapping[str, Any], labels: Mapping[str, str]) -> Why:
    text, value, bar = (str(reason.get(part) or "") for part in ("text", "value", "bar"))
    field = labels.get(str(reason.get("field") or ""), "Whole item")
    match reason.get("kind"):
        case "bar":
            # A route stored before signals were kept has the figure in its text alone.
            found = re.search(r"signal (\d\.\d\d)", text)
            figure = reason.get("signal") or (found[1] if found else "")
            rule = "Signal below the bar of the version" if figure else "No signal for this field"
            told = (rule, figure or "no figure", bar)
        case "evidence":
            told = ("Draft value not found in the source", value, "a place in the source")
        case "value" if bar == "required":
            told = ("Required, and nothing was found", "empty", "a value")
        case "value":
            told = (_without_name(text), value, "a value that fits")
        case "rule":
            told = (f"Rule: {text}", value, _when(operator=str(reason.get("operator") or ""), bar=bar))
        case "sensitive":
            told = ("Sensitive field", value, "always reviewed")
        case "unclear":
            told = (f"Unclear: {_without_name(text)}", value, "an answer by a person")
        case "certificate":
            told = ("No certificate", "", "everything is reviewed")
        case _:
            told = (text, value, "a look at the source")
    rule, value, needed = told
    return Why(
        rule=rule, field=field, value=value, needed=needed, doubtful=bool(reason.get("doubtful", True))
    )


def question_of(review: Review) -> str:
    """What somebody, or a rule, asks whoever answers escalations."""
    return review.reason.removeprefix("Escalated: ").removeprefix("Drafted: ")


def _when(*, operator: str, bar: str) -> str:
    return WHEN.get(operator, "{}").format(bar)


def _without_name(text: str) -> str:
    return text.partition(": ")[2] or text
