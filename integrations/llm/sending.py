"""One HTTP request to a model server, and what is known of what that server takes."""

import asyncio
import json
import time
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import openai
from openai import RequestOptions

from .answers import Call, Messages, Request
from .clients import ClientPool, timeout_of
from .completions import Completion, read_completion, storable
from .failures import Failure, Next, failure_in_body, failure_of, mask, retry_after_of
from .outcomes import Outcome
from .profiles import Profile, parameters_of
from .tokens import TokenLogprob

# An error page can be long; what is kept of it need not be.
LONGEST_ERROR_BODY = 4000


@dataclass(frozen=True)
class Capabilities:
    """What to ask a server for. Learned from its refusals, and remembered for the process."""

    json_schema: bool
    logprobs: bool

    def after(self, refusal: Next, profile: Profile) -> "Capabilities | None":
        """What to ask for instead, or None when the refusal is about something else (or was heeded already)."""
        if refusal in (Next.WITHOUT_SCHEMA, Next.WITHOUT_THIS_SCHEMA) and self.json_schema:
            if refusal is Next.WITHOUT_SCHEMA:
                _without_schema.add(_place(profile))
            return replace(self, json_schema=False)
        if refusal is Next.WITHOUT_LOGPROBS and self.logprobs:
            _without_logprobs.add(_place(profile))
            return replace(self, logprobs=False)
        return None


_without_schema: set[tuple[str, str]] = set()
_without_logprobs: set[tuple[str, str]] = set()


def capabilities_of(profile: Profile) -> Capabilities:
    return Capabilities(
        json_schema=profile.response_format == "json_schema" and _place(profile) not in _without_schema,
        logprobs=profile.logprobs and _place(profile) not in _without_logprobs,
    )


def forget_capabilities() -> None:
    """Ask every server for everything again."""
    _without_schema.clear()
    _without_logprobs.clear()


def _place(profile: Profile) -> tuple[str, str]:
    return profile.base_url, profile.model


@dataclass(frozen=True)
class Reply:
    """`failure` is None when a completion came, whatever it says."""

    call: Call
    tokens: tuple[TokenLogprob, ...] = ()
    failure: Failure | None = None


async def send(
    *,
    request: Request,
    messages: Messages,
    profile: Profile,
    key: str,
    capabilities: Capabilities,
    pool: ClientPool,
) -> Reply:
    """Make the request and name what came of it. Only cancellation raises."""
    client = pool.client(profile=profile, key=key)
    body, options = _asked(request, messages, profile, capabilities)
    began = time.monotonic()
    try:
        async with asyncio.timeout(profile.total_seconds):
            # The plain response: the SDK's objects would drop what servers add, and fail on what they leave out.
            response = await client.post(
                "/chat/completions", body=body, cast_to=httpx2.Response, options=options
            )
            status, headers, text = response.status_code, response.headers, response.text
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, TypeError) as error:
        return _failed(failure_of(error, profile=profile), profile, key, time.monotonic() - began)
    seconds = time.monotonic() - began
    try:
        answered = json.loads(text)
    except (ValueError, RecursionError):
        answered = None
    if failure := failure_in_body(answered, profile=profile, status=status, raw_text=text):
        return _failed(failure, profile, key, seconds)
    completion = read_completion(answered)
    outcome, error_words = _read(completion)
    call = Call(
        outcome=outcome,
        profile=profile.name,
        base_url=profile.base_url,
        model=completion.model or profile.model,
        asked=profile.model,
        status=status,
        seconds=seconds,
        raw_text=completion.text or completion.refusal,
        error=error_words,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        cached_tokens=completion.cached_tokens,
        retry_after=retry_after_of(headers),
        finish_reason=completion.finish_reason,
    )
    return Reply(call=call, tokens=completion.tokens)


def _read(completion: Completion) -> tuple[Outcome, str]:
    if completion.finish_reason == "content_filter":
        return Outcome.FILTERED, "the provider's content filter stopped the answer"
    if completion.refusal:
        return Outcome.REFUSED, "the model refused to answer"
    if completion.finish_reason == "length":
        return (
            Outcome.TRUNCATED,
            "the answer was cut off at its greatest length, so a list in it may be incomplete",
        )
    return Outcome.OK, ""


def _failed(failure: Failure, profile: Profile, key: str, seconds: float) -> Reply:
    failure = replace(
        failure,
        error=mask(failure.error, key),
        raw_text=storable(mask(failure.raw_text, key)[:LONGEST_ERROR_BODY]),
    )
    call = Call(
        outcome=failure.outcome,
        profile=profile.name,
        base_url=profile.base_url,
        model=profile.model,
        asked=profile.model,
        status=failure.status,
        seconds=seconds,
        raw_text=failure.raw_text,
        error=failure.error,
        retry_after=failure.retry_after,
        sent=failure.sent,
    )
    return Reply(call=call, failure=failure)


def _asked(
    request: Request, messages: Messages, profile: Profile, capabilities: Capabilities
) -> tuple[dict[str, Any], RequestOptions]:
    """The body, and what goes with it. Of a profile's parameters only headers and query do not travel in the body."""
    parameters = parameters_of(profile)
    options: RequestOptions = {"timeout": timeout_of(profile)}
    if headers := parameters.pop("extra_headers", None):
        options["headers"] = headers
    if query := parameters.pop("extra_query", None):
        options["params"] = query
    extra = parameters.pop("extra_body", None)
    body: dict[str, Any] = {
        **parameters,
        **(extra if isinstance(extra, dict) else {}),
        "model": profile.model,
    }
    if capabilities.logprobs:
        body["logprobs"] = True
    else:
        body.pop("top_logprobs", None)
    if capabilities.json_schema:
        body["messages"] = messages
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": request.schema_name, "strict": True, "schema": request.schema},
        }
    else:
        body["messages"] = _with_schema_in_words(messages, request.schema)
        body["response_format"] = {"type": "json_object"}
    return body, options


def _with_schema_in_words(messages: Messages, schema: dict[str, Any]) -> Messages:
    """For a server that is not held to the schema: the model is told of it, at the end of the instructions so that
    their beginning stays the same for the server's cache."""
    words = "Answer with one JSON object and nothing else. It must fit this JSON schema:\n" + json.dumps(
        schema, ensure_ascii=False
    )
    first, rest = (messages[0], messages[1:]) if messages else ({}, [])
    if first.get("role") in ("system", "developer") and isinstance(first.get("content"), str):
        return [{**first, "content": f"{first['content']}\n\n{words}"}, *rest]
    return [{"role": "system", "content": words}, *messages]
