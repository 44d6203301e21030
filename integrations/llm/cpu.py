"""What the embedded model computed, split among the calls that were in flight: its process has one clock for all of them."""

from __future__ import annotations

from collections.abc import Callable


class CpuShares:
    """`read` gives the CPU seconds so far; None: not known. Used on one event loop, by one worker."""

    def __init__(self, read: Callable[[], float | None] | None) -> None:
        self._read = read
        self._last: float | None = None
        self._shares: dict[object, float] = {}
        self._unknown: set[object] = set()

    def begin(self, call: object) -> None:
        """Again for the same piece of work: it goes on."""
        if self._read is None or call in self._shares:
            return
        self._count()
        self._shares[call] = 0.0

    def end(self, call: object) -> float | None:
        """None: it was not begun, so the model here was not asked; or nobody knows what it took."""
        if call not in self._shares:
            return None
        self._count()
        share = self._shares.pop(call)
        is_unknown = call in self._unknown
        self._unknown.discard(call)
        return None if is_unknown else share

    def _count(self) -> None:
        now = self._read() if self._read else None
        if now is None or (self._last is None and self._shares):
            self._unknown.update(self._shares)
        elif self._last is not None and self._shares:
            # A model that was started anew in between counts from zero.
            each = max(0.0, now - self._last) / len(self._shares)
            for call in self._shares:
                self._shares[call] += each
        self._last = now
