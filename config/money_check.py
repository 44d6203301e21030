"""Is money counted in what it says? A rate that nobody gave would take dollars for another currency, and one of 0 takes nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_usd_rate(app_configs: Any, **_: Any) -> list[CheckMessage]:
    rate = settings.USD_RATE
    if not rate.is_finite() or rate <= 0:
        return [
            Error(
                f"COUNTERSIGN_USD_RATE is {rate}, so published prices of models would come to nothing.",
                hint=f"Set it to the units of {settings.CURRENCY} for one dollar, more than 0.", id="countersign.E010",
            )
        ]  # fmt: skip
    if settings.CURRENCY != "USD" and not settings.USD_RATE_IS_SAID:
        return [
            Error(
                f"Amounts are in {settings.CURRENCY}, and nobody said how many of it one dollar is, so published prices of "
                "models would be taken for it as they are.",
                hint="Set COUNTERSIGN_USD_RATE to the units of it for one dollar.", id="countersign.E011",
            )
        ]  # fmt: skip
    return []
