"""What a version says, line by line in words, and what one changed against another. Pure: rows in, lines out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from integrations.llm.profiles import Profile, parameters_of
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.telling import in_order
from workflows.models import Operator, Rule, Version

CONTEXT = 2  # equal lines kept around a change
KINDS: dict[Kind, str] = {
    Kind.TEXT: "Text", Kind.LONG_TEXT: "Long text", Kind.INTEGER: "Whole number", Kind.DECIMAL: "Number",
    Kind.MONEY: "Amount of money", Kind.DATE: "Date", Kind.DATETIME: "Date and time", Kind.YES_NO: "Yes or no",
    Kind.CHOICE: "One of a list", Kind.CHOICES: "Several of a list", Kind.EMAIL: "E-mail address", Kind.PHONE: "Phone number",
    Kind.URL: "Web address", Kind.ROWS: "List of rows",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of the two columns. `left` None: it is new; `right` None: it is gone; both and not `same`: changed."""

    left: str | None
    right: str | None
    same: bool = False
    gap: bool = False  # equal lines were left out here


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    sentences: tuple[str, ...]
    sections: tuple[Section, ...]


def changes_between(*, before: Version | None, after: Version) -> Changes:
    """With `before` None everything is new."""
    old_specs, new_specs = before.specs() if before else (), after.specs()
    sections = []
    for title, tell in (
        ("Instructions", lambda one: one.instructions.splitlines()),
        ("Fields", lambda one: [line for spec in one.specs() for line in field_lines(spec)]),
        ("Rules", lambda one: rule_lines(rules=one.rules.all(), specs=one.specs())),
        ("Examples", example_lines),
        ("Model and limits", limit_lines),
    ):
        left, right = tell(before) if before else [], tell(after)
        if left != right:
            sections.append(Section(title=title, pairs=tuple(pairs_of(left=left, right=right))))
    return Changes(tuple(_sentences(sections, old_specs, new_specs)), tuple(sections))


def _sentences(sections: Sequence[Section], old: Sequence[FieldSpec], new: Sequence[FieldSpec]) -> list[str]:
    before, after = {one.key: one for one in old}, {one.key: one for one in new}
    told = [
        *(f"New field: {after[key].label}." for key in after if key not in before),
        *(f"Field removed: {before[key].label}." for key in before if key not in after),
    ]
    for key in after:
        if key in before and before[key] != after[key]:
            told.append(f"{after[key].label}: {_listed(_differences(before[key], after[key]))}.")
    if list(before) != list(after) and sorted(before) == sorted(after):
        told.append("The fields stand in another order.")
    for section in sections:
        if section.title == "Fields":
            continue
        gone = sum(1 for pair in section.pairs if pair.left is not None and not pair.same)
        come = sum(1 for pair in section.pairs if pair.right is not None and not pair.same)
        counts = [
            f"{count} {_lines(count)} {verb}" for count, verb in ((come, "new"), (gone, "gone")) if count
        ]
        told.append(f"{section.title}: {_listed(counts)}.")
    return told


def _lines(count: int) -> str:
    return "line" if count == 1 else "lines"


def _differences(old: FieldSpec, new: FieldSpec) -> list[str]:
    told = []
    if old.label != new.label:
        told.append(f"was called “{old.label}”")
    if old.kind != new.kind:
        told.append(f"is {_lower(KINDS[new.kind])}, was {_lower(KINDS[old.kind])}")
    for name, words in (("required", "required"), ("sensitive", "sensitive")):
        if getattr(old, name) != getattr(new, name):
            told.append(f"is {words} now" if getattr(new, name) else f"is no longer {words}")
    if old.needs_evidence != new.needs_evidence:
        told.append("needs evidence now" if new.needs_evidence else "needs no evidence any more")
    for name, words in (
        ("hint", "another hint"), ("choices", "other choices"), ("columns", "other columns"),
        ("minimum", "another lower bound"), ("maximum", "another upper bound"), ("max_length", "another length"),
    ):  # fmt: skip
        if getattr(old, name) != getattr(new, name):
            told.append(f"has {words}")
    return told


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def field_lines(spec: FieldSpec, *, inside: str = "") -> list[str]:
    marks = [
        word
        for word, on in (
            ("required", spec.required), ("sensitive", spec.sensitive), ("no evidence needed", not spec.needs_evidence),
        )
        if on
    ]  # fmt: skip
    bounds = [
        f"{word} {bound:f}".rstrip("0").rstrip(".") if "." in f"{bound:f}" else f"{word} {bound:f}"
        for word, bound in (("from", spec.minimum), ("to", spec.maximum))
        if bound is not None
    ]
    if spec.max_length:
        bounds.append(f"at most {spec.max_length} {'rows' if spec.kind is Kind.ROWS else 'characters'}")
    lines = [f"{inside}{spec.label}: {', '.join([_lower(KINDS[spec.kind]), *marks, *bounds])}"]
    if spec.hint:
        lines.append(f"{inside}    Hint: {spec.hint}")
    lines += [
        f"{inside}    Choice: {one.label or one.key.replace('_', ' ')}"
        + (f" — {one.hint}" if one.hint else "")
        for one in spec.choices
    ]
    for column in spec.columns:
        lines += field_lines(column, inside="    Column ")
    return lines


