"""The Retry-After header: seconds, or a date."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_SECONDS = 24 * 3600.0  # a receiver may slow us down, not park a result for a year


def seconds_to_wait(value: str | None, *, now: datetime) -> float | None:
    """Seconds from `now`, between 0 and LONGEST_SECONDS; None when the header is missing or unreadable."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # Cut before it is a number: Python refuses to read thousands of digits.
        return min(float(text[:12]), LONGEST_SECONDS)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return min(max((then - now).total_seconds(), 0.0), LONGEST_SECONDS)
