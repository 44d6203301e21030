from __future__ import annotations

from typing import Any

import pytest

from tests.workflows.drafting.material import LINES, TOPIC, spec
from workflows.drafting.compare import same_value
from workflows.drafting.fields import FieldSpec

TEXT, MONEY, PHONE = spec("name"), spec("total", "money"), spec("phone", "phone")


@pytest.mark.parametrize(
    ("one", "drafted", "gold"),
    [
        (TEXT, "okafor  joinery ltd.", "Okafor Joinery Ltd"),
        (TEXT, "Müller & Söhne", "Muller Sohne"),
        (TEXT, "", None),
        (MONEY, {"amount": "12.5", "currency": "EUR"}, {"amount": "12.50", "currency": "EUR"}),
        (spec("n", "decimal"), "1.50", 1.5),
        (spec("on", "date"), "2026-11-20", "2026-11-20"),
        (spec("link", "url"), "https://Firm.example/", "https://firm.example"),
        (
            spec("tags", "choices", choices=[{"key": "a", "label": "A"}, {"key": "b", "label": "B"}]),
            ["b", "a"],
            ["a", "b"],
        ),
        (
            spec("story", "long_text"),
            "They want forty oak panels by Friday",
            "forty oak panels wanted by Friday",
        ),
        (LINES, [{"what": "oak", "amount": None}], [{"what": "Oak", "amount": None}]),
        (LINES, [], None),
    ],
)
def test_a_person_would_call_these_the_same(one: FieldSpec, drafted: Any, gold: Any) -> None:
    assert same_value(spec=one, drafted=drafted, gold=gold)


@pytest.mark.parametrize(
    ("one", "drafted", "gold"),
    [
        (TEXT, None, "Ines"),
        (TEXT, "Ines", None),
        (TEXT, "Ines Okafor", "Ines"),
        (MONEY, {"amount": "12.50", "currency": "USD"}, {"amount": "12.50", "currency": "EUR"}),
        (MONEY, {"amount": "12.05", "currency": "EUR"}, {"amount": "12.50", "currency": "EUR"}),
        (PHONE, "+441632960961", "+441632960962"),
        (TOPIC, "support", "quote"),
        (spec("sure", "yes_no"), None, False),
        (spec("sure", "yes_no"), "false", False),
        (spec("story", "long_text"), "A refund is due", "forty oak panels wanted by Friday"),
        (LINES, [{"what": "Oak"}, {"what": "Pine"}], [{"what": "Pine"}, {"what": "Oak"}]),
        (LINES, [{"what": "Oak"}], [{"what": "Oak"}, {"what": "Pine"}]),
    ],
)
def test_a_person_would_call_these_different(one: FieldSpec, drafted: Any, gold: Any) -> None:
    assert not same_value(spec=one, drafted=drafted, gold=gold)
