"""Each address of the admin and the API, opened by people who may not, against rows full of canaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import MANAGER, STAFF, make_item, make_user, make_workflow
from tests.security.doors import addresses
from tests.security.secret_workflow import CANARY, Secret, make_secret, our_models
from workflows.access import Action, visible
from workflows.api_keys import create_api_key
from workflows.models import (
    ApiKey,
    BreakGlass,
    Brief,
    Budget,
    Decision,
    Delivery,
    FollowUp,
    GrantChange,
    Item,
    Launch,
    LegalHold,
    MetricActual,
    RegisterExport,
    Run,
    Try,
    ViewAs,
    Workflow,
)

pytestmark = pytest.mark.django_db

LIST_ACTIONS = (
    "approve_items", "reject_items", "escalate_items", "send_back_items", "try_again_items", "send_again", "mark_as_arrived",
    "revoke", "evaluate", "delete_selected",
)  # fmt: skip
POSTED = {
    *(f"workflows_item_{act}" for act in ("decide", "delivery", "claim", "renew", "release", "take_over", "move", "split", "check")),
    "workflows_evaluation_stop",
    *(f"workflows_workflow_{act}" for act in ("access", "access_reviewed", "stage", "actual", "follow_up", "view_as", "hold")),
    *(f"workflows_version_{act}" for act in ("copy", "activate", "try", "evaluate")),
    "workflows_case_active", "workflows_apikey_rotate", "workflows_destination_test", "reviews_review_next", "reviews_escalation_remind",
}  # fmt: skip
# Figures of whatever one may count: not a row, so it is not hidden from everybody; what it counts is looked at.
FIGURES = {"reports", "reports_export", "workflows_erasure_person"}
# Rows without a screen of their own in the admin.
UNLISTED = (
    Decision, GrantChange, Try, Brief, MetricActual, Launch, FollowUp, Budget, BreakGlass, ViewAs, LegalHold,
)  # fmt: skip


@pytest.fixture
def secret() -> Secret:
    return make_secret()


def client_of(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user, backend="config.backends.PasswordBackend")
    return client


def people(secret: Secret) -> dict[str, Any]:
    """Those who may see nothing of the secret workflow."""
    other = make_workflow("other", name="The other one")
    make_item(workflow=other, title="Theirs")
    return {
        "anonymous": None,
        "outsider": make_user("outsider"),
        "no staff": make_user("no-staff", staff=False, can=tuple(Action), on=secret.workflow),
        "staff of another workflow": make_user("other-staff", can=STAFF, on=other),
        "admin of another workflow": make_user("other-admin", can=tuple(Action), on=other),
    }


def columns_of(row: Any) -> dict[str, Any]:
    """Those that no form shows as well: a claim is one of them."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def state_of(secret: Secret) -> list[Any]:
    """Every column of every row of the secret workflow, and how many there are."""
    boss = get_user_model().objects.get(username=f"{CANARY}-boss")
    rows = (visible(boss, model._base_manager.all()) for model in (*our_models(), *UNLISTED))
    return [sorted(str(columns_of(row)) for row in each) for each in rows]


def around(content: bytes) -> bytes:
    at = content.find(CANARY.encode())
    return content[max(0, at - 120) : at + 120]


def has_history(name: str) -> bool:
    return any(
        hasattr(model, "history") for model in our_models() if name.split("_")[1] == model._meta.model_name
    )


