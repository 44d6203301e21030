"""Every way a model server can answer, over real HTTP, and what the door makes of it."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from integrations.llm.clients import ClientPool
from integrations.llm.door import ask
from integrations.llm.outcomes import Outcome
from integrations.llm.profiles import Profile
from integrations.llm.sending import forget_capabilities
from integrations.llm.spans import value_spans
from integrations.llm.tokens import mean_logprob
from tests.integrations.llm.asking import (
    TEXT,
    VALUES,
    Ceiling,
    ask_about,
    quick_profile,
    request_for,
)
from tests.scripted_model import ScriptedModel, scripted_model


@pytest.fixture(scope="module")
def shared() -> Iterator[ScriptedModel]:
    with scripted_model() as model:
        yield model


@pytest.fixture
def server(shared: ScriptedModel) -> ScriptedModel:
    forget_capabilities()
    shared.requests.clear()
    shared.key = ""
    return shared


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def test_an_answer_that_fits_is_returned_with_what_it_cost(server: ScriptedModel) -> None:
    answer = await ask_about(TEXT, quick_profile(server.base_url))

    assert answer.outcome is Outcome.OK
    assert answer.values == VALUES
    assert answer.error == ""
    assert answer.model == "small-scripted", "the model that really answered, not the one asked for"
    [call] = answer.calls
    assert call.status == 200
    assert call.finish_reason == "stop"
    assert call.raw_text == answer.raw_text
    assert answer.totals.calls == 1
    assert answer.totals.prompt_tokens == call.prompt_tokens != 0
    assert answer.totals.cached_tokens == call.cached_tokens != 0


async def test_log_probabilities_lie_over_the_value_they_belong_to(server: ScriptedModel) -> None:
    answer = await ask_about(f"[[unsure total]]\n{TEXT}", quick_profile(server.base_url))

    spans = value_spans(answer.raw_text)
    start, end = spans["total"]
    assert answer.raw_text[start:end] == "12.50"
    assert mean_logprob(tokens=answer.tokens, start=start, end=end) == pytest.approx(-3.0)
    start, end = spans["supplier"]
    assert mean_logprob(tokens=answer.tokens, start=start, end=end) == pytest.approx(-0.01)


@pytest.mark.parametrize(
    ("marker", "outcome", "calls"),
    [
        ("refusal", Outcome.REFUSED, 1),
        ("filter", Outcome.FILTERED, 1),
        ("filter-400", Outcome.FILTERED, 1),
        ("length", Outcome.TRUNCATED, 1),
        ("context", Outcome.TOO_LONG, 1),
        ("413", Outcome.TOO_LONG, 1),
        ("429", Outcome.RATE_LIMITED, 3),
        ("quota", Outcome.RATE_LIMITED, 1),
        ("500", Outcome.UNAVAILABLE, 3),
        ("502", Outcome.UNAVAILABLE, 3),
        ("503", Outcome.UNAVAILABLE, 3),
        ("drop", Outcome.UNAVAILABLE, 3),
        ("drop-body", Outcome.UNAVAILABLE, 3),
        ("html", Outcome.UNAVAILABLE, 3),
        ("error-200", Outcome.UNAVAILABLE, 3),
        ("400", Outcome.UNAVAILABLE, 1),
        ("401", Outcome.UNAVAILABLE, 1),
        ("403", Outcome.UNAVAILABLE, 1),
        ("404", Outcome.UNAVAILABLE, 1),
        ("broken", Outcome.INVALID, 2),
        ("empty", Outcome.INVALID, 2),
        ("nothing", Outcome.INVALID, 2),
        ("misfit", Outcome.INVALID, 2),
        ("list", Outcome.INVALID, 2),
    ],
)
async def test_what_the_server_does_has_one_outcome_and_a_bounded_number_of_calls(
    server: ScriptedModel, marker: str, outcome: Outcome, calls: int
) -> None:
    answer = await ask_about(f"[[{marker}]]\n{TEXT}", quick_profile(server.base_url))

    assert answer.outcome is outcome
    assert answer.values is None, "only an answer that fits carries values"
    assert len(server.requests) == len(answer.calls) == calls
    assert {call.outcome for call in answer.calls} == {outcome}
    assert answer.error
    assert "_" not in answer.error
    assert "!" not in answer.error


@pytest.mark.parametrize(
    "marker", ["refusal", "filter", "length", "broken", "misfit", "context", "429", "500", "html"]
)
async def test_the_raw_text_is_kept_whatever_the_outcome(server: ScriptedModel, marker: str) -> None:
    answer = await ask_about(f"[[{marker}]]\n{TEXT}", quick_profile(server.base_url))

    assert all(call.raw_text for call in answer.calls)


@pytest.mark.parametrize("marker", ["fenced", "thinking"])
async def test_json_in_a_fence_or_after_reasoning_is_taken_as_it_is(
    server: ScriptedModel, marker: str
) -> None:
    answer = await ask_about(f"[[{marker}]]\n{TEXT}", quick_profile(server.base_url))

    assert answer.outcome is Outcome.OK
    assert answer.values == VALUES
    assert len(answer.calls) == 1
    start, end = value_spans(answer.raw_text)["lines[1].amount"]
    assert answer.raw_text[start:end] == "7.50"
    assert mean_logprob(tokens=answer.tokens, start=start, end=end) is not None


@pytest.mark.parametrize("marker", ["broken-once", "misfit-once"])
async def test_an_answer_that_does_not_fit_is_repaired_once(server: ScriptedModel, marker: str) -> None:
    answer = await ask_about(f"[[{marker}]]\n{TEXT}", quick_profile(server.base_url))

    assert answer.outcome is Outcome.OK
    assert answer.values == VALUES
    assert [call.outcome for call in answer.calls] == [Outcome.INVALID, Outcome.OK]
    repair = server.requests[1].body["messages"]
    assert repair[-2] == {"role": "assistant", "content": answer.calls[0].raw_text}
    assert answer.calls[0].error in repair[-1]["content"], "the model is told what was wrong"


async def test_silence_ends_in_a_time_out_that_is_tried_again_once(server: ScriptedModel) -> None:
    profile = quick_profile(server.base_url, read_seconds=0.2, max_tries=5)
    began = time.monotonic()

    answer = await ask_about(f"[[silence]]\n{TEXT}", profile)

    assert answer.outcome is Outcome.TIMEOUT
    assert len(answer.calls) == 2
    assert time.monotonic() - began < 3


async def test_a_server_that_drips_is_ended_by_the_total(server: ScriptedModel) -> None:
    profile = quick_profile(server.base_url, read_seconds=2.0, total_seconds=0.5, max_tries=1)

    answer = await ask_about(f"[[drip]]\n{TEXT}", profile)

    assert answer.outcome is Outcome.TIMEOUT
    assert answer.calls[0].seconds == pytest.approx(0.5, abs=0.4)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    answer = await ask_about(TEXT, quick_profile(f"http://127.0.0.1:{free_port()}/v1"))

    assert answer.outcome is Outcome.UNAVAILABLE
    assert len(answer.calls) == 3
    assert "cannot be reached" in answer.error


async def test_a_passing_failure_is_tried_again(server: ScriptedModel) -> None:
    answer = await ask_about(f"[[500 x2]]\n{TEXT}", quick_profile(server.base_url))

    assert answer.outcome is Outcome.OK
    assert [call.outcome for call in answer.calls] == [Outcome.UNAVAILABLE, Outcome.UNAVAILABLE, Outcome.OK]


async def test_retry_after_is_waited_for(server: ScriptedModel) -> None:
    answer = await ask_about(f"[[429 retry-after=1 x1]]\n{TEXT}", quick_profile(server.base_url))

    assert answer.outcome is Outcome.OK
    assert answer.calls[0].retry_after == 1.0
    assert server.requests[1].at - server.requests[0].at >= 1.0


async def test_a_retry_after_beyond_the_patience_of_the_profile_is_handed_to_the_caller(
    server: ScriptedModel,
) -> None:
    answer = await ask_about(f"[[429 retry-after=60]]\n{TEXT}", quick_profile(server.base_url))

    assert answer.outcome is Outcome.RATE_LIMITED
    assert len(answer.calls) == 1, "asking before the time given only makes it worse"
    assert answer.retry_after == 60.0


async def test_a_model_that_is_loading_is_waited_for_beyond_the_tries(server: ScriptedModel) -> None:
    profile = quick_profile(server.base_url, longest_wait_seconds=0.02, max_tries=1)

    answer = await ask_about(f"[[503-loading x4]]\n{TEXT}", profile)

    assert answer.outcome is Outcome.OK
    assert len(answer.calls) == 5, "each of them is a call"


async def test_a_model_that_loads_for_ever_is_unavailable(server: ScriptedModel) -> None:
    profile = quick_profile(server.base_url, longest_wait_seconds=0.01)

    answer = await ask_about(f"[[503-loading]]\n{TEXT}", profile)

    assert answer.outcome is Outcome.UNAVAILABLE
    assert len(answer.calls) == 7


@pytest.mark.parametrize("marker", ["500", "broken", "no-schema", "503-loading", "answer"])
async def test_no_call_is_made_beyond_the_ceiling(server: ScriptedModel, marker: str) -> None:
    for calls in range(2):
        server.requests.clear()
        ceiling = Ceiling(calls)
        profile = quick_profile(server.base_url, longest_wait_seconds=0.01)

        forget_capabilities()
        answer = await ask_about(f"[[{marker}]] [[item {marker} {calls}]]\n{TEXT}", profile, ceiling)

        assert len(server.requests) == len(answer.calls) == calls
        if (marker, calls) != ("answer", 1):
            assert answer.outcome is Outcome.OVER_BUDGET
            assert "used up" in answer.error


async def test_the_ceiling_is_asked_before_every_call_of_every_profile(server: ScriptedModel) -> None:
    second = quick_profile(server.base_url, name="second", model="large")
    profile = quick_profile(server.base_url, name="first", fallbacks=(second,))
    ceiling = Ceiling(5)

    answer = await ask_about(f"[[500]]\n{TEXT}", profile, ceiling)

    assert ceiling.asked == ["first"] * 3 + ["second"] * 3
    assert len(server.requests) == 5
    assert answer.outcome is Outcome.OVER_BUDGET


async def test_the_fallback_profile_answers_and_is_recorded(server: ScriptedModel) -> None:
    second = quick_profile(server.base_url, name="second", model="large")
    dead = f"http://127.0.0.1:{free_port()}/v1"
    profile = quick_profile(dead, name="first", fallbacks=(second,), max_tries=2)

    answer = await ask_about(TEXT, profile)

    assert answer.outcome is Outcome.OK
    assert answer.profile == "second"
    assert answer.model == "large-scripted"
    assert [call.profile for call in answer.calls] == ["first", "first", "second"]


@pytest.mark.parametrize("marker", ["refusal", "filter"])
async def test_a_refusal_is_not_carried_to_another_model(server: ScriptedModel, marker: str) -> None:
    second = quick_profile(server.base_url, name="second")
    answer = await ask_about(f"[[{marker}]]\n{TEXT}", quick_profile(server.base_url, fallbacks=(second,)))

    assert [call.profile for call in answer.calls] == ["default"]


async def test_the_error_says_what_was_tried_and_what_to_do(server: ScriptedModel) -> None:
    second = quick_profile(server.base_url, name="second")
    answer = await ask_about(
        f"[[429]]\n{TEXT}", quick_profile(server.base_url, name="first", fallbacks=(second,))
    )

    address = server.base_url.removeprefix("http://").removesuffix("/v1")
    assert answer.error == (
        f"With the model profile “first” after 3 calls: the model server at {address} answered 429, too many"
        f" requests. With the model profile “second” after 3 calls: the model server at {address} answered 429, too"
        " many requests. Try the item again later."
    )


async def test_a_server_without_json_schema_gets_the_schema_in_words(server: ScriptedModel) -> None:
    profile = quick_profile(server.base_url)

    answer = await ask_about(f"[[no-schema]] [[broken-once]]\n{TEXT}", profile)

    assert answer.outcome is Outcome.OK
    assert answer.values == VALUES
    assert [seen.behaviour for seen in server.requests] == ["no-schema", "broken", "answer"]
    formats = [seen.body["response_format"]["type"] for seen in server.requests]
    assert formats == ["json_schema", "json_object", "json_object"]
    instructions = server.requests[1].body["messages"][0]["content"]
    assert instructions.startswith("Read the invoice.\n\nAnswer with one JSON object")

    again = await ask_about(f"[[no-schema]] [[item again]]\n{TEXT}", profile)
    assert len(again.calls) == 1, "what a server refused is remembered"


async def test_a_schema_that_one_server_cannot_take_is_not_held_against_the_next(
    server: ScriptedModel,
) -> None:
    profile = quick_profile(server.base_url)

    first = await ask_about(f"[[bad-schema x1]]\n{TEXT}", profile)
    await ask_about(TEXT, profile)

    assert first.outcome is Outcome.OK
    assert server.requests[1].body["response_format"]["type"] == "json_object"
    assert server.requests[2].body["response_format"]["type"] == "json_schema"


async def test_log_probabilities_are_left_out_where_they_are_refused(server: ScriptedModel) -> None:
    answer = await ask_about(f"[[no-logprobs]]\n{TEXT}", quick_profile(server.base_url))

    assert answer.outcome is Outcome.OK
    assert answer.tokens == ()
    assert ["logprobs" in seen.body for seen in server.requests] == [True, False]


async def test_a_reasoning_model_takes_its_own_parameters(server: ScriptedModel) -> None:
    parameters = {
        "temperature": None,
        "max_completion_tokens": 4000,
        "reasoning_effort": "low",
        "seed": 7,
        "extra_body": {"chat_template_kwargs": {"enable_thinking": False}},
        "min_p": 0.1,
    }
    profile = quick_profile(server.base_url, parameters=parameters, logprobs=False)

    answer = await ask_about(f"[[no-temperature]]\n{TEXT}", profile)

    assert answer.outcome is Outcome.OK
    body = server.requests[0].body
    assert body["max_completion_tokens"] == 4000
    assert body["reasoning_effort"] == "low"
    assert body["seed"] == 7
    assert body["min_p"] == 0.1, "what the SDK does not know travels in the body"
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert not {"temperature", "max_tokens", "logprobs", "extra_body"} & body.keys()


async def test_a_proxy_from_the_environment_is_not_asked_for_a_server_on_this_machine(
    server: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    answer = await ask_about(TEXT, quick_profile(server.base_url))

    assert answer.outcome is Outcome.OK


async def test_azure_is_asked_at_its_own_address(
    server: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_KEY", "azure-secret")
    server.key = "azure-secret"
    endpoint = server.base_url.removesuffix("/v1")
    profile = quick_profile(endpoint, azure_api_version="2025-04-01-preview", api_key_env="AZURE_KEY")

    answer = await ask_about(TEXT, profile)

    assert answer.outcome is Outcome.OK
    assert server.requests[0].path == (
        "/openai/deployments/small/chat/completions?api-version=2025-04-01-preview"
    )


async def test_the_key_is_in_no_answer_and_no_log(
    server: ScriptedModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("SOME_KEY", secret)
    server.key = "another"
    profile = quick_profile(server.base_url, api_key_env="SOME_KEY")

    async with ClientPool() as pool:
        request = request_for(f"[[item secret]]\n{TEXT}")
        answer = await ask(request=request, profile=profile, before_call=Ceiling(), client_pool=pool)
        assert secret not in repr(pool) + repr(profile) + repr(answer) + str(profile.model_dump())

    assert server.requests[0].headers["authorization"] == f"Bearer {secret}"
    assert secret not in caplog.text
    assert "refused the key named by SOME_KEY" in answer.error


async def test_a_key_that_is_not_set_costs_no_call(
    server: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    answer = await ask_about(TEXT, quick_profile(server.base_url, api_key_env="SOME_KEY"))

    assert answer.outcome is Outcome.UNAVAILABLE
    assert server.requests == []
    assert "SOME_KEY" in answer.error


async def test_a_profile_without_a_server_says_what_to_set() -> None:
    answer = await ask_about(TEXT, Profile())

    assert answer.outcome is Outcome.UNAVAILABLE
    assert answer.calls == ()
    assert "OPENAI_BASE_URL" in answer.error


async def test_cancelling_ends_the_request_at_once(server: ScriptedModel) -> None:
    asking = asyncio.create_task(ask_about(f"[[silence]]\n{TEXT}", quick_profile(server.base_url)))
    while not server.requests:
        await asyncio.sleep(0.01)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asking, 1)

    for _ in range(100):
        if server.in_flight == 0:
            break
        await asyncio.sleep(0.01)
    assert server.in_flight == 0, "the server sees that nobody waits any more"


async def test_a_profile_holds_the_calls_in_flight_to_what_its_server_takes() -> None:
    with scripted_model(latency=0.05) as model:
        profile = quick_profile(model.base_url, max_in_flight=2)
        async with ClientPool() as pool:
            answers = await asyncio.gather(
                *(
                    ask(request=request_for(TEXT), profile=profile, before_call=Ceiling(), client_pool=pool)
                    for _ in range(8)
                )
            )
        assert {answer.outcome for answer in answers} == {Outcome.OK}
        assert model.most_in_flight == 2


async def test_many_calls_share_one_event_loop() -> None:
    with scripted_model(latency=0.5) as model:
        profile = quick_profile(model.base_url)
        async with ClientPool() as pool:
            began = time.monotonic()
            answers = await asyncio.gather(
                *(
                    ask(
                        request=request_for(f"[[item {number}]]\n{TEXT}"),
                        profile=profile,
                        before_call=Ceiling(),
                        client_pool=pool,
                    )
                    for number in range(64)
                )
            )
            seconds = time.monotonic() - began
        assert {answer.outcome for answer in answers} == {Outcome.OK}
        assert model.most_in_flight == 64
        assert seconds < 64 * 0.5 / 4, "they ran side by side"


def test_a_pool_belongs_to_one_event_loop(server: ScriptedModel) -> None:
    pool = ClientPool()
    profile = quick_profile(server.base_url)

    async def open_and_leave() -> None:
        pool.client(profile=profile, key="")

    asyncio.run(open_and_leave())
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(open_and_leave())
