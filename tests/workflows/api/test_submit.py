from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from tests.factories import STAFF, make_user, make_workflow
from tests.workflows.api.calls import Caller
from workflows.models import Item, Stage, Workflow


def test_a_new_item_is_answered_with_its_id_state_and_address(caller: Caller) -> None:
    answer = caller.submit(text="Call me back.", title="A call", files=(("a.txt", b"one"), ("b.txt", b"two")))

    assert answer.status_code == 202, answer.content
    item = Item.objects.get()
    assert answer.json() == {
        "id": str(item.public_id), "state": "received", "url": f"http://localhost:8000/api/v1/items/{item.public_id}",
    }  # fmt: skip
    assert [source.name for source in item.sources.all()] == ["", "a.txt", "b.txt"]
    assert item.submitted_by.username == "caller"
    assert item.channel == "api"


REPEATS: list[tuple[str, dict[str, Any], dict[str, Any], int, int]] = [
    ("the same key and request", {"idempotency_key": "k", "text": "a"}, {"idempotency_key": "k", "text": "a"}, 200, 1),
    ("the same key, another body", {"idempotency_key": "k", "text": "a"}, {"idempotency_key": "k", "text": "b"}, 422, 1),
    ("the same key, another title", {"idempotency_key": "k", "text": "a"}, {"idempotency_key": "k", "text": "a", "title": "t"}, 422, 1),
    ("the same external id and content", {"external_id": "x", "text": "a"}, {"external_id": "x", "text": "a"}, 200, 1),
    ("the same external id, other content", {"external_id": "x", "text": "a"}, {"external_id": "x", "text": "b"}, 409, 1),
    ("the same content", {"text": "a"}, {"text": "a"}, 202, 2),
    ("the same content under two external ids", {"external_id": "x", "text": "a"}, {"external_id": "y", "text": "a"}, 202, 2),
    ("another key and content", {"idempotency_key": "k", "text": "a"}, {"idempotency_key": "l", "text": "b"}, 202, 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "first", "second", "status", "items"), REPEATS, ids=[row[0] for row in REPEATS]
)
def test_a_second_request_with(
    caller: Caller, what: str, first: dict, second: dict, status: int, items: int
) -> None:
    one = caller.submit(**first)
    two = caller.submit(**second)

    assert (one.status_code, two.status_code) == (202, status), two.content
    assert Item.objects.count() == items
    if status == 200:
        assert two.json()["id"] == one.json()["id"]


def test_the_same_content_under_no_name_is_kept_and_skipped(caller: Caller) -> None:
    caller.submit(text="a b")
    assert caller.submit(text="a  b").json()["state"] == "skipped"


@pytest.mark.django_db(transaction=True)
def test_eight_callers_with_the_same_key_at_once_make_one_item() -> None:
    workflow = make_workflow("leads")
    caller = Caller(workflow=workflow, user=make_user(can=STAFF, on=workflow))
    start, answers = threading.Barrier(8), []

    def call() -> None:
        try:
            start.wait(timeout=10)
            answers.append(Caller.submit(caller, idempotency_key="same", text="once"))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Item.objects.count() == 1


BAD: list[tuple[str, dict[str, Any], int, str]] = [
    ("nothing", {}, 422, "text"),
    ("white space alone", {"text": "  \n"}, 422, "text"),
    ("metadata that is no JSON", {"text": "a", "metadata": "{"}, 422, "metadata"),
    ("metadata that is a list", {"text": "a", "metadata": "[]"}, 422, "metadata"),
    ("metadata that is not a number", {"text": "a", "metadata": '{"a": NaN}'}, 422, "metadata"),
    ("metadata with a NUL", {"text": "a", "metadata": '{"a": "\\u0000"}'}, 422, "metadata"),
    ("metadata with half a character", {"text": "a", "metadata": '{"a": "\\ud800"}'}, 422, "metadata"),
    ("metadata with a huge number", {"text": "a", "metadata": '{"a": ' + "9" * 5000 + "}"}, 422, "metadata"),
    ("metadata with a number beyond all bounds", {"text": "a", "metadata": '{"a": 1e999}'}, 422, "metadata"),
    ("metadata that nests without end", {"text": "a", "metadata": "[" * 100_000}, 422, "metadata"),
    ("metadata that is long", {"text": "a", "metadata": '{"a": "' + "x" * 20_001 + '"}'}, 422, "metadata"),
    ("a long title", {"text": "a", "title": "t" * 201}, 422, "title"),
    ("a long external id", {"text": "a", "external_id": "t" * 201}, 422, "external_id"),
    ("a long key", {"text": "a", "idempotency_key": "k" * 256}, 422, ""),
    ("a key that is not ASCII", {"text": "a", "idempotency_key": "schlüssel"}, 422, "Idempotency-Key"),
    ("a long text", {"text": "a" * 200_001}, 413, ""),
    ("too many files", {"files": tuple((f"{n}.txt", b"x") for n in range(21))}, 413, ""),
]  # fmt: skip