def posts(*, secret: Secret, address: str) -> Iterator[dict[str, Any]]:
    pks = [str(row.pk) for row in secret.rows.values()]
    yield {}
    for action in LIST_ACTIONS:
        yield {"action": action, "_selected_action": pks, "index": "0", "reason": "r", "select_across": "1"}
    for verb in ("approve", "edit", "reject", "escalate", "back", "again", "close", "send again", "arrived"):
        yield {
            "verb": verb,
            "reason": "r",
            "revision": str(secret.item.revision),
            "value-name": "changed",
            "seen": "name",
        }
    yield {
        "workflow": str(secret.workflow.pk),
        "reason": "r",
        "revision": str(secret.item.revision),
        "excerpt": "a text",
        "next": "1",
    }
    for format in ("csv", "xlsx"):
        yield {"format": format}
    yield {"per_item": "1", "per_day": "2", "per_month": "3", "alert_percent": "50"}
    yield {
        "workflow": str(secret.workflow.pk),
        "text": "t",
        "name": "n",
        "kind": "register",
        "stage": "live",
        "slug": "s",
        "post": "yes",
    }
    for stage in ("live", "paused", "retired"):
        yield {"stage": stage, "reason": "r"}
    for verb in ("look", "erase", "hold", "release"):
        yield {"verb": verb, "text": CANARY[:5], "reason": "r", "confirm": "erase 1", "workflow": ""}
    today = str(timezone.localdate())
    yield {
        "task": "changed", "metric_source": "entered", "timed-TOTAL_FORMS": "0", "timed-INITIAL_FORMS": "0", "day": today,
        "value": "2", "findings": "f", "decision": "keep",
    }  # fmt: skip
    everything = [f"person:other-admin|{action}" for action in Action]
    for verb in ("look", "add", "save"):
        yield {
            "verb": verb,
            "row": ["person:other-admin", f"person:{CANARY}-boss"],
            "on": everything,
            "seal": "s",
        }


@pytest.mark.parametrize(
    "who", ["anonymous", "outsider", "no staff", "staff of another workflow", "admin of another workflow"]
)
def test_whoever_may_not_see_it_finds_nothing_and_changes_nothing(secret: Secret, who: str) -> None:
    client = client_of(people(secret)[who])
    before = state_of(secret)
    # “Next item” leads to what one may review oneself, or back to one's own empty list.
    row_names = {
        name
        for name in addresses(secret)
        if name not in FIGURES and not name.endswith(("_changelist", "_add", "_export", "_next"))
    }

    for name, address in addresses(secret).items():
        for query in (
            "",
            f"?workflow__id__exact={secret.workflow.pk}",
            f"?item__workflow__id__exact={secret.workflow.pk}&q={CANARY[1:]}",  # not the whole word: a list says what was searched for
            "?_popup=1",
        ):
            _hidden(client.get(address + query), name=name, who=who, is_row=name in row_names)
        for body in posts(secret=secret, address=address):
            answer = client.post(address, body)
            _hidden(answer, name=f"POST {name} {body}", who=who, is_row=name in row_names)
            if name.endswith("history"):
                assert answer.status_code in (302, 404, 405), name

    assert state_of(secret) == before


def _hidden(answer: Any, *, name: str, who: str, is_row: bool) -> None:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code < 500, f"{name} for {who}: {answer.status_code}"
    assert CANARY.encode() not in content, f"{name} for {who} leaks {around(content)!r}"
    if is_row:
        # Signed out people are sent to the log-in, whatever is there; everybody else meets the one page.
        expected = (302,) if who in ("anonymous", "no staff") else (403, 404, 405)
        assert answer.status_code in expected, f"{name} for {who}: {answer.status_code}"


def test_a_hidden_row_and_one_that_never_was_look_the_same(secret: Secret) -> None:
    client = client_of(people(secret)["admin of another workflow"])
    for name, address in addresses(secret).items():
        if name in FIGURES:
            continue
        if name.endswith(("_changelist", "_add", "_export")) or name in POSTED:
            assert name not in POSTED or client.get(address).status_code in (404, 405), name
            continue
        pk = str(secret.rows[f"{name.split('_')[0]}.{name.split('_')[1]}"].pk)
        missing = address.replace(f"/{pk}/", "/999999/", 1)
        hidden, absent = client.get(address), client.get(missing)
        assert (
            (hidden.status_code, hidden.content)
            == (absent.status_code, absent.content)
            == (404, hidden.content)
        ), name


def test_odd_ids_are_not_found(secret: Secret) -> None:
    client = client_of(get_user_model().objects.get(username=f"{CANARY}-boss"))
    for model in our_models():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
        for odd in ("0", "-1", "x", "9" * 40, "%00", "_5F", "1.5", "é"):
            for view in ("change", "history", "delete", "history/1", "history/x"):
                assert client.get(f"{base}/{odd}/{view}/").status_code == 404, f"{base}/{odd}/{view}/"


