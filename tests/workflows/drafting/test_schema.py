from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from tests.workflows.drafting.material import LEAD, LINES, MAIL, TOPIC, page, spec
from workflows.drafting.candidates import find_candidates
from workflows.drafting.schema import build_model, build_schema, check_shape

CANDIDATES = find_candidates(fields=LEAD, pages=[page(MAIL)], reference_date=None)


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from parts(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from parts(part)


def test_every_object_requires_all_and_allows_no_more() -> None:
    schema = build_schema(fields=[*LEAD, LINES], candidates=CANDIDATES, quotes=True, unclear=True)
    objects = [part for part in parts(schema) if part.get("type") == "object"]
    assert len(objects) == 2
    assert all(
        part["required"] == list(part["properties"]) and part["additionalProperties"] is False
        for part in objects
    )


def test_no_string_and_no_list_is_without_a_bound() -> None:
    schema = build_schema(
        fields=[*LEAD, LINES, spec("story", "long_text")], candidates=CANDIDATES, unclear=True
    )
    for part in parts(schema):
        if part.get("type") == "string":
            assert {"maxLength", "enum", "pattern"} & set(part)
        if part.get("type") == "array":
            assert part["maxItems"] > 0


def test_found_texts_are_choices_with_null_and_a_way_out() -> None:
    options = build_schema(fields=LEAD, candidates=CANDIDATES)["properties"]["order_number"]["anyOf"]
    assert options[0]["enum"] == ["PO-2026-1187", "INV-00233"]
    assert options[1] == {"type": "null"}
    assert re.search(options[2]["pattern"], "other: 77-A")
    assert not re.search(options[2]["pattern"], "77-A")
    assert not re.search(options[2]["pattern"], "other: " + "9" * 500)


def test_extraction_comes_before_classification() -> None:
    assert list(build_schema(fields=LEAD, candidates=CANDIDATES)["properties"])[-1] == "topic"


def test_a_quote_is_asked_for_only_before_a_choice_that_needs_evidence() -> None:
    unproven = spec("tone", "choice", choices=[{"key": "warm", "label": "Warm"}], needs_evidence=False)
    properties = build_schema(fields=[TOPIC, unproven], candidates={}, quotes=True)["properties"]
    assert list(properties) == ["topic-quote", "topic", "tone"]


def test_the_shape_of_an_answer_is_checked_in_words() -> None:
    assert check_shape(raw=[], fields=LEAD) == "The answer is not a JSON object."
    assert "email" in (check_shape(raw={"topic": "quote"}, fields=[TOPIC, spec("email", "email")]) or "")
    assert check_shape(raw={"lines": [1]}, fields=[LINES]) == "lines must be a list of objects."
    assert check_shape(raw={"lines": [], "topic": None}, fields=[LINES, TOPIC]) is None


def test_the_model_of_values_holds_kinds_bounds_and_what_is_required() -> None:
    fields = [TOPIC, spec("budget", "money"), spec("pieces", "integer", minimum=1), LINES]
    model = build_model(fields=fields)
    good = {
        "topic": "quote",
        "budget": {"amount": "12.50", "currency": "EUR"},
        "pieces": 3,
        "lines": [{"what": "Oak"}],
    }
    assert model.model_validate(good).model_dump(mode="json")["budget"] == {
        "amount": "12.50",
        "currency": "EUR",
    }
    wrongs: list[dict[str, Any]] = [
        {"topic": None},
        {"topic": "lunch"},
        {"pieces": 0},
        {"budget": {"amount": "x", "currency": "EUR"}},
        {"lines": [{}]},
    ]
    for wrong in wrongs:
        with pytest.raises(ValidationError):
            model.model_validate(good | wrong)


def test_a_kind_that_was_not_found_may_still_be_written_out() -> None:
    fields = [spec("phone", "phone"), spec("company")]
    properties = build_schema(fields=fields, candidates={"phone": ()})["properties"]
    assert properties["phone"]["anyOf"][0] == {"type": "null"}
    assert "pattern" in properties["phone"]["anyOf"][1]
    assert "maxLength" in properties["company"]["anyOf"][0]
