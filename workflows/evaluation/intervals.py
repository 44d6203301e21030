"""How sure a share is: Wilson's interval, which stays inside 0 and 1 and is honest with few cases."""

from __future__ import annotations

from math import sqrt

Z_95 = 1.959963984540054


def wilson(*, right: int, of: int, z: float = Z_95) -> tuple[float, float] | None:
    """The 95 % interval of a share, each of the `of` counted once and apart from the others; None where nothing was due."""
    if not of:
        return None
    share = right / of
    middle = share + z * z / (2 * of)
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    below = 1 + z * z / of
    return max(0.0, (middle - half) / below), min(1.0, (middle + half) / below)
