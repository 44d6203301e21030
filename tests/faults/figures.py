"""What the rounds measured, as a table at the end of the run."""

from __future__ import annotations

import os
from dataclasses import dataclass

ROUNDS = int(os.environ.get("FAULT_ROUNDS") or 5)


@dataclass
class Round:
    """`again`: seconds from the kill (of the supervisor: from its restart) until nothing was under an old lease; `whole`: until web
    answered and tasks passed through a full cluster again; `gone`: until a killed supervisor's family had ended."""

    victim: str
    number: int
    items_held: int
    deliveries_held: int
    again: float
    whole: float
    gone: float | None = None
    calls: str = ""
    effects: str = ""


ALL: list[Round] = []


def table() -> list[str]:
    lines = [
        f"{'victim':<16} {'round':>5} {'held':>6} {'again':>7} {'whole':>7} {'gone':>7}  {'calls':<7} effects"
    ]
    for one in ALL:
        held = f"{one.items_held} + {one.deliveries_held}"
        gone = f"{one.gone:5.1f} s" if one.gone is not None else ""
        lines.append(
            f"{one.victim:<16} {one.number:>5} {held:>6} {one.again:>5.1f} s {one.whole:>5.1f} s {gone:>7}"
            f"  {one.calls:<7} {one.effects}"
        )
    return lines
