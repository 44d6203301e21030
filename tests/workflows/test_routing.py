"""Routing is pure: specs, a draft, rules and a bar in; a target and reasons out."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from workflows.drafting.fields import FieldSpec, Kind
from workflows.routing import Certificate, FieldReading, RuleSpec, matches, route

NAME = FieldSpec(key="full_name", label="Name", required=True)
TOTAL = FieldSpec(key="total", label="Total", kind=Kind.MONEY)
IBAN = FieldSpec(key="iban", label="IBAN", sensitive=True)
STEP = FieldSpec(
    key="step", label="Next step", kind=Kind.CHOICE, choices=({"key": "call_back", "label": "Call back"},)
)
FIELDS = (NAME, TOTAL, IBAN, STEP)
SURE = Certificate(threshold=0.9)


def read(
    value: Any = "Ada", signal: float | None = 0.95, evidence: str = "verbatim", **more: Any
) -> FieldReading:
    return FieldReading(value=value, signal=signal, evidence=evidence, **more)


def go(
    *,
    fields: Any = (NAME,),
    rules: Any = (),
    certificate: Certificate | None = SURE,
    question: str = "",
    **draft: FieldReading,
) -> Any:
    return route(
        fields=fields,
        draft=draft,
        rules=rules,
        review_bar=Decimal("0.90"),
        certificate=certificate,
        question=question,
    )


def texts(routed: Any) -> list[str]:
    return [reason.text for reason in routed.reasons]


def rule(field: str, operator: str, value: Any = None, action: Any = "review") -> RuleSpec:
    return RuleSpec(field=field, operator=operator, value=value, action=action, reason="rule: as written")


def test_without_a_certificate_nothing_is_accepted_by_itself() -> None:
    routed = go(full_name=read(signal=1.0), certificate=None)
    assert (routed.target, texts(routed)) == ("in_review", ["no certificate: everything is reviewed"])


def test_with_one_an_item_without_a_reason_is_accepted() -> None:
    assert go(full_name=read()).target == "approved"


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (read(signal=0.41), "name: signal 0.41, below 0.90"),
        (read(signal=0.8999), "name: signal 0.89, below 0.90"),
        (read(signal=None), "name: no signal"),
        (read(value=None), "name: nothing found"),
        (read(evidence="not_found"), "name: not found in the source"),
        (read(problems=("no amount found",)), "name: no amount found"),
        (read(question="two people are named"), "name: two people are named"),
    ],
)
def test_each_doubt_is_a_reason_that_names_the_field_and_the_next_step(
    reading: FieldReading, said: str
) -> None:
    routed = go(full_name=reading)
    assert routed.target == "in_review"
    assert said in texts(routed)
    assert routed.to_check == ("full_name",)
    assert all(reason.next_step for reason in routed.reasons)


def test_the_weakest_required_field_decides_and_one_without_a_figure_is_below_any_bar() -> None:
    other = FieldSpec(key="other", label="Other", required=True)
    routed = go(fields=(NAME, other), full_name=read(signal=0.97), other=read(signal=None))
    assert (routed.signal, routed.signal_of) == (0.0, "other")


def test_a_sensitive_field_is_reviewed_whatever_its_signal_and_not_when_it_is_empty() -> None:
    assert texts(go(fields=(NAME, IBAN), full_name=read(), iban=read("GB00", 1.0))) == [
        "IBAN: sensitive, always reviewed"
    ]
    assert go(fields=(NAME, IBAN), full_name=read(), iban=read(None, None, "absent")).target == "approved"


def test_a_question_for_a_person_is_a_reason() -> None:
    assert texts(go(full_name=read(), question="Which of the two orders?")) == [
        "unclear: Which of the two orders?"
    ]


def test_a_choice_is_shown_by_its_label_never_by_its_key() -> None:
    routed = go(
        fields=(NAME, STEP),
        rules=[rule("step", "equals", "call_back")],
        full_name=read(),
        step=read("call_back"),
    )
    [reason] = routed.reasons
    assert (reason.value, reason.bar) == ("Call back", "Call back")


def test_a_rule_escalates_and_no_rule_accepts() -> None:
    routed = go(fields=(NAME, TOTAL), rules=[rule("total", "above", "100", "escalate")], full_name=read(),
                total=read({"amount": "100.01", "currency": "EUR"}))  # fmt: skip
    assert routed.target == "escalated"


@pytest.mark.parametrize(
    ("operator", "value", "against", "fires"),
    [
        ("equals", "Ada", "ada ", True), ("equals", "Ada", "Bea", False), ("differs", "Ada", "Bea", True),
        ("is_empty", None, None, True), ("is_empty", "Ada", None, False), ("is_set", "Ada", None, True),
        ("contains", "Ada Obi", "obi", True), ("one_of", "Ada", ["ada", "bea"], True), ("matches", "PO-17", r"^po-\d+$", True),
        ("above", "12", "9", True), ("below", "12", "9", False), ("above", "many", "9", True), ("equals", None, "Ada", False),
    ],
)  # fmt: skip
def test_each_operator_as_its_words_say(operator: str, value: Any, against: Any, fires: bool) -> None:
    assert (
        matches(rule=rule("full_name", operator, against), fields=FIELDS, values={"full_name": value})
        is fires
    )


def test_a_rule_about_a_field_that_is_not_there_lets_a_person_decide() -> None:
    assert matches(rule=rule("gone", "equals", "x"), fields=FIELDS, values={})


def test_a_pattern_that_never_ends_ends_and_lets_a_person_decide() -> None:
    began = time.monotonic()
    assert matches(
        rule=rule("full_name", "matches", r"(a+)+$"), fields=FIELDS, values={"full_name": "a" * 4000 + "!"}
    )
    assert matches(rule=rule("full_name", "matches", "(unclosed"), fields=FIELDS, values={"full_name": "Ada"})
    assert time.monotonic() - began < 5
