"""What a call of a model costs: published prices, changed by an installation's own. Pure, and never from the network.

Published prices come with the package genai-prices, in US dollars for 1,000,000 tokens. Its data takes about a second and
100 MB to load, so it is loaded by the first question that needs it: never for a model that runs here, a server with a
private address or a model with a price of one's own.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from .answers import Call, Messages
from .profiles import Profile, parameters_of

MILLION = Decimal(1_000_000)
SMALLEST = Decimal("0.00000001")
# A chat template puts a few tokens of its own around each message; a repair repeats the answer with some words about it.
AROUND_A_MESSAGE, AROUND_A_REPAIR = 16, 600


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """For 1,000,000 tokens, in a request whose prompt has more than `above` tokens."""

    above: int
    prompt: Decimal
    completion: Decimal
    cached: Decimal  # of tokens of the prompt that the server had kept


@dataclass(frozen=True, slots=True)
class Price:
    """One rate, or several steps that hold for all tokens of a request once its prompt is long enough."""

    rates: tuple[Rate, ...]  # ascending; the first begins at 0

    def rate(self, *, prompt_tokens: int) -> Rate:
        return next((one for one in reversed(self.rates) if prompt_tokens > one.above), self.rates[0])


def own_price(*, prompt: Decimal, completion: Decimal, cached: Decimal | None = None) -> Price:
    return Price((Rate(0, prompt, completion, prompt if cached is None else cached),))


def price_of(
    *, model: str, base_url: str, overrides: Mapping[str, Price], usd_rate: Decimal = Decimal(1), on: date | None = None
) -> Price | None:  # fmt: skip
    """The installation's own price of the model, else the published one at this server; None when neither is known.

    `usd_rate`: units of the installation's currency for one dollar. Own prices are in that currency already. A server
    that is nobody's has no published price, whatever it calls its models.
    """
    if own := overrides.get(model):
        return own
    if not model or _is_private(base_url):
        return None
    published = _published(model, base_url, on or datetime.now(UTC).date())
    if published is None or usd_rate == 1:
        return published
    return Price(
        tuple(
            Rate(one.above, one.prompt * usd_rate, one.completion * usd_rate, one.cached * usd_rate)
            for one in published.rates
        )
    )


def cost_of(*, price: Price, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> Decimal:
    rate = price.rate(prompt_tokens=prompt_tokens)
    kept = min(cached_tokens, prompt_tokens)
    exact = rate.prompt * (prompt_tokens - kept) + rate.cached * kept + rate.completion * completion_tokens
    return (exact / MILLION).quantize(SMALLEST, ROUND_HALF_EVEN)


def cost_of_call(*, call: Call, price: Price | None, worst: Decimal | None) -> Decimal | None:
    """What was charged. Nothing where nothing was sent or the server refused; where it is not known (silence, a
    broken connection, an answer without counts), `worst`, the most that it can have been. None: no price is known."""
    if call.prompt_tokens is None or call.completion_tokens is None:
        return Decimal(0) if not call.sent or (call.status or 0) >= 400 else worst
    if price is None:
        return None
    return cost_of(
        price=price, prompt_tokens=call.prompt_tokens, completion_tokens=call.completion_tokens,
        cached_tokens=call.cached_tokens or 0,
    )  # fmt: skip


def worst_cost(*, price: Price, prompt_tokens: int, completion_tokens: int) -> Decimal:
    """The most that such a call can cost, whichever step its prompt ends on; rounded up."""
    steps = [one for one in price.rates if one.above < prompt_tokens] or [price.rates[0]]
    dearest = max(
        max(one.prompt, one.cached) * prompt_tokens + one.completion * completion_tokens for one in steps
    )
    return (dearest / MILLION).quantize(SMALLEST, ROUND_UP)


def most_prompt_tokens(*, messages: Messages, schema: Mapping[str, Any]) -> int:
    """An upper bound without the model's tokenizer: a token stands for one byte at least. The schema is counted too,
    since it is sent in words to a server that is not held to it."""
    told = sum(len(str(one.get("content", "")).encode()) + AROUND_A_MESSAGE for one in messages)
    return told + len(json.dumps(schema, ensure_ascii=False).encode()) + AROUND_A_MESSAGE


def most_completion_tokens(profile: Profile) -> int | None:
    """The greatest length of an answer that the profile asks for; None when it sets none."""
    parameters = parameters_of(profile)
    body = parameters.get("extra_body")
    asked = [
        place.get(name)
        for place in (parameters, body if isinstance(body, dict) else {})
        for name in ("max_tokens", "max_completion_tokens")
    ]
    return max((one for one in asked if isinstance(one, int) and one > 0), default=None)


def _is_private(base_url: str) -> bool:
    """A server of one's own: an address that is not of the public network, or a name without a domain."""
    host = urlsplit(base_url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".internal", ".local", ".localhost", ".lan"))


@lru_cache(maxsize=512)
def _published(model: str, base_url: str, on: date) -> Price | None:
    """Prices change on a date, so the day is part of the question."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(model, None, None, base_url)
    except LookupError:
        return None
    told = vars(found.get_prices(datetime(on.year, on.month, on.day, 12, tzinfo=UTC)))
    prompt, completion = told.get("input_mtok"), told.get("output_mtok")
    if prompt is None or completion is None or told.get("requests_kcount"):
        return None  # priced by something that is not counted here
    cached = told.get("cache_read_mtok") or prompt
    thinking = told.get("output_reasoning_mtok") or completion
    steps = sorted(
        {0, *(tier.start for one in (prompt, completion, cached) for tier in getattr(one, "tiers", ()))}
    )
    return Price(
        tuple(
            Rate(step, _at(prompt, step), max(_at(completion, step), _at(thinking, step)), _at(cached, step))
            for step in steps
        )
    )


def _at(price: Any, step: int) -> Decimal:
    """Of a price with tiers, the one for prompts just above `step`."""
    if not hasattr(price, "tiers"):
        return Decimal(price)
    return Decimal(next((tier.price for tier in reversed(price.tiers) if tier.start <= step), price.base))
