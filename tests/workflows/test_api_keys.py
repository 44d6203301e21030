"""Keys of the API: what each may do, how it is rotated without a gap, and how much it may call."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tests.factories import STAFF, make_item, make_user, make_workflow
from workflows.access import Action
from workflows.api_keys import create_api_key, find_api_key, rotate_api_key
from workflows.errors import Conflict
from workflows.models import ApiKey, Workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads", name="Leads")


def call(key: str, method: str = "get", address: str = "/api/v1/workflows/leads/items", **data: Any) -> Any:
    return getattr(Client(), method)(address, data, headers={"Authorization": f"Bearer {key}"})


def results(*, key: str, item: Any) -> dict[str, int]:
    stage = {"data": '{"stage": "paused", "reason": "r"}', "content_type": "application/json"}
    return {
        "submit": call(key, "post", text="Ines Okafor owes 3 EUR").status_code,
        "list": call(key).status_code,
        "read": call(key, address=f"/api/v1/items/{item.public_id}").status_code,
        "stage": Client()
        .post("/api/v1/workflows/leads/stage", headers={"Authorization": f"Bearer {key}"}, **stage)
        .status_code,
    }


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("all", {"submit": 202, "list": 200, "read": 200, "stage": 200}),
     ("view", {"submit": 403, "list": 200, "read": 200, "stage": 403}),
     ("submit", {"submit": 202, "list": 403, "read": 403, "stage": 403}),
     ("submit,view", {"submit": 202, "list": 200, "read": 200, "stage": 403})],
)  # fmt: skip
def test_a_key_does_what_it_was_made_for(workflow: Workflow, scope: str, expected: dict[str, int]) -> None:
    user = make_user(can=tuple(Action), on=workflow)
    item = make_item(workflow=workflow)
    _, key = create_api_key(workflow=workflow, user=user, scope=scope)
    assert results(key=key, item=item) == expected


def test_a_scope_gives_nothing_that_the_user_may_not(workflow: Workflow) -> None:
    user = make_user(can=(Action.VIEW,), on=workflow)
    item = make_item(workflow=workflow)
    for scope in ApiKey.Scope.values:
        _, key = create_api_key(workflow=workflow, user=user, scope=scope)
        given = results(key=key, item=item)
        assert (given["submit"], given["stage"]) == (403, 403), scope


def test_a_refusal_says_what_the_key_may(workflow: Workflow) -> None:
    _, key = create_api_key(workflow=workflow, user=make_user(can=STAFF, on=workflow), scope="view")
    assert (
        "was not made to submit items; it may only read items" in call(key, "post", text="x").json()["detail"]
    )


def test_a_key_is_rotated_without_a_gap(workflow: Workflow) -> None:
    old, key = create_api_key(
        workflow=workflow, user=make_user(can=STAFF, on=workflow), scope="view", name="site", days=30
    )
    new, other = rotate_api_key(key=old, hours=2)
    assert (call(key).status_code, call(other).status_code) == (200, 200)
    assert (new.scope, new.name, new.user_id, new.workflow_id) == (
        "view",
        "site",
        old.user_id,
        old.workflow_id,
    )
    assert timedelta(days=29) < new.expires_at - timezone.now() <= timedelta(days=30)
    old.refresh_from_db()
    assert old.expires_at <= timezone.now() + timedelta(hours=2)
    ApiKey.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert (call(key).status_code, call(other).status_code) == (401, 200)


def test_an_old_key_never_lives_longer_by_being_rotated(workflow: Workflow) -> None:
    old, _ = create_api_key(workflow=workflow, user=make_user(can=STAFF, on=workflow), days=1)
    before = old.expires_at
    rotate_api_key(key=old, hours=48)
    old.refresh_from_db()
    assert old.expires_at == before


def test_a_key_is_rotated_once_and_not_when_it_is_over(workflow: Workflow) -> None:
    user = make_user(can=STAFF, on=workflow)
    first, _ = create_api_key(workflow=workflow, user=user)
    rotate_api_key(key=first)
    with pytest.raises(Conflict, match="rotated already"):
        rotate_api_key(key=first)
    second, _ = create_api_key(workflow=workflow, user=user)
    ApiKey.objects.filter(pk=second.pk).update(revoked_at=timezone.now())
    with pytest.raises(Conflict, match="over already"):
        rotate_api_key(key=second)
    assert ApiKey.objects.count() == 3


def test_the_commands_print_the_key_alone(workflow: Workflow) -> None:
    make_user("alice", can=STAFF, on=workflow)
    out = io.StringIO()
    call_command("create_api_key", "leads", "alice", "--may", "submit", stdout=out)
    key = out.getvalue().strip()
    assert re.fullmatch(r"cs_[\w-]{43}", key)
    assert ApiKey.objects.get().scope == "submit"
    out, err = io.StringIO(), io.StringIO()
    call_command("rotate_api_key", key[:10], "--hours", "1", stdout=out, stderr=err)
    new = out.getvalue().strip()
    assert re.fullmatch(r"cs_[\w-]{43}", new)
    assert new != key
    assert "lives on until" in err.getvalue()
    assert find_api_key(key=new) is not None
    with pytest.raises(CommandError, match="No key begins"):
        call_command("rotate_api_key", "cs_nothing")


def test_the_calls_of_a_key_are_counted_in_the_database(workflow: Workflow, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    user = make_user(can=STAFF, on=workflow)
    _, key = create_api_key(workflow=workflow, user=user)
    _, other = create_api_key(workflow=workflow, user=user)
    assert [call(key).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert 1 <= int(call(key)["Retry-After"]) <= 60
    assert call(other).status_code == 200


def test_last_use_is_written_once_a_minute_and_leaves_no_history(workflow: Workflow) -> None:
    row, key = create_api_key(workflow=workflow, user=make_user(can=STAFF, on=workflow))
    call(key)
    row.refresh_from_db()
    first = row.last_used_at
    call(key)
    row.refresh_from_db()
    assert row.last_used_at == first
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    call(key)
    row.refresh_from_db()
    assert timezone.now() - row.last_used_at < timedelta(seconds=30)
    assert row.history.count() == 1
    assert not hasattr(row.history.get(), "sha256")


# The screen


@pytest.fixture
def manager(workflow: Workflow) -> Client:
    client = Client()
    person = make_user("manager", can=(Action.VIEW, Action.ACCESS, Action.SUBMIT), on=workflow)
    client.force_login(person, backend="config.backends.PasswordBackend")
    return client


def test_who_manages_access_makes_a_key_of_their_own_that_is_shown_once(
    manager: Client, workflow: Workflow
) -> None:
    other = make_workflow("other", name="Hidden away")
    page = manager.get("/admin/workflows/apikey/add/").content.decode()
    assert "Hidden away" not in page
    given = {"workflow": workflow.pk, "name": "site", "scope": "view", "days": "30"}
    answer = manager.post("/admin/workflows/apikey/add/", given)
    key = re.search(r"cs_[\w-]{43}", answer.content.decode())
    assert key
    assert "no-store" in answer["Cache-Control"]
    row = ApiKey.objects.get()
    assert (row.user.username, row.scope) == ("manager", "view")
    assert row.history.get().history_user == row.user
    assert call(key[0]).status_code == 200
    for address in ("/admin/workflows/apikey/", f"/admin/workflows/apikey/{row.pk}/change/"):
        assert key[0] not in manager.get(address).content.decode()
    assert manager.post("/admin/workflows/apikey/add/", given | {"workflow": other.pk}).status_code == 200
    assert ApiKey.objects.count() == 1


def test_ones_own_key_is_rotated_on_its_page_and_another_persons_is_not(
    manager: Client, workflow: Workflow
) -> None:
    boss = make_user("boss", can=tuple(Action), on=workflow)
    theirs, _ = create_api_key(workflow=workflow, user=boss)
    manager.post(
        "/admin/workflows/apikey/add/", {"workflow": workflow.pk, "name": "n", "scope": "view", "days": "3"}
    )
    mine = ApiKey.objects.get(user__username="manager")
    assert "Rotate the key" in manager.get(f"/admin/workflows/apikey/{mine.pk}/change/").content.decode()
    assert (
        "Rotate the key" not in manager.get(f"/admin/workflows/apikey/{theirs.pk}/change/").content.decode()
    )
    assert manager.get(f"/admin/workflows/apikey/{mine.pk}/rotate/").status_code == 405
    assert manager.post(f"/admin/workflows/apikey/{theirs.pk}/rotate/").status_code == 404
    assert "lives on until" in manager.post(f"/admin/workflows/apikey/{mine.pk}/rotate/").content.decode()
    assert ApiKey.objects.count() == 3


def test_revoking_is_in_the_history(manager: Client, workflow: Workflow) -> None:
    row, key = create_api_key(workflow=workflow, user=make_user(can=STAFF, on=workflow))
    manager.post("/admin/workflows/apikey/", {"action": "revoke", "_selected_action": [row.pk], "index": "0"})
    assert call(key).status_code == 401
    newest = row.history.first()
    assert (newest.history_user.username, newest.history_change_reason) == ("manager", "Revoked")