@pytest.mark.parametrize(("what", "request_", "status", "place"), BAD, ids=[row[0] for row in BAD])
def test_refused_with_a_problem_document(
    caller: Caller, what: str, request_: dict, status: int, place: str
) -> None:
    answer = caller.submit(**request_)

    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["detail"].endswith(".")
    if place:
        assert [error["field"] for error in told["errors"]] == [place]
    assert Item.objects.count() == 0


@pytest.mark.parametrize(
    "text", ["a\x00b", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "émile ✓ 🙂"]
)
def test_odd_characters_are_taken(caller: Caller, text: str) -> None:
    assert caller.submit(text=text, title=text, files=(("a\x00b.txt", b"\xff\xfe"),)).status_code == 202


BODIES = [
    ("no boundary", "multipart/form-data", b"x"),
    ("a wrong boundary", "multipart/form-data; boundary=abc", b"--xyz\r\n\r\n"),
    ("a cut body", "multipart/form-data; boundary=abc", b'--abc\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nhal'),
    ("bad UTF-8", "multipart/form-data; boundary=abc", b'--abc\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\xfe\r\n--abc--\r\n'),
    ("an unknown character set", "multipart/form-data; boundary=abc; charset=none", b'--abc\r\nContent-Disposition: form-data; name="text"\r\n\r\na\r\n--abc--\r\n'),
    ("JSON", "application/json", b'{"text": "a"}'),
    ("broken JSON", "application/json", b"{"),
    ("a text for a file", "multipart/form-data; boundary=abc", b'--abc\r\nContent-Disposition: form-data; name="files"\r\n\r\na\r\n--abc--\r\n'),
    ("many fields", "application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(1100))),
    ("odd percent signs", "application/x-www-form-urlencoded", b"text=%ff%zz%"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "content_type", "body"), BODIES, ids=[row[0] for row in BODIES])
def test_a_body_that_is(caller: Caller, what: str, content_type: str, body: bytes) -> None:
    path = f"/api/v1/workflows/{caller.workflow.slug}/items"
    answer = caller.client.generic("POST", path, body, content_type=content_type, headers=caller.headers)
    assert answer.status_code in (202, 413, 422), answer.content
    assert answer.status_code == 202 or answer["Content-Type"] == "application/problem+json"


def test_a_request_that_is_too_large_is_refused_before_it_is_read(caller: Caller, settings: Any) -> None:
    settings.MAX_REQUEST_BYTES = 1000
    assert caller.submit(text="a" * 2000).status_code == 413


def test_a_file_that_is_too_large_is_refused(caller: Caller, settings: Any) -> None:
    settings.MAX_FILE_BYTES = 10
    assert caller.submit(files=(("a.txt", b"x" * 11),)).status_code == 413
    assert Item.objects.count() == 0


def test_a_workflow_that_takes_no_work_says_so(caller: Caller, workflow: Workflow) -> None:
    Workflow.objects.filter(pk=workflow.pk).update(stage=Stage.PAUSED)
    answer = caller.submit(text="a")
    assert answer.status_code == 409
    assert "paused" in answer.json()["detail"]


def test_more_requests_than_a_key_may_make_are_refused_with_a_time(caller: Caller, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    statuses = [caller.list().status_code for _ in range(5)]
    assert 429 in statuses
    late = caller.list()
    assert late.status_code == 429
    assert 1 <= int(late["Retry-After"]) <= 61
