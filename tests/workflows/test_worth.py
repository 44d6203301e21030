"""The so-what against figures worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from workflows.models import Brief
from workflows.samples import Sample, sample_of, t_975
from workflows.worth import Measured, SoWhat, rounded, so_what


def brief(**columns: Any) -> Brief:
    told = {
        "per_week_low": 100,
        "per_week_high": 120,
        "minutes_by_hand": Decimal(6),
        "hour_cost": Decimal(30),
    }
    return Brief(**(told | columns))


def told(one: Brief, *, person: Sample | None = None, cost: str | None = None) -> SoWhat:
    return so_what(
        brief=one, measured=Measured(person=person, cost=Decimal(cost) if cost else None), currency="EUR"
    )


def always(minutes: int, *, times: int = 5) -> Sample | None:
    return sample_of([Decimal(minutes)] * times)


def test_stated_minutes_without_decisions_are_the_most_that_there_is_to_save() -> None:
    found = told(brief(), person=always(2, times=4))
    # 100 x 52 x 6 / 60 = 520 hours, 120 x 52 x 6 / 60 = 624 hours; at 30 an hour.
    assert (found.hours.low, found.hours.high) == (520, 624)
    assert (found.money.low, found.money.high) == (15_600, 18_720)
    assert found.sentence == (
        "Worth at most 16,000 to 19,000 EUR a year, the work of 0.3 to 0.4 people: "
        "so much goes into 100 to 120 items a week at 6.0 minutes by hand."
    )
    assert not found.is_net
    assert "not measured yet (4 of 5 decisions), so nothing is taken off" in found.basis


def test_what_a_person_still_spends_and_what_the_model_costs_are_taken_off() -> None:
    found = told(brief(), person=always(2), cost="0.10")
    # 4 minutes saved: 100 x 52 x (4 / 60 x 30 - 0.10) = 9,880; 120 x 52 x 1.90 = 11,856.
    assert [round(end, 6) for end in (found.money.low, found.money.high)] == [9_880, 11_856]
    assert (round(found.hours.low, 6), round(found.hours.high, 6)) == (round(Decimal(5200 * 4) / 60, 6), 416)
    assert found.sentence == (
        "Saves 9,900 to 12,000 EUR a year, the work of 0.2 to 0.3 people, "
        "if 100 to 120 items a week take 2.0 minutes of a person instead of 6.0."
    )
    assert "The model’s cost, 520 to 620 EUR a year, is already taken off." in found.basis
    assert found.is_net


def test_timed_items_give_the_range_and_outweigh_what_is_stated() -> None:
    timed = [{"what": f"item {minutes}", "minutes": str(minutes)} for minutes in (4, 6, 8)]
    found = told(brief(timed=timed, minutes_by_hand=Decimal(99), per_week_high=None))
    # Mean 6, deviation 2, t(2) = 4.3027: 6 -+ 4.3027 x 2 / sqrt(3) = 1.0317 to 10.9683 minutes; 5,200 items at 0.50 a minute.
    assert [round(end) for end in (found.money.low, found.money.high)] == [2_682, 28_518]
    assert "From 3 timed items and 30 EUR an hour." in found.basis


def test_one_timed_item_is_not_a_sample() -> None:
    one = [{"what": "the first", "minutes": "3"}]
    assert told(brief(timed=one)).money == told(brief()).money
    alone = told(brief(timed=one, minutes_by_hand=None))
    assert alone.money.low == 100 * 52 * 3 // 60 * 30
    assert "From 1 timed item and" in alone.basis


def test_more_minutes_than_by_hand_are_told_as_a_loss() -> None:
    lost = told(brief(), person=always(7), cost="0.10")
    # Each item loses 1 / 60 x 30 + 0.10 = 0.60.
    assert [round(end, 6) for end in (lost.money.low, lost.money.high)] == [-3_744, -3_120]
    assert lost.sentence.startswith("Loses 3,100 to 3,700 EUR a year")
    either = told(brief(), person=sample_of([Decimal(minutes) for minutes in (2, 4, 6, 8, 8)]))
    assert either.money.low < 0 < either.money.high
    assert either.sentence.startswith("Between a loss of ")


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ({"per_week_low": None, "per_week_high": None}, "how often"),
        ({"minutes_by_hand": None}, "minutes by hand"),
        ({"hour_cost": None}, "cost of an hour"),
        (
            {"per_week_low": None, "per_week_high": None, "minutes_by_hand": None, "hour_cost": None},
            "how often, minutes by hand, cost of an hour",
        ),
    ],
)
def test_missing_figures_are_named_and_nothing_is_guessed(columns: dict[str, Any], missing: str) -> None:
    found = told(brief(**columns), person=always(2))
    assert found.sentence == f"Not enough said yet: {missing}."
    assert found.money is found.hours is found.people is None


def test_a_model_of_our_own_costs_nothing_and_an_unknown_price_is_said() -> None:
    assert "runs here and costs no money" in told(brief(), cost="0.0").basis
    assert "cost is not known yet, so it is not taken off" in told(brief()).basis


def test_an_interval_is_students() -> None:
    assert sample_of([]) is None
    assert sample_of([Decimal(3)]) == Sample(count=1, mean=Decimal(3), low=Decimal(3), high=Decimal(3))
    found = sample_of([Decimal(value) for value in (9, 10, 11)])
    assert (round(found.low, 3), round(found.high, 3)) == (Decimal("7.516"), Decimal("12.484"))
    assert sample_of([Decimal(0), Decimal(10)]).low == 0
    assert [t_975(freedom=degrees) for degrees in (1, 30, 31, 60, 1000)] == [
        Decimal(told) for told in ("12.7062", "2.0423", "2.0395", "2.0003", "1.9623")
    ]


def test_no_more_digits_than_count() -> None:
    assert [rounded(Decimal(value)) for value in ("0", "7.4", "64.9", "650", "12345", "-12345")] == [
        "0", "7", "65", "650", "12,000", "-12,000",
    ]  # fmt: skip


def test_no_items_at_the_low_end_are_a_low_end() -> None:
    found = told(brief(per_week_low=0, per_week_high=100))
    assert (found.money.low, found.money.high) == (0, 15_600)
    assert "0 to 100 items a week" in found.sentence
    assert told(brief(per_week_low=0, per_week_high=0)).missing == ("how often",)


def test_a_range_from_a_loss_to_a_gain_is_told_as_one_before_anything_is_measured() -> None:
    timed = [{"what": "a", "minutes": "1"}, {"what": "b", "minutes": "9"}]
    found = told(brief(timed=timed), cost="0.5")
    assert found.money.low < 0 < found.money.high
    assert found.sentence.startswith("Between a loss of 3,100 and a gain of at most ")
    assert "-" not in found.sentence


def test_nothing_is_not_told_as_a_loss() -> None:
    assert told(brief(hour_cost=Decimal(0)), cost="0").sentence.startswith("Worth nothing either way: 0 EUR")
    low = told(brief(per_week_low=0), person=always(7))
    assert low.sentence.startswith("Loses at most 3,100 EUR a year, and saves nothing")
