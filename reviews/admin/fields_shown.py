"""The fields of an item as one person sees them: what is drafted, what stands there now, and how far to trust it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reviews.admin.typed_values import Input, inputs_of
from workflows.admin.telling import told_value
from workflows.drafting.draft import Flag
from workflows.drafting.fields import FieldSpec
from workflows.models import FieldResult
from workflows.routing import show_signal

# Of these the line of evidence says enough.
SAID_BY_EVIDENCE = {Flag.MISSING.value, Flag.NOT_FOUND.value}


@dataclass(frozen=True, slots=True)
class Evidence:
    text: str
    icon: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class ShownField:
    """`typed`: what a person wrote over the stored value, for a page on which it cannot stand in an input. `draft_json`: the
    draft in the shape of the inputs, so that the page can compare and restore it."""

    spec: FieldSpec
    input: Input
    told: str
    drafted: str
    draft_json: str
    changed: bool
    signal: str
    no_figure: bool
    evidence: Evidence | None
    flags: tuple[str, ...]
    to_check: bool
    seen: bool
    marked: bool
    typed: str

    @property
    def key(self) -> str:
        return self.spec.key

    @property
    def label(self) -> str:
        return self.spec.label


def fields_shown(
    *,
    inputs: Sequence[Input],
    values: Mapping[str, Any],
    results: Mapping[str, FieldResult],
    marked: Collection[str],
    to_check: Collection[str],
    seen: Collection[str] = (),
) -> list[ShownField]:
    """Those to check first, the rest in the version's order."""
    specs = [one.spec for one in inputs]
    stored = inputs_of(fields=specs, values=values)
    drafts = inputs_of(fields=specs, values={key: result.value for key, result in results.items()})
    shown = [
        _shown(
            entry=entry, before=before, draft=draft, value=values.get(entry.spec.key), result=results.get(entry.spec.key),
            marked=entry.spec.key in marked, to_check=entry.spec.key in to_check, seen=entry.spec.key in seen,
        )
        for entry, before, draft in zip(inputs, stored, drafts, strict=True)
    ]  # fmt: skip
    return sorted(shown, key=lambda field: not field.to_check)


def _shown(
    *, entry: Input, before: Input, draft: Input, value: Any, result: FieldResult | None, marked: bool, to_check: bool,
    seen: bool,
) -> ShownField:  # fmt: skip
    spec = entry.spec
    evidence = _evidence(result)
    return ShownField(
        spec=spec, input=entry, told=told_value(value=value, spec=spec),
        drafted=told_value(value=result.value, spec=spec) if result else "",
        draft_json=json.dumps(draft.written(), ensure_ascii=False) if result else "",
        changed=result is not None and result.value != value,
        signal="" if result is None or result.signal is None else show_signal(result.signal),
        no_figure=result is not None and result.value is not None and result.signal is None,
        evidence=evidence, flags=_flags(result), to_check=to_check, seen=seen, marked=marked,
        typed=told_input(entry) if entry.written() != before.written() else "",
    )  # fmt: skip


def told_input(entry: Input) -> str:
    """What stands in an input, in words."""
    if entry.shape == "rows":
        return "\n".join(", ".join(filter(None, map(told_input, row))) for row in entry.rows)
    labels = dict(entry.options)
    said = ", ".join(labels.get(one, one) for one in entry.chosen if one) if entry.options else entry.text
    return f"{said} {entry.currency}".strip() if said else ""


def _flags(result: FieldResult | None) -> tuple[str, ...]:
    if result is None:
        return ()
    derived = {Flag.DERIVED.value} if (result.evidence or {}).get("derived") else set()
    return tuple(flag for flag in result.flags if flag not in SAID_BY_EVIDENCE | derived)


def _evidence(result: FieldResult | None) -> Evidence | None:
    if result is None or result.value is None:
        return None
    told = result.evidence or {}
    place = f", page {told['page']}" if told.get("page") else ""
    quote = f": “{told['quote']}”" if told.get("quote") else ""
    worked_out = "; the value was worked out from it" if told.get("derived") else ""
    match told.get("status"):
        case "verbatim":
            return Evidence(text=f"Found word for word{quote}{place}{worked_out}", icon="format_quote")
        case "normalised":
            return Evidence(text=f"Found normalised{quote}{place}{worked_out}", icon="match_case")
        case "not_found":
            return Evidence(text="Draft value not found in the source", icon="search_off", doubtful=True)
    return Evidence(text="No quote was due", icon="remove")
