from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.drafting.material import TOPIC, spec
from workflows.drafting.evidence import Evidence, Status
from workflows.drafting.signal import compute_signal, weakest
from workflows.drafting.values import FieldValue

TEXT = spec("name", required=True)
VERBATIM = Evidence(Status.VERBATIM)
GIVEN = FieldValue(value="Ines", as_written="Ines")


def test_a_verbatim_value_of_a_sure_model_has_the_full_signal() -> None:
    assert compute_signal(spec=TEXT, field_value=GIVEN, evidence=VERBATIM, mean_logprob=0.0) == 1.0


def test_each_weakness_lowers_the_signal() -> None:
    full = compute_signal(spec=TEXT, field_value=GIVEN, evidence=VERBATIM, mean_logprob=0.0) or 0
    weaker = [
        compute_signal(spec=TEXT, field_value=GIVEN, evidence=Evidence(Status.NORMALISED), mean_logprob=0.0),
        compute_signal(spec=TEXT, field_value=GIVEN, evidence=Evidence(Status.NOT_FOUND), mean_logprob=0.0),
        compute_signal(spec=TEXT, field_value=GIVEN, evidence=VERBATIM, mean_logprob=-0.7),
        compute_signal(spec=TEXT, field_value=GIVEN, evidence=VERBATIM, mean_logprob=None),
        compute_signal(spec=TEXT, field_value=GIVEN, evidence=VERBATIM, mean_logprob=0.0, agreement=0.5),
        compute_signal(
            spec=TEXT, field_value=FieldValue("x", "x", ("wrong",)), evidence=VERBATIM, mean_logprob=0.0
        ),
        compute_signal(
            spec=TEXT, field_value=FieldValue("x", "x", derived=True), evidence=VERBATIM, mean_logprob=0.0
        ),
        compute_signal(
            spec=TEXT, field_value=FieldValue("x", "x", doubtful=True), evidence=VERBATIM, mean_logprob=0.0
        ),
        compute_signal(
            spec=TEXT, field_value=FieldValue(None), evidence=Evidence(Status.ABSENT), mean_logprob=0.0
        ),
    ]
    assert all(signal is not None and signal < full for signal in weaker)


def test_there_is_no_signal_when_nobody_says_anything() -> None:
    absent = Evidence(Status.ABSENT)
    assert (
        compute_signal(spec=TOPIC, field_value=FieldValue("quote"), evidence=absent, mean_logprob=None)
        is None
    )
    assert (
        compute_signal(spec=TOPIC, field_value=FieldValue("quote"), evidence=absent, mean_logprob=-0.1)
        is not None
    )


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_counts_as_not_given(broken: float) -> None:
    absent = Evidence(Status.ABSENT)
    assert (
        compute_signal(spec=TOPIC, field_value=FieldValue("quote"), evidence=absent, mean_logprob=broken)
        is None
    )


@given(st.floats(), st.none() | st.floats(), st.sampled_from(Status), st.booleans())
def test_the_signal_stays_between_0_and_1(
    logprob: float, agreement: float | None, status: Status, wrong: bool
) -> None:
    value = FieldValue("x", "x", ("wrong",) if wrong else ())
    signal = compute_signal(
        spec=TEXT, field_value=value, evidence=Evidence(status), mean_logprob=logprob, agreement=agreement
    )
    assert signal is None or 0 <= signal <= 1


def test_a_missing_signal_is_the_weakest() -> None:
    assert weakest([0.9, 0.4, 0.7]) == 0.4
    assert weakest([0.9, None]) is None
    assert weakest([]) is None
