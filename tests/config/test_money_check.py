from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.checks import run_checks

pytestmark = pytest.mark.django_db


def ids() -> list[str]:
    return [one.id for one in run_checks() if one.id in ("countersign.E010", "countersign.E011")]


@pytest.mark.parametrize(
    ("currency", "rate", "is_said", "expected"),
    [
        ("USD", "1", False, []), ("EUR", "0.9", True, []), ("EUR", "1", True, []), ("EUR", "1", False, ["countersign.E011"]),
        ("USD", "0", True, ["countersign.E010"]), ("EUR", "-1", True, ["countersign.E010"]), ("EUR", "NaN", True, ["countersign.E010"]),
    ],
)  # fmt: skip
def test_the_rate_is_positive_and_said_where_amounts_are_not_in_dollars(
    settings: Any, currency: str, rate: str, is_said: bool, expected: list[str]
) -> None:
    settings.CURRENCY, settings.USD_RATE, settings.USD_RATE_IS_SAID = currency, Decimal(rate), is_said
    assert ids() == expected
