"""Lines that say how a long download goes, often enough to be believed and seldom enough to be read."""

import time
from collections.abc import Callable

Tell = Callable[[str], None]

SECONDS_BETWEEN_LINES = 1.0


class Progress:
    """Counts bytes of `total` and tells at most one line a second, and one at the end."""

    def __init__(self, *, label: str, total: int, tell: Tell, done: int = 0) -> None:
        self.label = label
        self.total = total
        self.done = done
        self._tell = tell
        self._started = time.monotonic()
        self._started_at = done
        self._told = 0.0

    def add(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES or self.done == self.total:
            self._told = now
            speed = (self.done - self._started_at) / max(now - self._started, 0.001)
            self._tell(
                f"{self.label}: {megabytes(self.done)} of {megabytes(self.total)} MB"
                f" ({100 * self.done // max(self.total, 1)} %), {megabytes(speed)} MB/s"
            )


def megabytes(count: float) -> str:
    return f"{count / 1e6:.0f}" if count >= 1e7 else f"{count / 1e6:.1f}"