def rule_lines(*, rules: Any, specs: Sequence[FieldSpec]) -> list[str]:
    return [rule_line(rule=rule, specs=specs) for rule in rules]


def rule_line(*, rule: Rule, specs: Sequence[FieldSpec]) -> str:
    spec = next((one for one in specs if one.key == rule.field), None)
    act = "escalate" if rule.action == Rule.Action.ESCALATE else "send to review"
    if rule.operator == Operator.ALWAYS:
        return f"Always {act}: {rule.reason}"
    name = spec.label if spec else "a field that is not there"
    value = f" {_value(rule.value, spec)}" if rule.value not in (None, "", []) else ""
    return f"If “{name}” {Operator(rule.operator).label}{value}, {act}: {rule.reason}"


def _value(value: Any, spec: FieldSpec | None) -> str:
    if isinstance(value, list):
        return ", ".join(_value(one, spec) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    for one in spec.choices if spec else ():
        if one.key == value:
            return one.label or one.key.replace("_", " ")
    return str(value)


def example_lines(version: Version) -> list[str]:
    specs = version.specs()
    labels = {spec.key: spec.label for spec in specs}
    lines: list[str] = []
    for number, one in enumerate(version.examples or [], start=1):
        lines.append(f"Example {number}")
        lines += [f"    {line}" for line in str(one.get("source", "")).splitlines()]
        values: Mapping[str, Any] = one.get("values") or {}
        lines += [
            f"    {labels.get(key, key.replace('_', ' '))} → {'nothing' if value is None else value}"
            for key, value in in_order(values=values, specs=specs).items()
        ]
    return lines


def limit_lines(version: Version) -> list[str]:
    return [
        f"Review bar: {version.review_bar}", f"Most calls for one draft: {version.max_calls}",
        *profile_lines(Profile.model_validate(version.profile or {})),
    ]  # fmt: skip


def profile_lines(profile: Profile) -> list[str]:
    """Neither a key nor the variable that holds it: whoever reads versions need not know."""
    told = parameters_of(profile)
    lines = [
        f"Server: {profile.base_url or 'the one of this installation'}",
        f"Model: {profile.model or 'the one of this installation'}",
        f"Longest silence: {profile.read_seconds:g} s",
        f"Longest request: {profile.total_seconds:g} s",
        f"Tries: {profile.max_tries}",
    ]
    lines += [f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in sorted(told.items())
              if name not in ("extra_headers", "extra_body")]  # fmt: skip
    lines += [f"Otherwise: {one.model or 'the model of this installation'}" for one in profile.fallbacks]
    return lines


def pairs_of(*, left: Sequence[str], right: Sequence[str]) -> list[Pair]:
    """Side by side, with a few equal lines around each change."""
    pairs: list[Pair] = []
    for verb, a, b, c, d in SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        if verb == "equal":
            first = 0 if not pairs else CONTEXT
            last = 0 if b == len(left) and d == len(right) else CONTEXT
            same = [Pair(line, line, same=True) for line in left[a:b]]
            if len(same) <= first + last:
                pairs += same
            else:
                pairs += [*same[:first], Pair(None, None, same=True, gap=True), *same[len(same) - last :]]
            continue
        gone, come = list(left[a:b]), list(right[c:d])
        for number in range(max(len(gone), len(come))):
            pairs.append(
                Pair(
                    gone[number] if number < len(gone) else None,
                    come[number] if number < len(come) else None,
                )
            )
    return pairs
