from __future__ import annotations

import json
import math
from typing import Any

from tests.workflows.drafting.material import LEAD, LINES, MAIL, page, spec
from workflows.drafting.candidates import find_candidates
from workflows.drafting.draft import Draft, Flag, make_draft
from workflows.drafting.evidence import Status
from workflows.drafting.fields import FieldSpec

ANSWER = {
    "topic": "quote",
    "contact_name": "Ines Okafor",
    "company": "Oak & Sons",
    "email": "ines@okafor-joinery.example",
    "phone": None,
    "order_number": "PO-2026-1187",
    "wanted_by": "next Friday",
    "budget": "£4,200",
    "unclear-question": "Which date is meant?",
}


def draft(
    raw: dict[str, Any],
    *,
    text: str = MAIL,
    fields: list[FieldSpec] = LEAD,
    logprobs: Any = lambda path: -0.05,
) -> Draft:
    pages = [page(text)]
    candidates = find_candidates(fields=fields, pages=pages, reference_date=None)
    return make_draft(
        raw=raw,
        raw_text=json.dumps(raw),
        fields=fields,
        candidates=candidates,
        pages=pages,
        logprobs=logprobs,
    )


def test_a_draft_carries_value_evidence_signal_and_what_is_odd() -> None:
    made = draft(ANSWER)
    assert made.values["budget"] == {"amount": "4200.00", "currency": "GBP"}
    assert made.fields["order_number"].evidence.quote == "PO-2026-1187"
    assert made.fields["company"].flags == (Flag.NOT_FOUND,)
    assert made.fields["wanted_by"].flags == (Flag.DERIVED, Flag.DOUBTFUL)
    assert made.unclear == "Which date is meant?"
    assert made.fields["contact_name"].signal == round(math.exp(-0.05), 4)


def test_a_required_field_without_value_is_flagged_and_weak() -> None:
    made = draft(ANSWER | {"contact_name": None})
    assert made.fields["contact_name"].flags == (Flag.MISSING,)
    assert (made.fields["contact_name"].signal or 0) < 0.3


def test_the_weakest_required_field_decides_for_the_item() -> None:
    strengths = {"contact_name": -0.01, "email": -0.9, "topic": -0.02, "company": -3.0}
    made = draft(ANSWER, logprobs=lambda path: strengths.get(path, -0.01))
    assert made.signal(required=LEAD) == made.fields["email"].signal


def test_a_list_is_as_strong_as_its_weakest_cell() -> None:
    raw = {
        "lines": [
            {"what": None, "amount": None},
            {"what": "Oak", "amount": "€12.00"},
            {"what": "Pine", "amount": "€9.00"},
        ]
    }
    strengths = {
        "lines[1].what": -0.01,
        "lines[1].amount": -0.01,
        "lines[2].what": -0.02,
        "lines[2].amount": -1.0,
    }
    made = draft(raw, text="Oak €12.00\nPine €9.00", fields=[LINES], logprobs=strengths.get).fields["lines"]
    assert [cell.key for cell in made.cells] == [
        "lines[0].what",
        "lines[0].amount",
        "lines[1].what",
        "lines[1].amount",
    ]
    assert made.signal == made.cells[3].signal == round(math.exp(-1.0), 4)


def test_a_summary_in_the_models_own_words_owes_no_evidence() -> None:
    summary = spec("summary", "long_text", needs_evidence=False)
    made = draft({"summary": "They want panels."}, fields=[summary])
    assert made.fields["summary"].evidence.status is Status.ABSENT
    assert made.fields["summary"].flags == ()


def test_a_draft_is_plain_json() -> None:
    made = draft(ANSWER | {"lines": [{"what": "Oak", "amount": "£4,200"}]}, fields=[*LEAD, LINES])
    again = json.loads(json.dumps(made.as_json()))
    assert again["fields"]["lines"]["cells"][1]["value"] == {"amount": "4200.00", "currency": "GBP"}
    assert again["fields"]["email"]["evidence"]["status"] == "verbatim"


def test_flags_are_words_for_a_person() -> None:
    assert all("_" not in flag.value for flag in Flag)


def test_every_answer_becomes_a_draft_even_an_empty_one() -> None:
    made = draft({}, fields=[*LEAD, LINES], logprobs=lambda path: None)
    assert made.values["lines"] == []
    assert (made.signal(required=LEAD) or 0) < 0.2
    assert made.fields["company"].signal is None
