"""The money of one piece of work with the model: asked for before each of its calls, settled once all have ended.

A worker that dies in between leaves its reservations open; `money.settle_lost` counts them in full.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.conf import settings
from django.db import transaction

from integrations.llm.answers import Call, Request
from integrations.llm.prices import (
    AROUND_A_REPAIR,
    Price,
    cost_of_call,
    most_completion_tokens,
    most_prompt_tokens,
    price_of,
    worst_cost,
)
from integrations.llm.profiles import Profile
from workflows import money
from workflows.models import Reservation

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Begun:
    """One call that was begun. `worst` is None where no price is known, or none is needed."""

    model: str
    base_url: str
    price: Price | None
    worst: Decimal | None
    reservation: Reservation | None


class _NotPaid(Exception):
    pass


@dataclass(kw_only=True, eq=False)
class Meter:
    """`local_url` is the model that runs here. `refusal` says why the last call was not made, when money is why."""

    workflow: int
    item: int | None
    request: Request
    own: Mapping[str, Price]
    budgeted: bool
    local_url: str = ""
    begun: list[Begun] = field(default_factory=list)
    refusal: money.Refusal | None = None

    def begin(self, *, profile: Profile, count: Callable[[], bool]) -> bool:
        """Count a call and set its money aside in one transaction, before it is made. False: it must not be made, and
        neither was done. `count` says whether another call is allowed, and counts it."""
        self.refusal = None
        is_local = bool(self.local_url) and profile.base_url == self.local_url
        price = None if is_local else self._price(model=profile.model, base_url=profile.base_url)
        worst = self._worst(profile=profile, price=price)
        reservation = None
        if self.budgeted and not is_local and worst != ZERO:
            try:
                with transaction.atomic():
                    if not count():
                        return False
                    reservation = self._reserve(profile=profile, price=price, worst=worst)
            except _NotPaid:
                return False
        elif not count():
            return False
        self.begun.append(Begun(profile.model, profile.base_url, price, worst, reservation))
        return True

    def finish(self, *, calls: Sequence[Call]) -> Decimal | None:
        """Settle what was begun, in the transaction of whoever records what came of it. Returns what it all cost; None
        where the price of a call is not known. `calls` that ended stand in the order in which they were begun."""
        costs = [
            self._cost(begun=begun, call=calls[place] if place < len(calls) else None)
            for place, begun in enumerate(self.begun)
        ]
        settled = [
            (begun.reservation, begun.reservation.amount if cost is None else cost)
            for begun, cost in zip(self.begun, costs, strict=True)
            if begun.reservation is not None
        ]
        if settled:
            money.settle(settled=settled)
        money.add(
            workflow=self.workflow,
            item=self.item,
            amount=sum(
                (
                    cost or ZERO
                    for begun, cost in zip(self.begun, costs, strict=True)
                    if not begun.reservation
                ),
                ZERO,
            ),
        )
        return None if None in costs else sum((cost or ZERO for cost in costs), ZERO)

    def _cost(self, *, begun: Begun, call: Call | None) -> Decimal | None:
        if self.local_url and begun.base_url == self.local_url:
            return ZERO
        if call is None:
            return begun.worst
        return cost_of_call(call=call, price=self._price_of(begun=begun, call=call), worst=begun.worst)

    def _price_of(self, *, begun: Begun, call: Call) -> Price | None:
        """Of the model that really answered, since servers name a dated form of what was asked for; but an own price
        wins over a published one, whichever of the two names it stands for."""
        if call.model in ("", begun.model) or (begun.model in self.own and call.model not in self.own):
            return begun.price
        return self._price(model=call.model, base_url=begun.base_url) or begun.price

    def _price(self, *, model: str, base_url: str) -> Price | None:
        return price_of(model=model, base_url=base_url, overrides=self.own, usd_rate=settings.USD_RATE)

    def _worst(self, *, profile: Profile, price: Price | None) -> Decimal | None:
        most = most_completion_tokens(profile)
        if price is None or most is None:
            return None
        prompt = self._prompt_tokens
        if any((one.model, one.base_url) == (profile.model, profile.base_url) for one in self.begun):
            prompt += most + AROUND_A_REPAIR  # it may be asked to repair what it said
        return worst_cost(price=price, prompt_tokens=prompt, completion_tokens=most)

    @cached_property
    def _prompt_tokens(self) -> int:
        return most_prompt_tokens(messages=self.request.messages, schema=self.request.schema)

    def _reserve(self, *, profile: Profile, price: Price | None, worst: Decimal | None) -> Reservation | None:
        if worst is None:
            self.refusal = _unpriced(profile=profile) if price is None else _unbounded(profile=profile)
            raise _NotPaid
        reserved = money.reserve(workflow=self.workflow, item=self.item, amount=worst)
        if isinstance(reserved, money.Refusal):
            self.refusal = reserved
            raise _NotPaid
        return reserved


def _unpriced(*, profile: Profile) -> money.Refusal:
    return money.Refusal(
        span="",
        why=f"This workflow has a budget, and no price is known of the model “{profile.model}”, so what a call costs cannot be counted.",
        to_do=f"Enter the price of “{profile.model}” under “Prices of models” (0 where its calls cost nothing), or choose a model with a known price.",
    )  # fmt: skip


def _unbounded(*, profile: Profile) -> money.Refusal:
    return money.Refusal(
        span="",
        why=f"This workflow has a budget, and the model profile “{profile.name}” sets no greatest length of an answer, so what a call can cost has no limit.",
        to_do="Set the greatest length of an answer in the model profile.",
    )  # fmt: skip
