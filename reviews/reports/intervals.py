"""How sure a figure is: intervals at 95 %."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

Z = 1.959963985  # of the normal distribution
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`, with Wilson's interval: it stays between 0 and 1, and is honest for small numbers."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        if not self.whole:
            return None
        n, p = self.whole, self.part / self.whole
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def told(self) -> str:
        """Never rounded to all or to nothing."""
        if not self.whole:
            return "–"
        percent = 100 * self.part / self.whole
        if 0 < percent < 0.5:
            return "under 1 %"
        if 99.5 <= percent < 100:
            return "over 99 %"
        return f"{round(percent)} %"

    def told_range(self) -> str:
        if (interval := self.interval) is None:
            return "–"
        low, high = interval
        return f"{100 * low:.1f} to {100 * high:.1f} %"

    def told_interval(self) -> str:
        return f"{self.told_range()}, n = {self.whole:,}"


@dataclass(frozen=True, slots=True)
class Sample:
    """A mean of n measured values, from their sum and the sum of their squares."""

    n: int
    total: float
    squares: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Sample:
        return cls(n=len(values), total=sum(values), squares=sum(value * value for value in values))

    @property
    def mean(self) -> float:
        return self.total / self.n

    @property
    def variance(self) -> float | None:
        """Of one value; None where a single one says nothing about it."""
        if self.n < 2:
            return None
        return max(0.0, (self.squares - self.total * self.total / self.n) / (self.n - 1))


@dataclass(frozen=True, slots=True)
class Spread:
    """A part of a sum's variance, and the degrees of freedom it was estimated with."""

    variance: float
    freedom: int


def half_width(spreads: Sequence[Spread]) -> float:
    """Of the interval of a sum of independent estimates (Welch and Satterthwaite; for two means it is Welch's own)."""
    whole = sum(one.variance for one in spreads)
    if not whole:
        return 0.0
    freedom = whole * whole / sum(one.variance**2 / one.freedom for one in spreads if one.variance)
    return student(freedom=freedom) * math.sqrt(whole)


@lru_cache(maxsize=256)
def student(*, freedom: float) -> float:
    """Between minus and plus this lie 95 % of Student's t with so many degrees of freedom. Exact to six places."""
    low, high = 0.0, 1000.0
    for _ in range(80):
        middle = (low + high) / 2
        if _outside(t=middle, freedom=freedom) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _outside(*, t: float, freedom: float) -> float:
    """How likely a value farther from 0 than t is."""
    x = freedom / (freedom + t * t)
    return _incomplete_beta(a=freedom / 2, b=0.5, x=x)


def _incomplete_beta(*, a: float, b: float, x: float) -> float:
    """Regularised; by its continued fraction (Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _fraction(a=b, b=a, x=1 - x) / b
    return front * _fraction(a=a, b=b, x=x) / a


def _fraction(*, a: float, b: float, x: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 / max(tiny, 1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 300):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / ((1 + step * d) or tiny)
            c = (1 + step / c) or tiny
            value *= d * c
        if abs(d * c - 1) < 1e-12:
            break
    return value
