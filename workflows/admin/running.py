"""One act on each of the chosen rows, and what to tell about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from workflows.errors import Refused
from workflows.transitions import InvalidTransition

MOST_AT_ONCE = 200


def run_on_each(*, request: HttpRequest, rows: Any, act: Callable[[Any], Any], done: str) -> int:
    """Each row by itself: one that is refused holds up no other. Returns how many were done."""
    chosen = list(rows[:MOST_AT_ONCE] if hasattr(rows, "query") else rows)
    count = 0
    for row in chosen:
        try:
            act(row)
        except (Refused, InvalidTransition) as refused:
            messages.error(request, f"{row}: {refused}")
        else:
            count += 1
    if count:
        names = chosen[0]._meta
        one = count == 1
        named = names.verbose_name if one else names.verbose_name_plural
        messages.success(request, f"{count} {named} {'was' if one else 'were'} {done}.")
    return count
