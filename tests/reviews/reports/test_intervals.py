"""Against values from printed tables and from the formulas, worked out by hand."""

from __future__ import annotations

import pytest

from reviews.reports.intervals import Sample, Share, Spread, half_width, student


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (2, 4.3027), (4, 2.7764), (10, 2.2281), (30, 2.0423), (1000, 1.9623)],
)
def test_students_t_is_that_of_the_tables(freedom: int, quantile: float) -> None:
    assert student(freedom=freedom) == pytest.approx(quantile, abs=0.0001)


def test_wilsons_interval_is_honest_for_small_numbers() -> None:
    # 8 of 10: middle (0.8 + 3.8415/20) / (1 + 3.8415/10) = 0.71674, half 0.22658.
    low, high = Share(8, 10).interval or (0, 0)
    assert (low, high) == (pytest.approx(0.4902, abs=0.0001), pytest.approx(0.9433, abs=0.0001))
    # All of 4 is no certainty: from 4 / (4 + 3.8415).
    assert Share(4, 4).interval == (pytest.approx(0.5101, abs=0.0001), 1.0)
    assert Share(0, 4).interval == (0.0, pytest.approx(0.4899, abs=0.0001))


def test_a_share_of_nothing_is_no_figure() -> None:
    nothing = Share(0, 0)
    assert (nothing.value, nothing.interval, nothing.told(), nothing.told_range()) == (None, None, "–", "–")


def test_a_sample_is_known_by_its_sums() -> None:
    sample = Sample.of([8, 10, 12])
    assert (sample.mean, sample.variance) == (10, pytest.approx(4))
    assert Sample.of([8]).variance is None


def test_the_interval_of_two_means_is_welchs() -> None:
    # Variances of the means 4/3 and 1/4 with 2 and 3 degrees: freedom = 1.58333² / (1.33333²/2 + 0.25²/3) = 2.7554,
    # t = 3.3533, half = 3.3533 * sqrt(1.58333).
    half = half_width([Spread(variance=4 / 3, freedom=2), Spread(variance=1 / 4, freedom=3)])
    assert half == pytest.approx(student(freedom=2.75541) * 1.58333**0.5, abs=0.001)
    assert half_width([]) == 0.0
