"""What the tests of the door ask, and the profiles they ask with: quick time-outs, short waits."""

from collections.abc import Callable
from typing import Any

from integrations.llm.answers import Answer, Request
from integrations.llm.door import ask
from integrations.llm.profiles import Profile

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["supplier", "total", "lines"],
    "properties": {
        "supplier": {"type": "string", "maxLength": 60},
        "total": {"type": ["string", "null"], "maxLength": 20},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["amount"],
                "properties": {"amount": {"type": "string"}},
            },
        },
    },
}
TEXT = "supplier: Nordlicht Söhne\ntotal: 12.50\nlines[0].amount: 5.00\nlines[1].amount: 7.50"
VALUES = {
    "supplier": "Nordlicht Söhne",
    "total": "12.50",
    "lines": [{"amount": "5.00"}, {"amount": "7.50"}],
}


def quick_profile(base_url: str, **changes: Any) -> Profile:
    settings: dict[str, Any] = {
        "base_url": base_url,
        "model": "small",
        "connect_seconds": 1.0,
        "read_seconds": 5.0,
        "total_seconds": 5.0,
        "backoff_seconds": 0.02,
        "longest_wait_seconds": 3.0,
    }
    return Profile(**(settings | changes))


def what_is_wrong(values: dict[str, Any]) -> str | None:
    missing = sorted(set(SCHEMA["required"]) - values.keys())  # type: ignore[call-overload]
    return f"{', '.join(missing)} missing" if missing else None


def request_for(text: str, *, validate: Callable[[dict[str, Any]], str | None] = what_is_wrong) -> Request:
    messages = [{"role": "system", "content": "Read the invoice."}, {"role": "user", "content": text}]
    return Request(messages=messages, schema=SCHEMA, schema_name="draft", validate=validate)


class Ceiling:
    """The caller's hook: counts the calls it allows and names whom they were for."""

    def __init__(self, calls: int = 100) -> None:
        self.left = calls
        self.asked: list[str] = []

    async def __call__(self, profile: Profile) -> bool:
        self.asked.append(profile.name)
        self.left -= 1
        return self.left >= 0


async def ask_about(text: str, profile: Profile, ceiling: Ceiling | None = None) -> Answer:
    return await ask(request=request_for(text), profile=profile, before_call=ceiling or Ceiling())
