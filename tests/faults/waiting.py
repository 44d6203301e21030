"""Every wait of these tests ends."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until[T](found: Callable[[], T], *, seconds: float, what: str | Callable[[], str]) -> T:
    """The first true answer of `found`. Fails the test with `what`, asked then, when there is none within `seconds`."""
    until = time.monotonic() + seconds
    while not (answer := found()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.1)
    return answer
