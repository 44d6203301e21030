"""So what? What a year of a workflow is worth, as a range, from its brief and from what was measured. Pure.

docs/metrics.md states the formula. Money is in the installation's currency, times are minutes unless they say hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from workflows.models import Brief
from workflows.samples import Sample, sample_of

WEEKS_OF_A_YEAR = 52
HOURS_OF_A_PERSON = 1650  # in a year, after holidays and the like
FEWEST_DECISIONS = 5  # before what a person still spends is called measured
FEWEST_TIMED = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """`person`: minutes that people spent on an item, from claim to decision. `cost`: of the model, on an item; None: not known."""

    person: Sample | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Range:
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class SoWhat:
    """`missing`: what has to be said first; then there are no figures. `steps`: how it was worked out, a line each.

    Without `is_net`, what a person still spends is not known, and the figures are the most that there is to save.
    """

    sentence: str
    basis: str = ""
    missing: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    money: Range | None = None
    hours: Range | None = None
    people: Range | None = None
    is_net: bool = False


def missing_of(*, brief: Brief) -> tuple[str, ...]:
    wanted = (
        ("how often", brief.per_week_low or brief.per_week_high),
        ("minutes by hand", brief.minutes_by_hand or timed_minutes(brief=brief)),
        ("cost of an hour", brief.hour_cost is not None),
    )
    return tuple(name for name, said in wanted if not said)


def timed_minutes(*, brief: Brief) -> list[Decimal]:
    return [Decimal(str(one["minutes"])) for one in brief.timed]


def minutes_by_hand(*, brief: Brief) -> Sample | None:
    """Timed samples count for more than what somebody states, from two of them on."""
    timed = sample_of(timed_minutes(brief=brief))
    if timed is not None and (timed.count >= FEWEST_TIMED or brief.minutes_by_hand is None):
        return timed
    if brief.minutes_by_hand is None:
        return None
    stated = brief.minutes_by_hand
    return Sample(count=0, mean=stated, low=stated, high=stated)


def per_week(*, brief: Brief) -> Range | None:
    ends = [Decimal(end) for end in (brief.per_week_low, brief.per_week_high) if end is not None]
    return Range(low=min(ends), high=max(ends)) if any(ends) else None  # nothing a week is nothing said


def so_what(*, brief: Brief, measured: Measured, currency: str) -> SoWhat:
    missing = missing_of(brief=brief)
    by_hand, items, hour = minutes_by_hand(brief=brief), per_week(brief=brief), brief.hour_cost
    if missing or by_hand is None or items is None or hour is None:
        return SoWhat(sentence=f"Not enough said yet: {', '.join(missing)}.", missing=missing)
    known = measured.person if measured.person and measured.person.count >= FEWEST_DECISIONS else None
    person = known or Sample(count=0, mean=Decimal(0), low=Decimal(0), high=Decimal(0))
    saved = Range(low=by_hand.low - person.high, high=by_hand.high - person.low)
    hours = _year(items=items, each=Range(low=saved.low / 60, high=saved.high / 60))
    cost = measured.cost or Decimal(0)
    money = _year(
        items=items, each=Range(low=saved.low / 60 * hour - cost, high=saved.high / 60 * hour - cost)
    )
    people = Range(low=hours.low / HOURS_OF_A_PERSON, high=hours.high / HOURS_OF_A_PERSON)
    return SoWhat(
        sentence=_sentence(
            money=money, people=people, items=items, by_hand=by_hand, person=known, currency=currency
        ),
        basis=_basis(by_hand=by_hand, measured=measured, is_net=known is not None, hour=hour, items=items, currency=currency),
        steps=_steps(
            by_hand=by_hand, person=known, items=items, hours=hours, hour=hour, cost=measured.cost, money=money,
            currency=currency,
        ),
        money=money, hours=hours, people=people, is_net=known is not None,
    )  # fmt: skip


def _year(*, items: Range, each: Range) -> Range:
    """What is lost on each item is lost most often where there are most of them, so both ends are tried."""
    return Range(
        low=min(count * WEEKS_OF_A_YEAR * each.low for count in (items.low, items.high)),
        high=max(count * WEEKS_OF_A_YEAR * each.high for count in (items.low, items.high)),
    )


# --- words


def _sentence(
    *, money: Range, people: Range, items: Range, by_hand: Sample, person: Sample | None, currency: str
) -> str:
    often = f"{_span(items, plain)} items a week"
    if not money.low and not money.high:
        return f"Worth nothing either way: 0 {currency} a year, at {often}."
    if person is None and money.low < 0 < money.high:
        return (
            f"Between a loss of {rounded(-money.low)} and a gain of at most {rounded(money.high)} {currency} a year: "
            f"{often} at {tenths(by_hand.mean)} minutes by hand, against what the model costs."
        )
    if person is None and money.high > 0:
        return (
            f"Worth at most {_span(money, rounded)} {currency} a year, the work of {_span(people, tenths)} people: "
            f"so much goes into {often} at {tenths(by_hand.mean)} minutes by hand."
        )
    spent = tenths(person.mean) if person else "0"
    instead = f"{often} take {spent} minutes of a person instead of {tenths(by_hand.mean)}"
    if money.high <= 0:
        lost = Range(low=-money.high, high=-money.low)
        if not lost.low:
            return f"Loses at most {rounded(lost.high)} {currency} a year, and saves nothing, if {instead}."
        return f"Loses {_span(lost, rounded)} {currency} a year, if {instead}."
    if money.low < 0:
        return f"Between a loss of {rounded(-money.low)} and a gain of {rounded(money.high)} {currency} a year, if {instead}."
    return f"Saves {_span(money, rounded)} {currency} a year, the work of {_span(people, tenths)} people, if {instead}."


def _basis(
    *, by_hand: Sample, measured: Measured, is_net: bool, hour: Decimal, items: Range, currency: str
) -> str:
    timed = (
        f"{by_hand.count} timed {'item' if by_hand.count == 1 else 'items'}"
        if by_hand.count
        else "stated minutes"
    )
    said = [f"From {timed} and {plain(hour)} {currency} an hour."]
    if is_net and measured.person:
        said[0] = f"From {timed}, {measured.person.count:,} decisions and {plain(hour)} {currency} an hour."
    else:
        so_far = measured.person.count if measured.person else 0
        said.append(
            f"What a person still spends on an item is not measured yet ({so_far} of {FEWEST_DECISIONS} decisions), "
            "so nothing is taken off for it."
        )
    if measured.cost is None:
        said.append("The model’s cost is not known yet, so it is not taken off.")
    elif measured.cost == 0:
        said.append("The model runs here and costs no money by the item.")
    else:
        cost = Range(
            low=items.low * WEEKS_OF_A_YEAR * measured.cost, high=items.high * WEEKS_OF_A_YEAR * measured.cost
        )
        said.append(f"The model’s cost, {_span(cost, rounded)} {currency} a year, is already taken off.")
    return " ".join(said)


def _steps(
    *, by_hand: Sample, person: Sample | None, items: Range, hours: Range, hour: Decimal, cost: Decimal | None, money: Range,
    currency: str,
) -> tuple[str, ...]:  # fmt: skip
    return (
        f"By hand: {_of_sample(by_hand)}.",
        f"With the draft: {_of_sample(person)}."
        if person
        else "With the draft: not measured yet; taken as 0 minutes.",
        f"Items: {_span(items, plain)} a week for {WEEKS_OF_A_YEAR} weeks.",
        f"Hours: items × (minutes by hand − minutes with the draft) ÷ 60 = {_span(hours, rounded)} a year. "
        f"One person works {HOURS_OF_A_PERSON:,} hours a year.",
        f"Money: hours × {plain(hour)} {currency}"
        + (f" − items × {_exact(cost)} {currency} for the model" if cost else "")
        + f" = {_span(money, rounded)} {currency} a year.",
        "The low end takes the fewest items and the least that each saves; the high end the most of both.",
    )


def _of_sample(sample: Sample) -> str:
    if not sample.count:
        return f"{tenths(sample.mean)} minutes an item, as stated"
    if sample.count == 1:
        return f"{tenths(sample.mean)} minutes, from one item"
    return (
        f"{tenths(sample.mean)} minutes an item, {tenths(sample.low)} to {tenths(sample.high)} at 95 % confidence, "
        f"from {sample.count:,}"
    )


def _span(found: Range, told: object) -> str:
    low, high = told(found.low), told(found.high)  # type: ignore[operator]
    return str(low) if low == high else f"{low} to {high}"


def rounded(value: Decimal) -> str:
    """To two digits that count: more would promise what a year does not keep."""
    if value == 0:
        return "0"
    unit = Decimal(10) ** max(0, value.adjusted() - 1)
    return f"{(value / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit:,.0f}"


def tenths(value: Decimal) -> str:
    told = f"{value.quantize(Decimal('0.1'), ROUND_HALF_UP):,}"
    return f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP)}" if told in ("0.0", "-0.0") and value else told


def plain(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def _exact(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.000001')).normalize():f}"
