"""The text of an answer to the object it should be, with words for what is wrong."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

_THINKING = re.compile(r"\s*<think>.*?</think>\s*", re.DOTALL)
_FENCED = re.compile(r"\s*```[a-zA-Z]*[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\s*", re.DOTALL)


@dataclass(frozen=True)
class JsonPart:
    text: str
    start: int


class NotAnObject(ValueError):
    """The text is no JSON object that could be kept; the message says why, for the model and for people."""


def json_part(raw_text: str) -> JsonPart:
    """The text without the reasoning that some servers leave before it and without the fence around it. Anything
    else that stands beside the JSON is left in: whatever was talked around may be half of an answer."""
    start = 0
    if thinking := _THINKING.match(raw_text):
        start = thinking.end()
    if fenced := _FENCED.fullmatch(raw_text, start):
        return JsonPart(fenced.group(1), fenced.start(1))
    return JsonPart(raw_text[start:], start)


def parse_object(raw_text: str) -> dict[str, Any]:
    """Raises NotAnObject, also for what JSON allows and no database keeps: NaN, NUL, half a surrogate pair."""
    text = json_part(raw_text).text
    if not text.strip():
        raise NotAnObject("the answer is empty")
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise NotAnObject("the answer holds a broken character") from error
    except RecursionError as error:
        raise NotAnObject("the answer is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise NotAnObject(f"the answer is not JSON: {error.msg} at character {error.pos}") from error
    except ValueError as error:
        raise NotAnObject(f"the answer is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise NotAnObject("the answer is JSON, but not an object")
    if "\\u0000" in text and _holds_nul(values):
        raise NotAnObject("the answer holds a NUL character")
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_holds_nul(inner) for inner in value)
