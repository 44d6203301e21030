"""Which stretches of a text are already taken: hostile text makes thousands, so asking must not walk through them."""

from __future__ import annotations


class Stretches:
    def __init__(self, *, length: int) -> None:
        self._taken = bytearray(length)

    def add(self, start: int, end: int) -> None:
        self._taken[start:end] = b"\x01" * (end - start)

    def overlap(self, start: int, end: int) -> bool:
        return self._taken.find(1, start, end) >= 0

    def copy(self) -> Stretches:
        other = Stretches(length=0)
        other._taken = bytearray(self._taken)
        return other
