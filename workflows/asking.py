"""What the model is asked about a text, and what its answer becomes: the same for items, tries and cases. No rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from integrations.llm.answers import Answer, Request
from integrations.llm.outcomes import Outcome
from integrations.llm.spans import value_spans
from integrations.llm.tokens import mean_logprob
from workflows.drafting.candidates import Candidate, find_candidates, written_on
from workflows.drafting.documents import PageText
from workflows.drafting.draft import Draft, make_draft
from workflows.drafting.prompt import build_messages
from workflows.drafting.schema import build_schema, check_shape
from workflows.versions import Snapshot


@dataclass(frozen=True, slots=True)
class Asked:
    request: Request
    version: Snapshot
    pages: Sequence[PageText]
    candidates: Mapping[str, Sequence[Candidate]]
    written: date | None


def ask_about(*, version: Snapshot, pages: Sequence[PageText], reference_date: date, note: str = "") -> Asked:
    """The request to make. Raises TooLong."""
    fields = version.fields
    candidates = find_candidates(fields=fields, pages=pages, reference_date=reference_date)
    messages = build_messages(
        instructions=version.instructions, examples=version.examples, fields=fields, pages=pages, note=note,
        reference_date=reference_date,
    )  # fmt: skip
    request = Request(
        messages=messages, schema=build_schema(fields=fields, candidates=candidates), schema_name="draft",
        validate=lambda values: check_shape(raw=values, fields=fields),
    )  # fmt: skip
    return Asked(
        request=request, version=version, pages=pages, candidates=candidates,
        written=written_on(pages=pages, reference_date=reference_date),
    )  # fmt: skip


def reference_date(*, sent: Sequence[str], came_in: date) -> date:
    """What "next Friday" counts from: the day the first mail was sent, else the day it came in."""
    for sent_at in sent:
        if sent_at:
            try:
                return datetime.fromisoformat(sent_at).date()
            except ValueError:
                continue
    return came_in


def draft_of(*, asked: Asked, answer: Answer) -> Draft | None:
    """None: the answer carries no values that may be used."""
    if answer.outcome is not Outcome.OK or answer.values is None:
        return None
    return make_draft(
        raw=answer.values, raw_text=answer.raw_text, fields=asked.version.fields, candidates=asked.candidates,
        pages=asked.pages, logprobs=logprobs_of(answer), written=asked.written,
    )  # fmt: skip


def logprobs_of(answer: Answer) -> Callable[[str], float | None]:
    spans = value_spans(answer.raw_text) if answer.tokens else {}

    def of_path(path: str) -> float | None:
        if path not in spans:
            return None
        start, end = spans[path]
        return mean_logprob(tokens=answer.tokens, start=start, end=end)

    return of_path