def test_view_only_people_see_rows_but_no_model_logs_no_keys_and_change_nothing(secret: Secret) -> None:
    client = client_of(make_user("viewer", can=MANAGER, on=secret.workflow))
    before = state_of(secret)
    for name, address in addresses(secret).items():
        answer = client.get(address)
        assert answer.status_code < 500, name
        if name.startswith(
            (
                "workflows_run_",
                "workflows_apikey_",
                "workflows_registerexport_",
                "workflows_auditevent_",
                "workflows_case_",
                "workflows_erasure_",
            )
        ):
            assert answer.status_code in ((405,) if name in POSTED else (403, 404)), name
            # The page says whom to ask about workflows that this person may see, and nothing else.
            told = answer.content.decode().replace(secret.workflow.name, "").replace(f"{CANARY}-boss", "")
            assert CANARY not in told, name
        elif name.endswith("_simple_history"):
            assert answer.status_code == (200 if has_history(name) else 404), name
        elif name.endswith(("_change", "_history", "_changelist")):
            assert answer.status_code == 200, name
            # Who reviews nothing has an empty review list.
            shows = not name.endswith("_history") and name != "reviews_review_changelist"
            assert shows == (CANARY.encode() in answer.content) or name.endswith("_history"), name
            assert f"{CANARY} prompt".encode() not in answer.content
            assert f"{CANARY} raw".encode() not in answer.content
        elif name.endswith(("_add", "_delete")):
            assert answer.status_code in (403, 404), name
        if name.endswith("_export"):
            continue  # what managers are for; it leaves a record
        for body in posts(secret=secret, address=address):
            posted = client.post(address, body)
            assert posted.status_code < 500, f"{name} {body}"
            if name.endswith("history"):
                assert posted.status_code in (403, 404, 405), name
    assert state_of(secret) == before


def test_whoever_may_do_everything_sees_every_page(secret: Secret) -> None:
    client = client_of(get_user_model().objects.get(username=f"{CANARY}-boss"))
    for name, address in addresses(secret).items():
        answer = client.get(address)
        if name.endswith("_simple_history"):
            assert answer.status_code == (200 if has_history(name) else 404), name
        elif name.endswith(("_change", "_changelist", "_history")):
            assert answer.status_code == 200, f"{name}: {answer.status_code}"
            assert name.endswith("_history") or CANARY.encode() in answer.content, name
        elif name.endswith("_source"):
            text = f"{CANARY} case text" if name == "workflows_case_source" else f"{CANARY} text"
            assert b"".join(answer.streaming_content) == text.encode()
            assert answer["Content-Disposition"].startswith("attachment")
        else:
            assert answer.status_code in (200, 403, 404, 405), name


def test_history_takes_no_post_from_anybody(secret: Secret) -> None:
    boss = get_user_model().objects.create(username="root", is_staff=True, is_superuser=True, is_active=True)
    client = client_of(boss)
    histories = {name: address for name, address in addresses(secret).items() if name.endswith("history")}
    with_pages = [
        model for model in our_models() if not getattr(admin.site._registry[model], "list_only", False)
    ]
    assert len(histories) == 2 * len(with_pages)
    for name, address in histories.items():
        assert client.post(address, {"name": "reverted"}).status_code == 405, name


def test_lists_hold_exactly_what_may_be_seen(secret: Secret) -> None:
    person = people(secret)["staff of another workflow"]
    for model in our_models():
        if model in (Run, ApiKey, RegisterExport):
            assert not visible(person, model._default_manager.all()).exists(), model
            continue
        seen = set(visible(person, model._default_manager.all()).values_list("pk", flat=True))
        hidden = {row.pk for row in model._default_manager.all() if row.pk not in seen}
        assert secret.rows[model._meta.label_lower].pk in hidden, model
    assert set(visible(person, Item.objects.all()).values_list("title", flat=True)) == {"Theirs"}
    page = client_of(person).get("/admin/workflows/item/").content.decode()
    assert "Theirs" in page
    assert "1 item" in page


