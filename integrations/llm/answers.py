"""What goes into the door and what comes out of it. Plain data."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from .outcomes import Outcome
from .profiles import Profile
from .tokens import TokenLogprob

Messages = list[dict[str, Any]]
BeforeCall = Callable[[Profile], Awaitable[bool]]


@dataclass(frozen=True, kw_only=True)
class Request:
    """`validate` says in words what is wrong with the parsed answer, or None; its words are shown to the model
    when it is asked to repair. `schema` is the JSON schema that is sent."""

    messages: Messages
    schema: dict[str, Any]
    schema_name: str
    validate: Callable[[dict[str, Any]], str | None]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One HTTP request. `model` is the one that answered, where the server says so. `raw_text` is the content of an
    answer, or the body of an error. Token counts are None where the server gives none. `sent` is False when the request
    cannot have reached the server."""

    outcome: Outcome
    profile: str
    base_url: str
    model: str
    asked: str = ""  # the model that the request named; a server may answer under another name
    status: int | None = None
    seconds: float = 0.0
    raw_text: str = ""
    error: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    retry_after: float | None = None
    finish_reason: str = ""
    sent: bool = True


@dataclass(frozen=True, kw_only=True)
class Totals:
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`values` is there for the outcome ok alone. `tokens` carry offsets into `raw_text`. `seconds` includes the waits
    between calls. `retry_after` is how long the server asked to be left alone, when it did."""

    outcome: Outcome
    values: dict[str, Any] | None
    raw_text: str
    tokens: tuple[TokenLogprob, ...] = ()
    calls: tuple[Call, ...] = ()
    model: str = ""
    profile: str = ""
    seconds: float = 0.0
    error: str = ""
    retry_after: float | None = field(default=None)

    @property
    def totals(self) -> Totals:
        return Totals(
            calls=len(self.calls),
            prompt_tokens=sum(call.prompt_tokens or 0 for call in self.calls),
            completion_tokens=sum(call.completion_tokens or 0 for call in self.calls),
            cached_tokens=sum(call.cached_tokens or 0 for call in self.calls),
            seconds=sum(call.seconds for call in self.calls),
        )
