"""What a caller adds to an item: a JSON object that any database can store."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from workflows.errors import InvalidInput

# Half a surrogate pair and NUL are valid in JSON and in no database.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def read_metadata(*, text: str) -> dict[str, Any]:
    """Raises InvalidInput with the place `metadata`."""
    if not text.strip():
        return {}
    try:
        read = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if not isinstance(read, dict):
            raise _invalid('The metadata has to be a JSON object, like {"order": "A-17"}.')
        if any(UNSTORABLE.search(text) for text in _texts(read)):
            raise _invalid("The metadata has characters that cannot be stored.")
    except (ValueError, RecursionError):
        raise _invalid("The metadata is not JSON that can be read.") from None
    return read


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):  # 1e999 is JSON, and what it is read as is not
        raise ValueError(written)
    return number


def _invalid(said: str) -> InvalidInput:
    return InvalidInput(f"{said} Nothing was kept.", problems={"metadata": said})
