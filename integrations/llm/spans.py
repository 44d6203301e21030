"""Where each value stands in a JSON text, so that the log-probabilities of its own tokens can be read."""

from json import JSONDecoder

from .parsing import json_part

_SPACE = " \t\n\r"
_decode = JSONDecoder().raw_decode


def value_spans(raw_text: str) -> dict[str, tuple[int, int]]:
    """Path of each value to its (start, end) in the raw text, fences and talk around the JSON included.

    Paths are as in `total`, `lines[0].amount`. A string's span leaves out its quotes, so that the punctuation that
    every answer has does not count. Lists and objects have a span too. Empty when the text is not JSON.
    """
    part = json_part(raw_text)
    spans: dict[str, tuple[int, int]] = {}
    try:
        _walk(part.text, _skip(part.text, 0), "", spans)
    except (ValueError, IndexError, RecursionError):
        return {}
    return {path: (start + part.start, end + part.start) for path, (start, end) in spans.items() if path}


def _walk(text: str, at: int, path: str, spans: dict[str, tuple[int, int]]) -> int:
    """Note the value that begins at `at` and return where it ends."""
    opening = text[at]
    if opening == "{":
        end = _walk_object(text, at, path, spans)
    elif opening == "[":
        end = _walk_list(text, at, path, spans)
    else:
        _, end = _decode(text, at)
    spans[path] = (at + 1, end - 1) if opening == '"' else (at, end)
    return end


def _walk_object(text: str, at: int, path: str, spans: dict[str, tuple[int, int]]) -> int:
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _scan_key(text, at)
        at = _skip(text, _expect(text, _skip(text, at), ":"))
        at = _skip(text, _walk(text, at, f"{path}.{key}" if path else key, spans))
        if text[at] == ",":
            at = _skip(text, at + 1)
        elif text[at] != "}":
            raise ValueError("neither a comma nor the end of the object")
    return at + 1


def _walk_list(text: str, at: int, path: str, spans: dict[str, tuple[int, int]]) -> int:
    at = _skip(text, at + 1)
    index = 0
    while text[at] != "]":
        at = _skip(text, _walk(text, at, f"{path}[{index}]", spans))
        index += 1
        if text[at] == ",":
            at = _skip(text, at + 1)
        elif text[at] != "]":
            raise ValueError("neither a comma nor the end of the list")
    return at + 1


def _scan_key(text: str, at: int) -> tuple[str, int]:
    key, end = _decode(text, at)
    if not isinstance(key, str):
        raise ValueError("a name expected")
    return key, end


def _expect(text: str, at: int, character: str) -> int:
    if text[at] != character:
        raise ValueError(f"{character} expected")
    return at + 1


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
