"""From what the model wrote to a draft: per field a value, its evidence, its signal and everything odd about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from workflows.drafting.candidates import Candidate
from workflows.drafting.documents import PageText
from workflows.drafting.evidence import Evidence, Status, locate
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.schema import QUOTE, UNCLEAR
from workflows.drafting.signal import compute_signal, weakest
from workflows.drafting.values import FieldValue, read_values


class Flag(StrEnum):
    """What a reviewer should know of a value; the words are shown as they are."""

    MISSING = "missing"
    NOT_FOUND = "not found in the source"
    DERIVED = "worked out, not copied"
    DOUBTFUL = "can be read in two ways"
    INVALID = "does not fit the field"


@dataclass(frozen=True)
class FieldDraft:
    """`key` of a cell is `lines[0].amount`. A list of rows has its cells in `cells` and the signal of the weakest."""

    key: str
    value: Any
    as_written: str | None
    evidence: Evidence
    signal: float | None
    flags: tuple[Flag, ...] = ()
    problems: tuple[str, ...] = ()
    cells: tuple[FieldDraft, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "value": self.value,
            "as_written": self.as_written,
            "evidence": self.evidence.as_json(),
            "signal": self.signal,
            "flags": [flag.value for flag in self.flags],
            "problems": list(self.problems),
            "cells": [cell.as_json() for cell in self.cells],
        }


@dataclass(frozen=True)
class Draft:
    """`unclear`: the question for a person that the model asked about the item; empty when it asked none. `raw_text`: the answer as it came."""

    fields: dict[str, FieldDraft]
    unclear: str = ""
    raw_text: str = field(default="", repr=False)

    @property
    def values(self) -> dict[str, Any]:
        return {key: drafted.value for key, drafted in self.fields.items()}

    def signal(self, *, required: Sequence[FieldSpec]) -> float | None:
        """Of the item: its weakest required field decides."""
        return weakest([self.fields[spec.key].signal for spec in required if spec.required])

    def as_json(self) -> dict[str, Any]:
        return {
            "fields": {key: drafted.as_json() for key, drafted in self.fields.items()},
            "unclear": self.unclear,
        }


def make_draft(
    *,
    raw: Mapping[str, Any],
    raw_text: str,
    fields: Sequence[FieldSpec],
    candidates: Mapping[str, Sequence[Candidate]],
    pages: Sequence[PageText],
    logprobs: Callable[[str], float | None],
    written: date | None = None,
) -> Draft:
    """`logprobs`: mean log-probability of the tokens of the value at a path of the raw answer (`total`, `lines[0].amount`), None
    where the server gave none. `written`: as from `candidates.written_on`."""
    values = read_values(raw=raw, fields=fields, candidates=candidates, pages=pages, written=written)
    drafts: dict[str, FieldDraft] = {}
    for spec in fields:
        if spec.kind is Kind.ROWS:
            drafts[spec.key] = _draft_rows(
                spec, values[spec.key], raw.get(spec.key), candidates, pages, logprobs
            )
        else:
            hint = raw.get(spec.key + QUOTE)
            drafts[spec.key] = _draft_one(
                spec.key,
                spec,
                values[spec.key],
                hint,
                candidates.get(spec.key, ()),
                pages,
                logprobs(spec.key),
            )
    question = raw.get(UNCLEAR)
    return Draft(drafts, question.strip()[:300] if isinstance(question, str) else "", raw_text)


def _draft_one(
    path: str,
    spec: FieldSpec,
    value: FieldValue,
    hint: Any,
    found: Sequence[Candidate],
    pages: Sequence[PageText],
    mean_logprob: float | None,
) -> FieldDraft:
    evidence = locate(
        spec=spec,
        value=value.value,
        as_written=value.as_written,
        hint=hint if isinstance(hint, str) else None,
        pages=pages,
        candidates=found,
        derived=value.derived,
    )
    if not spec.needs_evidence and evidence.status is Status.NOT_FOUND:
        evidence = Evidence(Status.ABSENT)  # a summary in the model's own words: none was due
    signal = compute_signal(spec=spec, field_value=value, evidence=evidence, mean_logprob=mean_logprob)
    return FieldDraft(
        path,
        value.value,
        value.as_written,
        evidence,
        signal,
        tuple(_flags(spec, value, evidence)),
        value.problems,
    )


def _draft_rows(
    spec: FieldSpec,
    value: FieldValue,
    given: Any,
    candidates: Mapping[str, Sequence[Candidate]],
    pages: Sequence[PageText],
    logprobs: Callable[[str], float | None],
) -> FieldDraft:
    written_rows = _rows_with_content(given, len(value.rows))
    cells = [
        _draft_one(
            f"{spec.key}[{number}].{column.key}",
            column,
            row[column.key],
            None,
            candidates.get(f"{spec.key}[].{column.key}", ()),
            pages,
            logprobs(f"{spec.key}[{written_rows[number]}].{column.key}"),
        )
        for number, row in enumerate(value.rows)
        for column in spec.columns
    ]
    due = [
        cell
        for cell, column in zip(cells, list(spec.columns) * len(value.rows), strict=True)
        if cell.value is not None or column.required
    ]
    signal = weakest([cell.signal for cell in due]) if due else None
    flags = list(dict.fromkeys(flag for cell in due for flag in cell.flags))
    if not value.rows and spec.required:
        flags.append(Flag.MISSING)
    if value.problems:
        flags.append(Flag.INVALID)
    evidence = next((cell.evidence for cell in cells if cell.evidence.quote), Evidence(Status.ABSENT))
    return FieldDraft(
        spec.key,
        value.value,
        value.as_written,
        evidence,
        signal,
        tuple(dict.fromkeys(flags)),
        value.problems,
        tuple(cells),
    )


def _rows_with_content(given: Any, kept: int) -> list[int]:
    """Where the kept rows stood in the raw answer: rows without content were left out of the values."""
    rows = given if isinstance(given, list) else []
    numbers = [
        number
        for number, row in enumerate(rows)
        if isinstance(row, dict) and any(cell is not None for cell in row.values())
    ]
    return numbers if len(numbers) == kept else list(range(kept))


def _flags(spec: FieldSpec, value: FieldValue, evidence: Evidence) -> Iterator[Flag]:
    if value.value is None and value.as_written is None and spec.required:
        yield Flag.MISSING
    if evidence.status is Status.NOT_FOUND:
        yield Flag.NOT_FOUND
    if value.derived:
        yield Flag.DERIVED
    if value.doubtful:
        yield Flag.DOUBTFUL
    if value.problems:
        yield Flag.INVALID
