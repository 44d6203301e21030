"""A model server that does what the text it is sent tells it to: OpenAI's chat completions over real HTTP.

    python -m tests.scripted_model --port 9000 --log calls.jsonl [--latency 0.5] [--script rules.json] [--key KEY]

Without a marker it answers a valid instance of the JSON schema sent, built from lines `label: value` of the user's text
(`invoice_number: 17`, `lines[0].amount: 12.50`); what has no line is null where it may be. Markers in a user message:

    [[item ID]]                    the name under which requests are counted and logged (else a hash of the text)
    [[429 retry-after=1 x2]]       this status; for the first two requests of the item only (x2 goes with any marker)
    [[500]] [[502]] [[401]] ...    any status     [[quota]] 429 without quota      [[503-loading x2]]  llama.cpp loading
    [[silence]] [[slow 5]] [[drip]] [[drop]] [[drop-body]]                          no answer, late, by drops, cut off
    [[refusal]] [[length]] [[filter]] [[filter-400]] [[context]]                    what a provider answers
    [[fenced]] [[broken]] [[broken-once]] [[empty]] [[misfit]] [[misfit-once]] [[list]] [[thinking]]   poor answers
    [[no-schema]] [[no-logprobs]] [[no-temperature]]                                400 while the request has these
    [[html]] [[error-200]] [[nothing]]                                              200 without a completion
    [[unsure total]]               low log-probabilities for the value of `total`

`--script` names a JSON list of {"match": "text in the message", "behaviour": "429 x2"}, for texts without markers; a rule
with "says" in the place of "behaviour" is answered as if the text ended with it: lines `label: value`, `[[unsure total]]`.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from integrations.llm.spans import value_spans

_MARKER = re.compile(r"\[\[([^\[\]]+)\]\]")
_LINE = re.compile(r"^[ \t>*-]*([A-Za-z][\w .\[\]/-]{0,60}?)[ \t]*:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_REPAIR = "That answer cannot be used"
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_LONGEST_SILENCE = 600.0


@dataclass
class Seen:
    """One request, as it arrived."""

    item: str
    behaviour: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    at: float


@dataclass
class ScriptedModel:
    latency: float = 0.0
    script: Sequence[dict[str, str]] = ()
    always: Sequence[str] = ()
    key: str = ""
    log: TextIO | None = None
    base_url: str = ""
    requests: list[Seen] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            while await self._one_request(reader, writer):
                pass
        with contextlib.suppress(ConnectionError):
            writer.close()

    async def _one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length") or 0))
        if method == "GET":
            found = (
                {"status": "ok"}
                if path.endswith("/health")
                else {"object": "list", "data": [{"id": "scripted"}]}
            )
            return await _respond(writer, 200, found)
        if not path.split("?")[0].endswith("/chat/completions"):
            return await _respond(writer, 404, _error("no such address"))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._complete(path, headers, json.loads(body), reader, writer)
        finally:
            self.in_flight -= 1

    async def _complete(
        self,
        path: str,
        headers: dict[str, str],
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        texts = _user_texts(body)
        item, behaviour, argument = self._behaviour(texts, body)
        whole = "\n".join(texts)
        texts += [rule["says"] for rule in self.script if "says" in rule and rule["match"] in whole]
        seen = Seen(item=item, behaviour=behaviour, path=path, body=body, headers=headers, at=time.time())
        self.requests.append(seen)
        self._write_log(seen)
        if self.key and self.key not in (headers.get("authorization", "")[7:], headers.get("api-key", "")):
            sent = headers.get("authorization", "")[7:]
            return await _respond(
                writer, 401, _error(f"Incorrect API key provided: {sent}", "invalid_api_key")
            )
        if behaviour == "silence":
            # Held until the client has had enough.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), _LONGEST_SILENCE)
            return False
        await asyncio.sleep(float(argument or 5) if behaviour == "slow" else self.latency)
        if behaviour == "drop":
            writer.transport.abort()
            return False
        if behaviour in ("drip", "drop-body"):
            return await _misbehave_in_body(writer, behaviour)
        if status := _status_of(behaviour):
            return await _respond(writer, *status, retry_after=argument if "429" in behaviour else "")
        if behaviour in ("html", "error-200", "nothing"):
            odd = {
                "html": "<html>Welcome</html>",
                "error-200": _error("upstream failed"),
                "nothing": {"choices": []},
            }
            return await _respond(writer, 200, odd[behaviour])
        return await _respond(writer, 200, _completion(body, texts, behaviour, _unsure(texts)))

    def _behaviour(self, texts: list[str], body: dict[str, Any]) -> tuple[str, str, str]:
        """The item, the first behaviour that is due, and its argument."""
        whole = "\n".join(texts)
        markers = _MARKER.findall(whole)
        item = next((m[5:].strip() for m in reversed(markers) if m.startswith("item ")), "")
        item = item or hashlib.sha256(whole.encode()).hexdigest()[:12]
        markers += [
            rule["behaviour"] for rule in self.script if rule["match"] in whole and "behaviour" in rule
        ]
        for marker in [*markers, *self.always]:
            name, *words = marker.split()
            if name in ("item", "unsure"):
                continue
            times = next((int(word[1:]) for word in words if re.fullmatch(r"x\d+", word)), None)
            if name.endswith("-once"):
                name, times = name.removesuffix("-once"), 1
            argument = next(
                (word.rpartition("=")[2] for word in words if not re.fullmatch(r"x\d+", word)), ""
            )
            if not _applies(name, body):
                continue
            self._counts[item, marker] += 1
            if times is None or self._counts[item, marker] <= times:
                return item, name, argument
        return item, "answer", ""

    def _write_log(self, seen: Seen) -> None:
        if self.log is None:
            return
        self._counts[seen.item, ""] += 1
        line = {
            "at": datetime.fromtimestamp(seen.at, UTC).isoformat(),
            "item": seen.item,
            "call": self._counts[seen.item, ""],
            "behaviour": seen.behaviour,
            "model": seen.body.get("model"),
            "format": (seen.body.get("response_format") or {}).get("type"),
        }
        # One write per line, at arrival: whoever is killed next, the call is on record.
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()


def _user_texts(body: dict[str, Any]) -> list[str]:
    texts = []
    for message in body.get("messages", []):
        content = message.get("content")
        if isinstance(content, list):
            content = "\n".join(part.get("text", "") for part in content)
        if message.get("role") == "user" and not str(content).startswith(_REPAIR):
            texts.append(str(content))
    return texts


def _applies(name: str, body: dict[str, Any]) -> bool:
    """The refusals of a feature stop once the request does without it."""
    if name == "no-schema":
        return (body.get("response_format") or {}).get("type") == "json_schema"
    if name == "no-logprobs":
        return bool(body.get("logprobs"))
    if name == "no-temperature":
        return "temperature" in body or "max_tokens" in body
    return True


def _unsure(texts: list[str]) -> set[str]:
    return {m.split(maxsplit=1)[1] for m in _MARKER.findall("\n".join(texts)) if m.startswith("unsure ")}


def _status_of(behaviour: str) -> tuple[int, Any] | None:
    known: dict[str, tuple[int, Any]] = {
        "quota": (429, _error("You exceeded your current quota", "insufficient_quota")),
        "503-loading": (
            503,
            {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}},
        ),
        "context": (
            400,
            {
                "error": {
                    "code": 400,
                    "message": "request (18030 tokens) exceeds the available context size (8192 tokens), try increasing it",
                    "type": "exceed_context_size_error",
                }
            },
        ),
        "filter-400": (
            400,
            {"error": {"message": "The prompt was filtered", "code": "content_filter", "status": 400}},
        ),
        "no-schema": (
            400,
            _error("'response_format' of type 'json_schema' is not supported with this model"),
        ),
        "no-logprobs": (400, _error("logprobs are not supported with this model")),
        "no-temperature": (
            400,
            _error("Unsupported parameter: 'temperature' or 'max_tokens'", "unsupported_parameter"),
        ),
        "bad-schema": (400, _error("Invalid schema for response_format 'draft'", "invalid_json_schema")),
    }
    if behaviour in known:
        return known[behaviour]
    return (
        (int(behaviour), _error(f"answered {behaviour} as told"))
        if re.fullmatch(r"[45]\d\d", behaviour)
        else None
    )


def _error(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def _completion(body: dict[str, Any], texts: list[str], behaviour: str, unsure: set[str]) -> dict[str, Any]:
    content, refusal, finish = _content(body, texts, behaviour)
    spelled = content or ""
    tokens = _TOKEN.findall(spelled)
    spans = [span for path, span in value_spans(spelled).items() if path in unsure] if unsure else []
    choice: dict[str, Any] = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": content, "refusal": refusal},
    }
    if body.get("logprobs"):
        choice["logprobs"] = {"content": _logprobs(tokens, spans), "refusal": None}
    prompt_tokens = sum(len(text) for text in texts) // 4 + 1
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": f"{body.get('model')}-scripted",
        "choices": [choice],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": len(tokens),
            "total_tokens": prompt_tokens + len(tokens),
            "prompt_tokens_details": {"cached_tokens": prompt_tokens // 2},
        },
    }


def _content(body: dict[str, Any], texts: list[str], behaviour: str) -> tuple[str | None, str | None, str]:
    if behaviour == "refusal":
        return None, "I cannot help with that.", "stop"
    if behaviour == "empty":
        return "", None, "stop"
    instance = build_instance(schema=_schema_of(body), texts=texts)
    text = json.dumps(instance, ensure_ascii=False)
    odd: dict[str, tuple[str | None, str | None, str]] = {
        "length": (text[: len(text) * 2 // 3], None, "length"),
        "filter": (text[:4], None, "content_filter"),
        "fenced": (f"```json\n{text}\n```", None, "stop"),
        "thinking": (f"<think>The text says {text}?</think>\n\n{text}", None, "stop"),
        "broken": (text[: len(text) * 2 // 3], None, "stop"),
        "misfit": (json.dumps({"surprise": True}), None, "stop"),
        "list": (json.dumps([instance]), None, "stop"),
    }
    return odd.get(behaviour, (text, None, "stop"))


def _logprobs(tokens: list[str], unsure: list[tuple[int, int]]) -> list[dict[str, Any]]:
    entries, at = [], 0
    for token in tokens:
        low = any(at < end and at + len(token) > start for start, end in unsure)
        at += len(token)
        logprob = -3.0 if low else -0.01
        entries.append(
            {"token": token, "logprob": logprob, "bytes": list(token.encode()), "top_logprobs": []}
        )
    return entries


def _schema_of(body: dict[str, Any]) -> dict[str, Any]:
    """From response_format, or from the instructions when only a JSON object was asked for."""
    asked = body.get("response_format") or {}
    if asked.get("type") == "json_schema":
        schema = asked["json_schema"]["schema"]
        return schema if isinstance(schema, dict) else {}
    for message in body.get("messages", []):
        before, found, after = str(message.get("content")).partition("JSON schema:\n")
        if found and before:
            return dict(json.JSONDecoder().raw_decode(after)[0])
    return {"type": "object", "properties": {}}


def build_instance(*, schema: dict[str, Any], texts: list[str]) -> Any:
    """A valid instance of the schema, with the values that the texts give; later texts go before earlier ones."""
    lines: dict[str, str] = {}
    for text in texts:
        for label, value in reversed(_LINE.findall(text)):
            lines[_plain(label)] = _MARKER.sub("", value).strip()
    return _build(schema, "", lines, schema.get("$defs", {}))


def _plain(label: str) -> str:
    return re.sub(r"[^a-z0-9\[\].]+", " ", label.lower()).strip()


def _build(schema: dict[str, Any], path: str, lines: dict[str, str], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    kinds = _alternatives(schema)
    given = _given(path, schema, lines)
    if {"type": "null"} in kinds and given is None and not _rows(path, lines):
        return None
    kind: dict[str, Any] = next((k for k in kinds if k != {"type": "null"}), {"type": "null"})
    if "$ref" in kind:
        return _build(kind, path, lines, definitions)
    if "const" in kind:
        return kind["const"]
    if "enum" in kind:
        return _choice(kind["enum"], given)
    match kind.get("type"):
        case "object":
            inner: dict[str, Any] = kind.get("properties", {})
            return {
                key: _build(inner[key], f"{path}.{key}" if path else key, lines, definitions) for key in inner
            }
        case "array":
            return _list(kind, path, given, lines, definitions)
        case "integer" | "number":
            return _number(kind, given)
        case "boolean":
            return (given or "").lower() in ("yes", "true", "1")
        case "null":
            return None
        case _:
            text = (given or "unknown").ljust(kind.get("minLength", 0), ".")
            return text[: kind.get("maxLength", len(text))]


def _alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return [kind for option in options for kind in _alternatives(option)]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": kind} if kind != "null" else {"type": "null"} for kind in schema["type"]]
    if "enum" in schema and None in schema["enum"]:
        rest = [value for value in schema["enum"] if value is not None]
        return [{**schema, "enum": rest}, {"type": "null"}] if rest else [{"type": "null"}]
    return [schema]


def _given(path: str, schema: dict[str, Any], lines: dict[str, str]) -> str | None:
    names = [path, schema.get("title", ""), path.rpartition(".")[2]]
    return next((lines[_plain(name)] for name in names if name and _plain(name) in lines), None)


def _choice(options: list[Any], given: str | None) -> Any:
    wanted = (given or "").casefold()
    return next((option for option in options if str(option).casefold() == wanted), options[0])


def _rows(path: str, lines: dict[str, str]) -> int:
    opening = f"{_plain(path)}["
    numbers = [
        re.match(r"\d+", label[len(opening) :]) for label in lines if path and label.startswith(opening)
    ]
    return max((int(number.group()) + 1 for number in numbers if number), default=0)


def _list(
    kind: dict[str, Any], path: str, given: str | None, lines: dict[str, str], definitions: dict[str, Any]
) -> list[Any]:
    items = kind.get("items", {"type": "string"})
    rows = max(_rows(path, lines), kind.get("minItems", 0))
    if given is not None and not rows:
        parts = [part.strip() for part in re.split(r"[;,]", given) if part.strip()]
        return [_build(items, "part", {"part": part}, definitions) for part in parts]
    return [_build(items, f"{path}[{number}]", lines, definitions) for number in range(rows)]


def _number(kind: dict[str, Any], given: str | None) -> float | int:
    found = re.search(r"-?\d+(?:\.\d+)?", (given or "").replace(",", ""))
    value = float(found.group()) if found else float(kind.get("minimum", 0))
    return int(value) if kind["type"] == "integer" or value == int(value) else value


async def _respond(writer: asyncio.StreamWriter, status: int, body: Any, *, retry_after: str = "") -> bool:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    kind = "text/html" if isinstance(body, str) else "application/json"
    head = f"HTTP/1.1 {status} Scripted\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n"
    if retry_after:
        head += f"Retry-After: {retry_after}\r\n"
    writer.write(head.encode() + b"\r\n" + data)
    await writer.drain()
    return True


async def _misbehave_in_body(writer: asyncio.StreamWriter, behaviour: str) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    for _ in range(600 if behaviour == "drip" else 0):
        await asyncio.sleep(0.1)
        writer.write(b" ")
        await writer.drain()
    return False


@contextlib.contextmanager
def scripted_model(
    *,
    port: int = 0,
    latency: float = 0.0,
    script: Sequence[dict[str, str]] = (),
    always: Sequence[str] = (),
    key: str = "",
    log: Path | None = None,
) -> Iterator[ScriptedModel]:
    """The same server on a thread of this process. `always` are markers that hold for every request."""
    model = ScriptedModel(latency=latency, script=script, always=always, key=key)
    with contextlib.ExitStack() as stack:
        if log is not None:
            model.log = stack.enter_context(log.open("a", encoding="utf-8"))
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        opening = asyncio.start_server(model.connected, "127.0.0.1", port, backlog=256)
        server = asyncio.run_coroutine_threadsafe(opening, loop).result(timeout=5)
        model.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield model
        finally:
            asyncio.run_coroutine_threadsafe(_stop(server), loop).result(timeout=5)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=5)


async def _stop(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _serve(model: ScriptedModel, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = await asyncio.start_server(model.connected, "127.0.0.1", port, backlog=256)
    print(f"Scripted model is ready at http://127.0.0.1:{port}/v1", flush=True)
    await stopped.wait()
    await _stop(server)


def main() -> int:
    parser = argparse.ArgumentParser(description="A model server that does what the text tells it to.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--script", type=Path)
    parser.add_argument("--key", default="")
    parser.add_argument("--always", action="append", default=[], help="a marker that holds for every request")
    given = parser.parse_args()
    script = json.loads(given.script.read_text(encoding="utf-8")) if given.script else ()
    with given.log.open("a", encoding="utf-8") as log:
        model = ScriptedModel(
            latency=given.latency, script=script, always=given.always, key=given.key, log=log
        )
        asyncio.run(_serve(model, given.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
