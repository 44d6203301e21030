"""What is left of the limits while one file is read."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from integrations.documents.limits import Limits
from integrations.documents.pages import Page

# A file is cut short before its time is up, so that what was read is kept instead of thrown away by the kill.
_USABLE_SHARE = 0.7


@dataclass(slots=True)
class Budget:
    limits: Limits
    started: float = field(default_factory=time.monotonic)
    page_seconds: float = 0.0

    def time_for_a_slow_page(self) -> bool:
        """Whether another page as slow as the slowest so far still fits."""
        return time.monotonic() - self.started + self.page_seconds < _USABLE_SHARE * self.limits.seconds

    def saw_slow_page(self, seconds: float) -> None:
        self.page_seconds = max(self.page_seconds, seconds)


def cut_to_length(*, pages: Sequence[Page], limit: int) -> tuple[tuple[Page, ...], str]:
    """Pages with at most `limit` characters in all, and a note (empty when nothing was cut)."""
    kept: list[Page] = []
    room = limit
    for page in pages:
        if len(page.text) <= room:
            kept.append(page)
            room -= len(page.text)
            continue
        if room > 0:
            pieces = tuple(piece for piece in page.pieces if piece.end <= room)
            kept.append(Page(page.number, page.text[:room], page.width, page.height, pieces, page.method))
        return tuple(kept), f"Only the first {limit:,} characters of the text were read."
    return tuple(kept), ""