def test_the_index_and_the_search_name_only_what_may_be_seen(secret: Secret) -> None:
    client = client_of(people(secret)["outsider"])
    for address in ("/admin/", "/admin/workflows/", "/admin/reviews/", "/admin/search/?s=item", "/admin/search/?s=a&page=x", "/admin/auth/user/",
                    "/admin/django_q/success/", "/admin/jsi18n/"):  # fmt: skip
        answer = client.get(address)
        assert answer.status_code < 500, address
        assert CANARY not in answer.content.decode()
        assert "/admin/workflows/item/" not in answer.content.decode()


def test_related_fields_and_pop_ups_lead_nowhere(secret: Secret) -> None:
    client = client_of(people(secret)["admin of another workflow"])
    for model in our_models():
        kind = ContentType.objects.get_for_model(model)
        row = secret.rows[model._meta.label_lower]
        assert CANARY not in client.get(f"/admin/r/{kind.pk}/{row.pk}/").content.decode()
        for field in model._meta.get_fields():
            query = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": field.name,
                "term": "",
            }
            answer = client.get("/admin/autocomplete/", query)
            assert answer.status_code in (403, 404), field
    for name in ("version", "destination", "item", "workflow"):
        page = client.get(f"/admin/workflows/{name}/add/")
        assert CANARY not in page.content.decode(), name


def test_the_screens_of_superusers_stay_closed_to_model_permissions(secret: Secret) -> None:
    from django.contrib.auth.models import Permission

    person = make_user("granted-all")
    person.user_permissions.set(Permission.objects.all())
    client = client_of(person)
    for address in (
        "/admin/auth/user/",
        "/admin/auth/group/",
        "/admin/django_q/success/",
        "/admin/django_q/failure/",
        "/admin/auth/user/add/",
    ):
        assert client.get(address).status_code in (403, 404), address
    for name, address in addresses(secret).items():
        assert CANARY not in client.get(address).content.decode(), name


def test_the_api_of_another_workflow_finds_nothing(secret: Secret) -> None:
    other = make_workflow("other")
    _, key = create_api_key(workflow=other, user=make_user(can=tuple(Action), on=other))
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {key}"}
    before = state_of(secret)
    for address in (
        "workflows/canary-workflow/items",
        "workflows/canary-workflow/stage",
        f"items/{secret.item.public_id}",
        f"items/{secret.item.pk}",
        f"items/{CANARY}",
    ):
        for method in ("get", "post", "put", "patch", "delete"):
            for given in (headers, {}, {"Authorization": "Bearer wrong"}):
                # A body that is right where one is read: what is wrong with it must not be what answers.
                body = {"data": {"stage": "live", "reason": "no"}, "content_type": "application/json"}
                sent = body if address.endswith("/stage") and method != "get" else {}
                answer = getattr(client, method)(f"/api/v1/{address}", headers=given, **sent)
                assert answer.status_code in (401, 404, 405), f"{method} {address}: {answer.status_code}"
                assert b"CANARY " not in answer.content
    Workflow.objects.get(slug="canary-workflow")
    ApiKey.objects.update(last_used_at=None)
    assert state_of(secret) == before
    assert Delivery.objects.count() == 1


def test_the_page_of_an_earlier_state_offers_no_names_and_no_settings(secret: Secret) -> None:
    """Neither the names of all users and groups, nor where a webhook leads."""
    Group.objects.create(name="Another team altogether")
    make_user("somebody-else")
    destination: Any = secret.rows["workflows.destination"]
    destination.config = {"url": "https://hooks.example/secret-path"}
    destination.save()
    found = addresses(secret)
    found["workflows_destination_simple_history"] = reverse(
        "admin:workflows_destination_simple_history", args=[destination.pk, destination.history.first().pk]
    )
    for can in (MANAGER, tuple(Action)):
        client = client_of(make_user(f"viewer-{len(can)}", can=can, on=secret.workflow))
        for name in ("workflow", "version", "destination"):
            answer = client.get(found[f"workflows_{name}_simple_history"])
            assert answer.status_code == 200, name
            for word in (b"somebody-else", b"Another team altogether", b"secret-path", b"<select"):
                assert word not in answer.content, (name, word)
