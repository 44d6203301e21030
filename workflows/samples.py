"""A mean with its 95 % interval, from a handful of measurements. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

# Student's t at 97.5 %, for 1 to 30 degrees of freedom: with few samples the normal curve promises too much.
T_975 = [
    "12.7062",
    "4.3027",
    "3.1824",
    "2.7764",
    "2.5706",
    "2.4469",
    "2.3646",
    "2.3060",
    "2.2622",
    "2.2281",
    "2.2010",
    "2.1788",
    "2.1604",
    "2.1448",
    "2.1314",
    "2.1199",
    "2.1098",
    "2.1009",
    "2.0930",
    "2.0860",
    "2.0796",
    "2.0739",
    "2.0687",
    "2.0639",
    "2.0595",
    "2.0555",
    "2.0518",
    "2.0484",
    "2.0452",
    "2.0423",
]


@dataclass(frozen=True, slots=True)
class Sample:
    """`low` and `high` are the ends of the interval; with one measurement there is none, and they are the mean."""

    count: int
    mean: Decimal
    low: Decimal
    high: Decimal


def sample_of(values: Iterable[Decimal]) -> Sample | None:
    """None without a value. What is measured here cannot be negative, so `low` is not either."""
    found = list(values)
    if not found:
        return None
    mean = sum(found, Decimal(0)) / len(found)
    if len(found) == 1:
        return Sample(count=1, mean=mean, low=mean, high=mean)
    squares = sum(((value - mean) ** 2 for value in found), Decimal(0))
    deviation = (squares / (len(found) - 1)).sqrt()
    half = t_975(freedom=len(found) - 1) * deviation / Decimal(len(found)).sqrt()
    return Sample(count=len(found), mean=mean, low=max(Decimal(0), mean - half), high=mean + half)


def t_975(*, freedom: int) -> Decimal:
    """Beyond the table a series in 1/freedom, right to four places."""
    if freedom <= len(T_975):
        return Decimal(T_975[freedom - 1])
    z = NormalDist().inv_cdf(0.975)
    told = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    told += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return Decimal(str(round(told, 4)))
