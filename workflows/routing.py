"""What happens to a draft, and every reason for it. Pure: a draft, a policy, and perhaps a certificate, in; a Route out.

Each reason names the field or the rule, the value, the bar and the next step in the words of the person who reads it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import regex

from workflows.drafting.fields import FieldSpec, Kind

PATTERN_SECONDS = 0.2
Target = Literal["in_review", "escalated", "approved"]


@dataclass(frozen=True, slots=True)
class FieldReading:
    """Of a draft, what routing needs to know of one field."""

    value: Any
    signal: float | None
    evidence: str  # verbatim, normalised, not_found, absent
    problems: tuple[str, ...] = ()
    question: str = ""


@dataclass(frozen=True, slots=True)
class RuleSpec:
    field: str
    operator: str
    value: Any
    action: Literal["review", "escalate"]
    reason: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """Version and threshold of a permission to accept. Issued elsewhere; here it is only obeyed."""

    threshold: float


@dataclass(frozen=True, slots=True)
class Reason:
    text: str  # the chip: "total: 0.41, below 0.90"
    kind: Literal["bar", "evidence", "value", "rule", "sensitive", "unclear", "certificate", "source"]
    field: str = ""
    value: str = ""
    bar: str = ""
    next_step: str = ""
    doubtful: bool = True  # amber; policy is grey
    operator: str = ""  # of a rule
    signal: str = ""  # with two places, where the bar is one of signals


@dataclass(frozen=True, slots=True)
class Route:
    target: Target
    reasons: tuple[Reason, ...]
    to_check: tuple[str, ...] = ()  # keys of the fields a person must look at
    signal: float | None = None
    signal_of: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def route(
    *,
    fields: Sequence[FieldSpec],
    draft: Mapping[str, FieldReading],
    rules: Sequence[RuleSpec],
    review_bar: Decimal,
    question: str = "",
    notes: Sequence[str] = (),
    certificate: Certificate | None = None,
) -> Route:
    """Where the item goes. Without a certificate nothing is accepted by itself, whatever its signals."""
    bar = float(review_bar)
    reasons: list[Reason] = []
    check: list[str] = []
    escalate = False

    for rule in rules:
        if matches(rule=rule, fields=fields, values={key: reading.value for key, reading in draft.items()}):
            escalate = escalate or rule.action == "escalate"
            reasons.append(_of_rule(rule=rule, fields=fields, draft=draft))
            if rule.field:
                check.append(rule.field)

    if question:
        reasons.append(
            Reason(
                text=f"unclear: {_short(question)}",
                kind="unclear",
                next_step="Answer the question, or send it back with a note.",
            )
        )
    for note in notes:
        reasons.append(
            Reason(text=_short(note), kind="source", next_step="Look at the source before you decide.")
        )

    weakest: float | None = None
    weakest_of = ""
    for spec in fields:
        reading = draft.get(spec.key) or FieldReading(value=None, signal=None, evidence="absent")
        found = _of_field(spec=spec, reading=reading, bar=bar)
        reasons.extend(found)
        if found:
            check.append(spec.key)
        if spec.sensitive and not is_empty(reading.value):
            reasons.append(
                Reason(
                    text=f"{_label(spec)}: sensitive, always reviewed", kind="sensitive", field=spec.key, doubtful=False,
                    next_step=f"Check {_label(spec)} against the source.",
                )
            )  # fmt: skip
        # Only a required field decides for the item; one without a figure is below every bar.
        if spec.required and (weakest is None or (reading.signal or 0.0) < weakest):
            weakest, weakest_of = reading.signal or 0.0, spec.key

    if certificate is None:
        reasons.append(
            Reason(
                text="no certificate: everything is reviewed", kind="certificate", doubtful=False,
                next_step="Check the fields, then approve, edit or reject.",
            )
        )  # fmt: skip

    target: Target = "escalated" if escalate else ("in_review" if reasons else "approved")
    return Route(
        target=target,
        reasons=tuple(reasons),
        to_check=tuple(dict.fromkeys(check)),
        signal=weakest,
        signal_of=weakest_of,
    )


def _of_field(*, spec: FieldSpec, reading: FieldReading, bar: float) -> list[Reason]:
    name = _label(spec)
    shown = _show(reading.value, spec)
    if reading.question:
        return [
            Reason(
                text=f"{name}: {_short(reading.question)}", kind="unclear", field=spec.key, value=shown,
                next_step=f"Decide what {name} is, or send the item back with a note.",
            )
        ]  # fmt: skip
    if is_empty(reading.value):
        if not spec.required:
            return []
        return [
            Reason(
                text=f"{name}: nothing found", kind="value", field=spec.key, bar="required",
                next_step=f"Enter {name} from the source.",
            )
        ]  # fmt: skip
    reasons = [
        Reason(
            text=f"{name}: {problem}", kind="value", field=spec.key, value=shown, next_step=f"Correct {name}."
        )
        for problem in reading.problems
    ]
    if reading.evidence == "not_found" and spec.needs_evidence:
        reasons.append(
            Reason(
                text=f"{name}: not found in the source", kind="evidence", field=spec.key, value=shown,
                next_step=f"Look for {name} in the source.",
            )
        )  # fmt: skip
    elif reading.signal is None:
        reasons.append(
            Reason(
                text=f"{name}: no signal", kind="bar", field=spec.key, value=shown, bar=f"{bar:.2f}",
                next_step=f"Check {name} against the source.",
            )
        )  # fmt: skip
    elif reading.signal < bar:
        reasons.append(
            Reason(
                text=f"{name}: signal {show_signal(reading.signal)}, below {bar:.2f}", kind="bar", field=spec.key, value=shown,
                bar=f"{bar:.2f}", signal=show_signal(reading.signal), next_step=f"Check {name} against the source.",
            )
        )  # fmt: skip
    return reasons


def _of_rule(*, rule: RuleSpec, fields: Sequence[FieldSpec], draft: Mapping[str, FieldReading]) -> Reason:
    reading = draft.get(rule.field)
    spec = next((one for one in fields if one.key == rule.field), None)
    return Reason(
        text=rule.reason,
        kind="rule",
        field=rule.field,
        value=_show(reading.value, spec) if reading else "",
        bar=_show(rule.value, spec),
        next_step="Ask a senior reviewer to decide."
        if rule.action == "escalate"
        else "Check the item before you approve it.",
        doubtful=rule.operator != "always",
        operator=rule.operator,
    )


def matches(*, rule: RuleSpec, fields: Sequence[FieldSpec], values: Mapping[str, Any]) -> bool:
    """Whether a rule speaks for these values. What cannot be compared counts as a match: a person decides."""
    if rule.operator == "always":
        return True
    spec = next((one for one in fields if one.key == rule.field), None)
    if spec is None:
        return True
    value = values.get(rule.field)
    if rule.operator == "is_empty":
        return is_empty(value)
    if rule.operator == "is_set":
        return not is_empty(value)
    if is_empty(value):
        return False
    if rule.operator in {"above", "below"}:
        left, right = _number(value, spec), _number(rule.value, spec)
        if left is None or right is None:
            return True
        return left > right if rule.operator == "above" else left < right
    texts = [_fold(one) for one in (value if isinstance(value, list) else [value])]
    wanted = rule.value
    if rule.operator == "equals":
        return _fold(wanted) in texts
    if rule.operator == "differs":
        return _fold(wanted) not in texts
    if rule.operator == "one_of":
        return bool({_fold(one) for one in (wanted if isinstance(wanted, list) else [wanted])} & set(texts))
    if rule.operator == "contains":
        return any(_fold(wanted) in text for text in texts)
    if rule.operator == "matches":
        return any(_fits(pattern=str(wanted), text=text) for text in texts)
    return True


def show_signal(signal: float) -> str:
    """Two places, cut and not rounded: what is below a bar never reads as if it met it."""
    return f"{math.floor(signal * 100) / 100:.2f}"


def is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _fits(*, pattern: str, text: str) -> bool:
    """A pattern that takes too long, or is none, counts as a match: a person decides."""
    try:
        return regex.search(pattern, text, regex.IGNORECASE, timeout=PATTERN_SECONDS) is not None
    except (TimeoutError, regex.error):
        return True


def _number(value: Any, spec: FieldSpec) -> Decimal | None:
    if isinstance(value, dict):
        value = value.get("amount")
    if spec.kind in {Kind.DATE, Kind.DATETIME}:
        return None if value is None else Decimal(re.sub(r"\D", "", str(value))[:8] or 0)
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() else None  # “NaN” is a text that Decimal takes and cannot compare


def _fold(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values()).casefold()
    return str(value).strip().casefold()


def _label(spec: FieldSpec) -> str:
    return spec.label if spec.label.isupper() else spec.label[:1].lower() + spec.label[1:]


def _show(value: Any, spec: FieldSpec | None = None) -> str:
    """A value in words: the label of a choice, never its key."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if part)
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            return f"{len(value)} rows"
        return ", ".join(_show(one, spec) for one in value)
    if spec is not None:
        value = next(
            (one.label or one.key.replace("_", " ") for one in spec.choices if one.key == value), value
        )
    return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:117].rstrip() + "…"
