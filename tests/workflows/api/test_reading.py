from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import STAFF, make_item, make_user, make_workflow
from tests.workflows.api.calls import Caller
from workflows.decisions import approve
from workflows.models import ApiKey, Item, Workflow
from workflows.states import State


def test_an_item_tells_its_state_reasons_draft_values_decision_deliveries_and_cost(
    caller: Caller, workflow: Workflow
) -> None:
    item = make_item(workflow=workflow, title="From Ines")
    approve(item=item, by=caller.row.user, values={"topic": "other"}, reason="seen")

    told = caller.get(f"items/{item.public_id}").json()

    assert (told["state"], told["workflow"], told["title"]) == ("approved", "leads", "From Ines")
    assert told["route"]["reasons"][0]["text"] == "financial: always reviewed"
    assert told["draft"]["fields"]["topic"] == {
        "label": "Topic", "value": "quote", "signal": 0.5, "flags": [],
        "evidence": {"status": "verbatim", "quote": "", "source": 0, "page": 1, "start": 0, "end": 4, "boxes": []},
    }  # fmt: skip
    assert told["values"]["topic"] == "other"
    assert (told["decision"]["kind"], told["decision"]["changed"]) == ("edit", ["topic"])
    assert [one["kind"] for one in told["deliveries"]] == ["register"]
    assert told["cost"]["prompt_tokens"] == 10
    assert told["problem"] is None


def test_prompts_raw_answers_and_the_source_are_not_told(caller: Caller, workflow: Workflow) -> None:
    item = make_item(workflow=workflow, text="the-source-text")
    item.runs.update(raw_text="the-raw-answer", prompt=[{"content": "the-prompt"}])

    told = caller.get(f"items/{item.public_id}").content.decode()

    assert all(secret not in told for secret in ("the-source-text", "the-raw-answer", "the-prompt"))


def test_an_item_that_needs_attention_says_what_to_do(caller: Caller, workflow: Workflow) -> None:
    item = make_item(workflow=workflow, state=State.ATTENTION)
    assert caller.get(f"items/{item.public_id}").json()["problem"]["next_step"] == "Try again."


def test_reading_to_the_end_gives_every_item_once(caller: Caller, workflow: Workflow) -> None:
    now = timezone.now()
    wanted = [make_item(workflow=workflow, state=State.RECEIVED) for _ in range(7)]
    # The same moment for several of them: the id decides there.
    Item.objects.update(updated_at=now)
    Item.objects.filter(pk=wanted[0].pk).update(updated_at=now + timedelta(seconds=1))

    seen, cursor = [], ""
    for _ in range(10):
        page = caller.list(limit=3, **({"cursor": cursor} if cursor else {})).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break

    assert seen == [str(item.public_id) for item in [*wanted[1:], wanted[0]]]


def test_a_list_can_be_of_one_state_and_of_what_changed_since(caller: Caller, workflow: Workflow) -> None:
    old = make_item(workflow=workflow)
    new = make_item(workflow=workflow, state=State.ATTENTION)
    Item.objects.filter(pk=old.pk).update(updated_at=timezone.now() - timedelta(days=2))
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()

    assert [one["id"] for one in caller.list(state="in_review").json()["items"]] == [str(old.public_id)]
    assert [one["id"] for one in caller.list(updated_after=yesterday).json()["items"]] == [str(new.public_id)]


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"}, {"cursor": "WzEsMl0:1abc:sig"}, {"cursor": "\x00"}, {"cursor": "é"}, {"state": "done"}, {"state": "\x00"},
        {"updated_after": "yesterday"}, {"updated_after": "9999-12-31T23:59:59-12:00"}, {"updated_after": "0001-01-01T00:00:00+12:00"},
        {"limit": "0"}, {"limit": "201"}, {"limit": "many"}, {"limit": "9" * 5000},
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_read_is_a_problem_document(caller: Caller, query: dict[str, Any]) -> None:
    answer = caller.list(**query)
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == list(query)


def test_a_cursor_of_another_workflow_is_refused(caller: Caller) -> None:
    other = make_workflow("other")
    theirs = Caller(workflow=other, user=make_user(can=STAFF, on=other))
    for _ in range(2):
        make_item(workflow=other, state=State.RECEIVED)
    cursor = theirs.list(limit=1).json()["next_cursor"]
    assert cursor
    assert caller.list(cursor=cursor).status_code == 422


def test_a_key_opens_its_own_workflow_alone(caller: Caller) -> None:
    other = make_workflow("other")
    item = make_item(workflow=other)
    # Even where its user may see the other one.
    from tests.factories import grant_all

    grant_all(to=caller.row.user, on=other)

    answers = [
        caller.get(f"items/{item.public_id}"), caller.get("workflows/other/items"), caller.submit(slug="other", text="a"),
        caller.get("items/not-an-id"), caller.get("items/00000000-0000-0000-0000-000000000000"), caller.get("nothing/here"),
        caller.get("workflows/%00/items"),
    ]  # fmt: skip

    assert {answer.status_code for answer in answers} == {404}
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}
    assert len({answer.content for answer in answers[:5]}) == 1, "hidden and missing look the same"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer cs_wrong", "Basic abc", "Bearer \xff\xfe", "Bearer a b"]
)
def test_without_a_valid_key_nothing_opens(caller: Caller, header: str) -> None:
    answer = caller.client.get("/api/v1/workflows/leads/items", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "columns",
    [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(seconds=1)}],
    ids=["revoked", "expired"],
)
def test_a_key_that_is_over_opens_nothing(caller: Caller, columns: dict[str, Any]) -> None:
    ApiKey.objects.filter(pk=caller.row.pk).update(**columns)
    assert caller.list().status_code == 401


def test_a_key_of_a_user_who_left_opens_nothing(caller: Caller) -> None:
    caller.row.user.is_active = False
    caller.row.user.save()
    assert caller.list().status_code == 401


def test_a_key_whose_user_lost_access_opens_nothing(caller: Caller, workflow: Workflow) -> None:
    from guardian.models import UserObjectPermission

    item = make_item(workflow=workflow)
    UserObjectPermission.objects.all().delete()
    statuses = [
        caller.list().status_code,
        caller.get(f"items/{item.public_id}").status_code,
        caller.submit(text="a").status_code,
    ]
    assert statuses == [404, 404, 404]


def test_the_contract_is_served(caller: Caller) -> None:
    contract = caller.client.get("/api/v1/openapi.json").json()
    assert sorted(contract["paths"]) == [
        "/api/v1/items/{item_id}", "/api/v1/workflows/{slug}/items", "/api/v1/workflows/{slug}/stage",
    ]  # fmt: skip
    page = caller.client.get("/api/v1/docs").content.decode()
    assert "ninja/swagger-ui-bundle.js" in page
    assert "//cdn" not in page


def test_a_list_takes_the_same_number_of_queries_at_any_size(caller: Caller, workflow: Workflow) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as told:
            assert caller.list(limit=200).status_code == 200
        return len(told)

    make_item(workflow=workflow)
    caller.list()
    few = queries()
    for _ in range(15):
        make_item(workflow=workflow)
    assert queries() == few <= 5
