"""The embedded server as a process: it ends when it should, says what is missing, and serves a real small model."""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.llm.answers import Answer, Request
from integrations.llm.clients import ClientPool
from integrations.llm.door import ask
from integrations.llm.embedded.profile import API_KEY_ENV, embedded_profile, wait_until_ready
from integrations.llm.embedded.server import missing_instructions, why_not_importable
from integrations.llm.embedded.weights import WeightsUnavailable, find_weights
from integrations.llm.outcomes import Outcome
from integrations.llm.profiles import Profile
from integrations.llm.spans import value_spans
from integrations.llm.tokens import mean_logprob
from tests.integrations.llm.asking import Ceiling, quick_profile

ROOT = Path(__file__).parents[3]
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["currency", "kind", "supplier"],
    "properties": {
        "currency": {"anyOf": [{"type": "string", "enum": ["EUR", "USD"]}, {"type": "null"}]},
        "kind": {"enum": ["invoice", "order", None]},
        "supplier": {"type": "string", "maxLength": 40},
    },
}


def server_command(model: Path, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "integrations.llm.embedded.server"),
        "--model",
        str(model),
        "--port",
        str(port),
    ]


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, API_KEY_ENV: "", **changes}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def run_server(model: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    command = server_command(model, free_port())
    return subprocess.run(
        command, cwd=ROOT, env=environment(**changes), capture_output=True, text=True, timeout=30, check=False
    )


def test_without_a_key_it_does_not_serve(tmp_path: Path) -> None:
    done = run_server(tmp_path / "absent.gguf")
    assert done.returncode == 1
    assert "EMBEDDED_API_KEY is not set" in done.stderr


def test_without_a_model_file_it_says_so(tmp_path: Path) -> None:
    done = run_server(tmp_path / "absent.gguf", EMBEDDED_API_KEY="k")
    assert done.returncode == 1
    assert "There is no model file" in done.stderr


def test_a_file_that_is_no_model_is_said_to_be_broken(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but no more")
    done = run_server(tmp_path / "broken.gguf", EMBEDDED_API_KEY="k")
    assert done.returncode == 1
    assert "could not start" in done.stderr


def test_missing_avx2_and_libgomp_are_named() -> None:
    assert "AVX2" in missing_instructions(frozenset({"sse4_2", "avx"}))
    assert missing_instructions(frozenset({"avx2"})) == ""
    assert missing_instructions(None) == ""
    missing = ImportError("libgomp.so.1: cannot open shared object file: No such file or directory")
    assert "apt-get install libgomp1" in why_not_importable(missing)


@pytest.fixture(scope="session")
def tiny() -> Path:
    folder = Path(os.environ.get("COUNTERSIGN_DATA") or ROOT / "var") / "models"
    try:
        return find_weights(name_or_path="tiny", folder=folder, progress=lambda _line: None)
    except (WeightsUnavailable, OSError) as problem:
        pytest.skip(f"the tiny model cannot be had here: {problem}")


@pytest.fixture
def serving(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[subprocess.Popen[str], Profile]]:
    key, port = secrets.token_hex(), free_port()
    monkeypatch.setenv(API_KEY_ENV, key)
    command = server_command(tiny, port)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(EMBEDDED_API_KEY=key), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert asyncio.run(wait_until_ready(port=port, seconds=60))
            yield process, embedded_profile(port=port, model_name="tiny")
        finally:
            process.kill()


async def draft(profile: Profile, text: str, pool: ClientPool) -> Answer:
    instructions = "You read invoices and answer with their currency, kind and supplier. " * 8
    messages = [{"role": "system", "content": instructions}, {"role": "user", "content": text}]
    request = Request(messages=messages, schema=SCHEMA, schema_name="draft", validate=lambda _values: None)
    return await ask(request=request, profile=profile, before_call=Ceiling(), client_pool=pool)


@pytest.mark.model
def test_a_real_model_answers_within_the_schema_with_log_probabilities(
    serving: tuple[subprocess.Popen[str], Profile],
) -> None:
    _, profile = serving

    async def two_drafts() -> tuple[Answer, Answer]:
        async with ClientPool() as pool:
            first = await draft(profile, "Invoice from Nordlicht GmbH, 12.50 EUR", pool)
            return first, await draft(profile, "Order of Hafen Ltd, 99 USD", pool)

    first, second = asyncio.run(two_drafts())

    for answer in (first, second):
        assert answer.outcome is Outcome.OK, answer.error
        assert answer.values is not None
        assert answer.values["kind"] in ("invoice", "order", None)
        assert answer.values["currency"] in ("EUR", "USD", None)
        assert answer.model == "SmolLM2-135M-Instruct Q4_1"
        start, end = value_spans(answer.raw_text)["kind"]
        signal = mean_logprob(tokens=answer.tokens, start=start, end=end)
        assert signal is not None
        assert signal < 0
    assert second.calls[0].cached_tokens is not None
    assert second.calls[0].cached_tokens > 80, "the shared instructions are read once"


@pytest.mark.model
def test_a_real_server_tells_too_long_truncated_and_a_wrong_key_apart(
    serving: tuple[subprocess.Popen[str], Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, profile = serving
    short = profile.model_copy(update={"parameters": {"max_tokens": 5}})

    async def outcomes() -> list[Outcome]:
        async with ClientPool() as pool:
            answers = [await draft(profile, "word " * 20_000, pool), await draft(short, "Invoice", pool)]
            monkeypatch.setenv(API_KEY_ENV, "wrong")
            answers.append(await draft(profile, "Invoice", pool))
            return [answer.outcome for answer in answers]

    assert asyncio.run(outcomes()) == [Outcome.TOO_LONG, Outcome.TRUNCATED, Outcome.UNAVAILABLE]


@pytest.mark.model
def test_it_ends_on_sigterm_in_the_middle_of_an_answer(
    serving: tuple[subprocess.Popen[str], Profile],
) -> None:
    process, profile = serving

    async def interrupt() -> float:
        quick = quick_profile(profile.base_url, api_key_env=API_KEY_ENV, max_tries=1)
        async with ClientPool() as pool:
            asking = asyncio.create_task(draft(quick, "Tell everything. " * 300, pool))
            await asyncio.sleep(0.3)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 5)
            seconds = time.monotonic() - began
            assert (await asking).outcome is Outcome.UNAVAILABLE
            return seconds

    assert asyncio.run(interrupt()) < 2


@pytest.mark.model
def test_a_question_lives_through_a_restart_of_the_server(
    serving: tuple[subprocess.Popen[str], Profile], tiny: Path
) -> None:
    process, profile = serving
    port = int(profile.base_url.rpartition(":")[2].partition("/")[0])

    async def ask_across_a_restart() -> Answer:
        async with ClientPool() as pool:
            process.kill()
            await asyncio.to_thread(process.wait, 5)
            asking = asyncio.create_task(draft(profile, "Invoice from Nordlicht GmbH, 12.50 EUR", pool))
            await asyncio.sleep(1)
            with subprocess.Popen(
                server_command(tiny, port), cwd=ROOT, stdout=subprocess.DEVNULL
            ) as restarted:
                try:
                    return await asking
                finally:
                    restarted.kill()

    answer = asyncio.run(ask_across_a_restart())

    assert answer.outcome is Outcome.OK, answer.error
    assert answer.calls[0].outcome is Outcome.UNAVAILABLE


@pytest.mark.model
def test_it_ends_when_the_process_that_started_it_is_killed(tiny: Path) -> None:
    port = free_port()
    starter = (
        "import subprocess, sys, time; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter, *server_command(tiny, port)],
        cwd=ROOT,
        env=environment(EMBEDDED_API_KEY="k"),
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        assert asyncio.run(wait_until_ready(port=port, seconds=60))
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 2
    while _lives(server):
        assert time.monotonic() < deadline, "the server outlived its parent"
        time.sleep(0.05)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
