"""What went wrong with one HTTP request: its outcome, whether another try may help, and words for a person."""

import email.utils
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import httpx2
import openai

from .outcomes import Outcome
from .profiles import Profile


class Next(Enum):
    """What the door may do after a failure."""

    GIVE_UP = auto()
    TRY_AGAIN = auto()
    WAIT_FOR_LOADING = auto()
    WITHOUT_SCHEMA = auto()  # this server does not know JSON schemas
    WITHOUT_THIS_SCHEMA = auto()  # it knows them, but not this one
    WITHOUT_LOGPROBS = auto()


@dataclass(frozen=True)
class Failure:
    outcome: Outcome
    next: Next
    error: str
    status: int | None = None
    raw_text: str = ""
    retry_after: float | None = None
    sent: bool = True


_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length|exceeds the available context size"
    r"|context window|context length|prompt is too long|too many tokens|maximum model length|string_above_max_length",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content_filter|ResponsibleAIPolicyViolation|content_policy_violation", re.IGNORECASE)
_THIS_SCHEMA = re.compile(
    r"invalid schema|invalid_json_schema|JSON schema error|failed to parse grammar|failed to convert|unsupported schema"
    r"|schema is too",
    re.IGNORECASE,
)
_NO_SCHEMA = re.compile(r"response_format|json_schema|structured output|guided|grammar", re.IGNORECASE)
_NO_LOGPROBS = re.compile(r"logprobs?\b", re.IGNORECASE)
_LOADING = re.compile(r"loading model|model is loading|currently loading", re.IGNORECASE)
_NO_QUOTA = re.compile(r"insufficient_quota|billing_hard_limit|exceeded your current quota", re.IGNORECASE)
_PASSING = frozenset({408, 409, 425, 500, 502, 503, 504, 520, 521, 522, 524, 529})


def failure_of(error: Exception, *, profile: Profile) -> Failure:
    """For whatever the SDK or the HTTP client raised while the request was under way."""
    server = server_of(profile)
    if isinstance(error, openai.APIStatusError):
        return _refused_with_status(error.response, profile)
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    if isinstance(cause, httpx2.ConnectTimeout):
        words = f"{server} did not take the connection within {profile.connect_seconds:g} seconds"
        return Failure(Outcome.UNAVAILABLE, Next.TRY_AGAIN, words, sent=False)
    if isinstance(error, TimeoutError):
        words = f"{server} had not finished its answer after {profile.total_seconds:g} seconds"
        return Failure(Outcome.TIMEOUT, Next.TRY_AGAIN, words)
    if isinstance(cause, httpx2.TimeoutException):
        words = f"{server} was silent for {profile.read_seconds:g} seconds"
        return Failure(Outcome.TIMEOUT, Next.TRY_AGAIN, words)
    if isinstance(cause, httpx2.ConnectError):
        return Failure(Outcome.UNAVAILABLE, Next.TRY_AGAIN, f"{server} cannot be reached", sent=False)
    if isinstance(cause, httpx2.TransportError):
        return Failure(Outcome.UNAVAILABLE, Next.TRY_AGAIN, f"{server} broke off the connection")
    words = f"the request to {server} could not be made; check the model profile ({type(cause or error).__name__})"
    return Failure(Outcome.UNAVAILABLE, Next.GIVE_UP, words)


def failure_in_body(body: Any, *, profile: Profile, status: int, raw_text: str) -> Failure | None:
    """Some gateways answer 200 and put the error into the body."""
    if not isinstance(body, dict):
        words = f"{server_of(profile)} answered with something that is no chat completion; check the base URL"
        return Failure(Outcome.UNAVAILABLE, Next.TRY_AGAIN, words, status, raw_text)
    if not body.get("error"):
        return None
    if _FILTERED.search(raw_text):
        return Failure(Outcome.FILTERED, Next.GIVE_UP, _FILTER_WORDS, status, raw_text)
    words = f"{server_of(profile)} answered with an error instead of a completion"
    return Failure(Outcome.UNAVAILABLE, Next.TRY_AGAIN, words, status, raw_text)


def server_of(profile: Profile) -> str:
    """The server in words, without path, query or anything that could hold a secret."""
    url = httpx2.URL(profile.base_url)
    return f"the model server at {url.host}" + (f":{url.port}" if url.port else "")


