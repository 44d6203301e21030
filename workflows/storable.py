"""What each of the databases can keep: PostgreSQL refuses NUL, and no database has half a surrogate pair."""

from __future__ import annotations

import re
from typing import Any

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """NUL means nothing in a text and goes; a half pair stood for something, and shows that it did."""
    return _HALF_A_PAIR.sub("\ufffd", text.replace("\x00", ""))


def storable_json(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable_json(key): storable_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(inner) for inner in value]
    return value
