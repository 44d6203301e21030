"""Prices: published ones at their own server, own ones before them, and sums that are exact."""

from __future__ import annotations

import socket
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from integrations.llm.answers import Call
from integrations.llm.outcomes import Outcome
from integrations.llm.prices import (
    Price,
    Rate,
    cost_of,
    cost_of_call,
    most_completion_tokens,
    most_prompt_tokens,
    own_price,
    price_of,
    worst_cost,
)
from integrations.llm.profiles import OPENAI_URL, Profile

MINI = own_price(prompt=Decimal("0.4"), completion=Decimal("1.6"), cached=Decimal("0.1"))
STEPS = Price(
    (Rate(0, Decimal(1), Decimal(10), Decimal(1)), Rate(200_000, Decimal(2), Decimal(15), Decimal(1)))
)


def test_a_published_price_is_found_without_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("prices are not fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    asked = price_of(model="gpt-4.1-mini", base_url=OPENAI_URL, overrides={}, on=date(2026, 11, 22))
    dated = price_of(
        model="gpt-4.1-mini-2025-04-14", base_url=OPENAI_URL, overrides={}, on=date(2026, 11, 22)
    )
    assert asked == dated == MINI
    assert price_of(model="no-such-model", base_url=OPENAI_URL, overrides={}) is None


def test_an_own_price_wins_and_is_not_converted() -> None:
    own = own_price(prompt=Decimal(1), completion=Decimal(2))
    told = {"model": "gpt-4.1-mini", "base_url": OPENAI_URL, "usd_rate": Decimal("0.9")}
    assert price_of(**told, overrides={"gpt-4.1-mini": own}) == own
    published = price_of(**told, overrides={"another": own}, on=date(2026, 11, 22))
    assert published is not None
    assert published.rates[0].prompt == Decimal("0.36")


@pytest.mark.parametrize(
    "base_url",
    ["http://127.0.0.1:8000/v1", "http://gpu:8000/v1", "http://gpu.internal/v1", "http://10.1.2.3/v1"],
)
def test_a_server_of_ones_own_has_no_published_price(base_url: str) -> None:
    assert price_of(model="gpt-4.1-mini", base_url=base_url, overrides={}) is None


def test_costs_are_exact_to_eight_places() -> None:
    one = cost_of(price=MINI, prompt_tokens=1, completion_tokens=0)
    assert one == Decimal("0.00000040")
    assert cost_of(price=MINI, prompt_tokens=1234, completion_tokens=567) == Decimal("0.0014008")
    kept = cost_of(price=MINI, prompt_tokens=1000, completion_tokens=0, cached_tokens=900)
    assert kept == Decimal("0.00013")
    assert str(sum([one] * 3, Decimal(0))) == "0.00000120"


def test_a_long_prompt_pays_the_dearer_step_for_all_of_it_and_the_worst_case_reckons_with_it() -> None:
    assert cost_of(price=STEPS, prompt_tokens=200_000, completion_tokens=0) == Decimal("0.2")
    assert cost_of(price=STEPS, prompt_tokens=200_001, completion_tokens=0) == Decimal("0.40000200")
    assert worst_cost(price=STEPS, prompt_tokens=300_000, completion_tokens=1) == Decimal("0.600015")


def test_the_bound_of_a_prompt_is_above_what_any_tokenizer_gives() -> None:
    messages = [{"role": "user", "content": "Größe 12 €"}]
    assert most_prompt_tokens(messages=messages, schema={}) > len("Größe 12 €".encode())


@pytest.mark.parametrize(
    ("parameters", "most"),
    [({}, 2048), ({"max_tokens": 100}, 100), ({"max_completion_tokens": 300}, 300), ({"max_tokens": None}, None),
     ({"max_tokens": 10, "extra_body": {"max_tokens": 500}}, 500)],
)  # fmt: skip
def test_the_greatest_length_of_an_answer_is_what_is_really_asked_for(
    parameters: Any, most: int | None
) -> None:
    assert most_completion_tokens(Profile(parameters=parameters)) == most


def call(outcome: Outcome, **more: Any) -> Call:
    return Call(outcome=outcome, profile="p", base_url="u", model="m", **more)


def test_only_what_was_charged_is_counted_and_what_is_not_known_at_its_most() -> None:
    worst = Decimal("0.5")
    costs = [
        cost_of_call(call=one, price=MINI, worst=worst)
        for one in (
            call(Outcome.OK, status=200, prompt_tokens=1000, completion_tokens=0),
            call(Outcome.RATE_LIMITED, status=429),
            call(Outcome.UNAVAILABLE, sent=False),
            call(Outcome.TIMEOUT),
            call(Outcome.OK, status=200),
        )
    ]
    assert costs == [Decimal("0.0004"), 0, 0, worst, worst]
    assert (
        cost_of_call(call=call(Outcome.OK, prompt_tokens=1, completion_tokens=1), price=None, worst=None)
        is None
    )
