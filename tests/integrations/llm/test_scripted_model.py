"""The scripted server is trusted by other tests, also as a process of its own."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.scripted_model import build_instance, scripted_model

ROOT = Path(__file__).parents[3]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_as_a_process_it_logs_one_line_per_request_and_ends_on_sigterm(tmp_path: Path) -> None:
    port, log, script = free_port(), tmp_path / "calls.jsonl", tmp_path / "rules.json"
    script.write_text(json.dumps([{"match": "overdue", "behaviour": "429 retry-after=2 x1"}]))
    command = [sys.executable, "-m", "tests.scripted_model", "--port", str(port), "--log", str(log)]
    with subprocess.Popen(
        [*command, "--script", str(script)], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        url = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{url}/health").status_code == 200
        body = {"model": "m", "messages": [{"role": "user", "content": "[[item A7]] an overdue invoice"}]}
        first = httpx.post(f"{url}/v1/chat/completions", json=body)
        second = httpx.post(f"{url}/v1/chat/completions", json=body)
        began = time.monotonic()
        process.terminate()
        assert process.wait(timeout=5) == 0
    assert time.monotonic() - began < 2
    assert (first.status_code, first.headers["retry-after"]) == (429, "2")
    assert second.status_code == 200
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["item"], line["call"], line["behaviour"]) for line in lines] == [
        ("A7", 1, "429"),
        ("A7", 2, "answer"),
    ]


def test_values_come_from_the_lines_whose_label_matches() -> None:
    schema = {
        "type": "object",
        "properties": {
            "due_date": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "kind": {"enum": ["invoice", "order", None]},
            "total": {"$ref": "#/$defs/money"},
            "phone": {"type": ["string", "null"]},
            "urgent": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "code": {"type": "string", "maxLength": 3},
            "count": {"type": "integer"},
        },
        "$defs": {"money": {"type": "object", "properties": {"amount": {"type": "number"}}}},
    }
    text = "Due date: 3 May\nkind: Order\ntotal.amount: 1,200.50\nurgent: yes\ntags: red, blue\ncode: ABCDEF\ncount: 4"

    assert build_instance(schema=schema, texts=[text]) == {
        "due_date": "3 May",
        "kind": "order",
        "total": {"amount": 1200.5},
        "phone": None,
        "urgent": True,
        "tags": ["red", "blue"],
        "code": "ABC",
        "count": 4,
    }


def test_a_wrong_key_is_refused() -> None:
    with scripted_model(key="right") as model:
        body = {"model": "m", "messages": []}
        url = f"{model.base_url}/chat/completions"
        assert httpx.post(url, json=body, headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert httpx.post(url, json=body, headers={"Authorization": "Bearer right"}).status_code == 200
