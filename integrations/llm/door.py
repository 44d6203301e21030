"""The one door to the model: ask with a JSON schema, get an Answer with a typed outcome, whatever the server does."""

import asyncio
import os
import random
import time
from dataclasses import dataclass, field, replace

from .answers import Answer, BeforeCall, Call, Messages, Request
from .clients import ClientPool
from .failures import Next
from .outcomes import NEXT_STEPS, TRY_FALLBACK, Outcome
from .parsing import NotAnObject, parse_object
from .profiles import Profile, chain_of
from .sending import Capabilities, Reply, capabilities_of, send
from .tokens import TokenLogprob

# While a server loads its model it answers at once; these waits add up to about a minute.
LOADING_WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
# Silence is the dearest failure: each time-out has cost its whole length already.
MOST_TIMEOUTS = 2


async def ask(
    *, request: Request, profile: Profile, before_call: BeforeCall, client_pool: ClientPool | None = None
) -> Answer:
    """Ask the profile's model, then its fallbacks, until one gives an answer that fits.

    `before_call` is awaited before every HTTP request (retries, repair and fallbacks included) and returns False when
    no more may be spent: then no request is made and the outcome is over_budget. Nothing the server does raises;
    cancellation goes through, and so do errors of `before_call` and `validate`.
    """
    if client_pool is None:
        async with ClientPool() as pool:
            return await ask(request=request, profile=profile, before_call=before_call, client_pool=pool)
    began = time.monotonic()
    tried: list[_Asking] = []
    for step in chain_of(profile):
        asking = _Asking(request=request, profile=step, before_call=before_call, pool=client_pool)
        tried.append(asking)
        await asking.run()
        if asking.outcome not in TRY_FALLBACK:
            break
    return _answer(tried, seconds=time.monotonic() - began)


def _answer(tried: "list[_Asking]", *, seconds: float) -> Answer:
    last = tried[-1]
    last_call = last.calls[-1] if last.calls else None
    ok = last.outcome is Outcome.OK
    return Answer(
        outcome=last.outcome,
        values=last.values if ok else None,
        raw_text=last.raw_text or next((a.raw_text for a in reversed(tried) if a.raw_text), ""),
        tokens=last.tokens,
        calls=tuple(call for asking in tried for call in asking.calls),
        model=last_call.model if last_call else last.profile.model,
        profile=last.profile.name,
        seconds=seconds,
        error="" if ok else _what_was_tried(tried),
        retry_after=None if ok else last.retry_after,
    )


def _what_was_tried(tried: "list[_Asking]") -> str:
    parts = []
    for asking in tried:
        times = f" after {len(asking.calls)} calls" if len(asking.calls) > 1 else ""
        who = f"With the model profile “{asking.profile.name}”{times}" if len(tried) > 1 or times else ""
        sentence = f"{who}: {asking.error}" if who else asking.error[:1].upper() + asking.error[1:]
        parts.append(f"{sentence}.")
    kept = " The text that the model gave is kept." if any(asking.raw_text for asking in tried) else ""
    return " ".join(parts) + f"{kept} {NEXT_STEPS[tried[-1].outcome]}"


@dataclass(kw_only=True)
class _Asking:
    """One profile's turn. The fields below the line are what came of it."""

    request: Request
    profile: Profile
    before_call: BeforeCall
    pool: ClientPool

    outcome: Outcome = Outcome.UNAVAILABLE
    values: dict[str, object] | None = None
    raw_text: str = ""
    tokens: tuple[TokenLogprob, ...] = ()
    error: str = ""
    retry_after: float | None = None
    calls: list[Call] = field(default_factory=list)

    async def run(self) -> None:
        key = os.environ.get(self.profile.api_key_env, "").strip() if self.profile.api_key_env else ""
        if problem := _unusable(self.profile, key):
            self.error = problem
            return
        capabilities = capabilities_of(self.profile)
        messages: Messages = self.request.messages
        failed = loading = timeouts = 0
        repaired = False
        while True:
            reply = await self._send(messages, key, capabilities)
            if reply is None:
                return
            self._take(reply)
            if reply.failure is None:
                if self.outcome is not Outcome.INVALID or repaired:
                    return
                messages, repaired = _with_repair(messages, self.raw_text, self.error), True
                continue
            narrowed = capabilities.after(reply.failure.next, self.profile)
            if narrowed is not None:
                capabilities = narrowed
                continue
            if reply.failure.next is Next.WAIT_FOR_LOADING:
                loading += 1
                if loading > len(LOADING_WAITS):
                    return
                await asyncio.sleep(min(LOADING_WAITS[loading - 1], self.profile.longest_wait_seconds))
                continue
            failed += 1
            timeouts += self.outcome is Outcome.TIMEOUT
            if reply.failure.next is not Next.TRY_AGAIN or failed >= self.profile.max_tries:
                return
            if timeouts >= MOST_TIMEOUTS:
                return
            wait = _wait(self.profile, failed, self.retry_after)
            if wait is None:
                return
            await asyncio.sleep(wait)

    async def _send(self, messages: Messages, key: str, capabilities: Capabilities) -> Reply | None:
        async with self.pool.room(self.profile):
            if not await self.before_call(self.profile):
                before = f", before that {self.error}" if self.error else ""
                self.error = f"the budget or the number of calls for this item is used up{before}"
                self.outcome = Outcome.OVER_BUDGET
                return None
            return await send(
                request=self.request,
                messages=messages,
                profile=self.profile,
                key=key,
                capabilities=capabilities,
                pool=self.pool,
            )

    def _take(self, reply: Reply) -> None:
        call = reply.call
        if call.outcome is Outcome.OK:
            try:
                self.values = parse_object(call.raw_text)
                problem = self.request.validate(self.values)
            except NotAnObject as error:
                problem = str(error)
            if problem is not None:
                call = replace(call, outcome=Outcome.INVALID, error=problem)
        self.calls.append(call)
        self.outcome, self.error, self.retry_after = call.outcome, call.error, call.retry_after
        if reply.failure is None:
            self.raw_text, self.tokens = call.raw_text, reply.tokens


def _unusable(profile: Profile, key: str) -> str:
    if not profile.base_url or not profile.model:
        return "this model profile names no server or no model; name both, or set OPENAI_BASE_URL"
    if profile.api_key_env and not key:
        return f"the environment variable {profile.api_key_env}, which holds the key, is not set"
    return ""


def _wait(profile: Profile, failed: int, retry_after: float | None) -> float | None:
    """Seconds until the next try; None when the server asks for more patience than the profile has, since asking
    earlier than it said only makes it worse."""
    if retry_after is not None and retry_after > profile.longest_wait_seconds:
        return None
    longest = min(profile.backoff_seconds * 2 ** (failed - 1), profile.longest_wait_seconds)
    own = random.uniform(longest / 2, longest)  # noqa: S311
    if retry_after is None:
        return own
    # Everyone was told the same second: spread a little, later and never earlier.
    return max(own, retry_after + random.uniform(0, min(profile.backoff_seconds, 1.0) / 4))  # noqa: S311


def _with_repair(messages: Messages, raw_text: str, problem: str) -> Messages:
    return [
        *messages,
        {"role": "assistant", "content": raw_text or "(empty)"},
        {
            "role": "user",
            "content": f"That answer cannot be used: {problem}. Send the whole JSON object again, corrected,"
            " and nothing else.",
        },
    ]
