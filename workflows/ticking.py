"""What has to happen every so often, whoever registered it. The row of each says when it last ran."""

from __future__ import annotations

import logging
from collections.abc import Callable

from workflows import beats

log = logging.getLogger(__name__)
_registered: dict[str, tuple[float, Callable[[], object]]] = {}


def every(*, seconds: float, name: str, call: Callable[[], object]) -> None:
    """Have `call` run by one worker at most once in so many seconds."""
    _registered[name] = (seconds, call)


def run_due() -> None:
    for name, (seconds, call) in _registered.items():
        if not beats.due(name=f"every:{name}", every=seconds):
            continue
        try:
            call()
        except Exception:
            log.exception("%s failed; it is tried again at its next time.", name)