def mask(text: str, key: str) -> str:
    """Servers repeat a wrong key in their error; it must not reach a log or a row."""
    return text.replace(key, "[key]") if len(key) > 3 else text


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to be left alone, from `retry-after-ms` or `Retry-After` in either form."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        given = headers.get(name)
        if given is None:
            continue
        try:
            seconds = float(given) / unit
        except ValueError:
            try:
                seconds = email.utils.parsedate_to_datetime(given).timestamp() - time.time()
            except (TypeError, ValueError):
                continue
        if seconds == seconds and seconds != float("inf"):
            return max(seconds, 0.0)
    return None


_FILTER_WORDS = "the provider's content filter stopped the request"


def _refused_with_status(response: httpx2.Response, profile: Profile) -> Failure:
    status, text = response.status_code, response.text
    retry_after = retry_after_of(response.headers)
    outcome, follow, words = _read_status(status, text, profile)
    return Failure(outcome, follow, words, status, text, retry_after)


def _read_status(status: int, text: str, profile: Profile) -> tuple[Outcome, Next, str]:
    server = server_of(profile)
    if status == 429:
        if _NO_QUOTA.search(text):
            return (
                Outcome.RATE_LIMITED,
                Next.GIVE_UP,
                f"the account at {server} has no quota left; raise it there",
            )
        return Outcome.RATE_LIMITED, Next.TRY_AGAIN, f"{server} answered 429, too many requests"
    if status == 503 and _LOADING.search(text):
        return Outcome.UNAVAILABLE, Next.WAIT_FOR_LOADING, f"{server} is still loading its model"
    if status == 403 and _NO_LOGPROBS.search(_message(text)):
        return Outcome.UNAVAILABLE, Next.WITHOUT_LOGPROBS, f"{server} does not give log-probabilities"
    if status in (401, 403):
        key = f"the key named by {profile.api_key_env}" if profile.api_key_env else "a request without a key"
        return Outcome.UNAVAILABLE, Next.GIVE_UP, f"{server} refused {key}; set a key that may use this model"
    if status == 404:
        words = f"{server} does not know the model “{profile.model}” or the address; check both in the model profile"
        return Outcome.UNAVAILABLE, Next.GIVE_UP, words
    if status in _PASSING and not _TOO_LONG.search(_message(text)):
        return Outcome.UNAVAILABLE, Next.TRY_AGAIN, f"{server} answered {status}"
    return _read_bad_request(status, text, server)


def _read_bad_request(status: int, text: str, server: str) -> tuple[Outcome, Next, str]:
    message = _message(text)
    if _FILTERED.search(text):
        return Outcome.FILTERED, Next.GIVE_UP, _FILTER_WORDS
    if status == 413 or _TOO_LONG.search(message):
        return Outcome.TOO_LONG, Next.GIVE_UP, f"the material is longer than {server} can take in one piece"
    if status in (400, 422, 501):
        if _THIS_SCHEMA.search(message):
            return Outcome.UNAVAILABLE, Next.WITHOUT_THIS_SCHEMA, f"{server} does not take this JSON schema"
        if _NO_LOGPROBS.search(message):
            return Outcome.UNAVAILABLE, Next.WITHOUT_LOGPROBS, f"{server} does not give log-probabilities"
        if _NO_SCHEMA.search(message):
            return Outcome.UNAVAILABLE, Next.WITHOUT_SCHEMA, f"{server} does not take a JSON schema"
    words = (
        f"{server} refused the request ({status}): {_short(message)}; change the model profile's parameters"
    )
    return Outcome.UNAVAILABLE, Next.GIVE_UP, words


def _message(text: str) -> str:
    """The message, code and type of an error body in one line; the whole text when it is built otherwise."""
    try:
        body = json.loads(text)
    except ValueError:
        return text
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return str(error)
    parts = [str(error[key]) for key in ("message", "code", "type", "param", "detail") if error.get(key)]
    return " | ".join(parts) or text


def _short(message: str) -> str:
    line = " ".join(message.split(" | ")[0].split())
    return f"“{line[:200]}…”" if len(line) > 200 else f"“{line}”"
