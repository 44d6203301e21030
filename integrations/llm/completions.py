"""A chat completion, as servers really send it, to the few things that are used of it."""

import re
from dataclasses import dataclass
from typing import Any

from .tokens import TokenLogprob, locate_tokens

# Half of a surrogate pair or a NUL cannot be stored; one character takes its place, so that offsets hold.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Completion:
    text: str
    refusal: str
    finish_reason: str
    model: str
    tokens: tuple[TokenLogprob, ...]
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None


def read_completion(body: dict[str, Any]) -> Completion:
    """Whatever is missing or of another kind is read as empty: an empty answer is an outcome, not an error."""
    choices = body.get("choices")
    choice = _dict(choices[0] if isinstance(choices, list) and choices else None)
    message = _dict(choice.get("message"))
    text = storable(_text(message.get("content")))
    entries = _dict(choice.get("logprobs")).get("content")
    usage = _dict(body.get("usage"))
    return Completion(
        text=text,
        refusal=storable(_text(message.get("refusal"))),
        finish_reason=_text(choice.get("finish_reason")),
        model=_text(body.get("model")),
        tokens=locate_tokens(entries=entries, raw_text=text) if isinstance(entries, list) else (),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(_dict(usage.get("prompt_tokens_details")).get("cached_tokens")),
    )


def storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, list):
        # Content in parts, as some gateways send it.
        return "".join(_text(_dict(part).get("text")) for part in value)
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
