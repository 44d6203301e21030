"""Every address of the resolver, by every method, as everybody who may not: nothing is told, nothing opens, nothing fails."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from tests.factories import ADMIN, MANAGER, SENIOR, STAFF, grant_all, make_item, make_user, make_workflow
from tests.security.doors import Door, doors
from tests.security.secret_workflow import CANARY, Secret, make_secret
from tests.security.test_every_address import client_of, posts, state_of
from workflows.access import PATHS, Action, may, revoke, seen_with
from workflows.api_keys import create_api_key
from workflows.models import ApiKey

pytestmark = [pytest.mark.django_db, pytest.mark.doors]

METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
# Addresses without a row in them, and who finds a page there. Any other has to say it here, or to be a list of the admin.
ANYBODY = {"healthz", "readyz", "robots.txt", "openapi-json", "openapi-view", "login"}
SIGNED_IN = {
    "index", "help", "help_chapter", "search", "jsi18n", "app_list", "logout", "password_change", "password_change_done",
    "view_as_end",
}  # fmt: skip
# Figures of what one may count; the list of what one may review next; a file of rows that one may export.
OF_ONES_OWN = {
    "reports",
    "reports_export",
    "reviews_review_next",
    "workflows_registerentry_export",
    "workflows_erasure_person",
}
NOBODY = {"autocomplete", "api-root"}
# What ends the sign-in by which all else is asked.
ENDING = {"logout", "account_logout", "account_sign_out_everywhere"}
# Models of ours whose rows belong to no workflow, and why nobody is kept from them or nobody reaches them.
OF_NO_WORKFLOW = {
    "workflows.beat": "signs of life of processes; on no screen",
    "workflows.price": "an installation's own prices; by model permission",
    "workflows.idempotencykey": "hashes of requests; on no screen",
    "workflows.grantend": "until when a grant is given; asked with the grant",
    "workflows.auditcheck": "how the last verification of the audit log went; told above its list",
    "workflows.audithead": "the end of the chain; on no screen",
    "workflows.auditcontent": "what is personal in an event; shown on the event's page",
    "workflows.tally": "counts of sign-ins and calls; on no screen",
    "workflows.groupfromsignon": "which groups a sign-on gave; on no screen",
    "reviews.dayfigures": "figures of days that are over; told in reports, by the workflows one may count",
    "reviews.recount": "days to count again; on no screen",
}
PEOPLE = (
    "anonymous", "no staff", "disabled", "outsider", "staff of another workflow", "senior of another workflow",
    "manager of another workflow", "admin of another workflow", "all model permissions", "grants that were taken away",
)  # fmt: skip
# Tried by every method and with every query; the others by GET and by POST of all that forms take.
THOROUGH = ("anonymous", "admin of another workflow")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of refusals, each a line in the log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def secret() -> Secret:
    return make_secret()


def person(secret: Secret, who: str) -> Any:
    other = make_workflow("other", name="The other one")
    make_item(workflow=other, title="Theirs")
    every = tuple(Action)
    match who:
        case "anonymous":
            return None
        case "no staff":
            return make_user("no-staff", staff=False, can=every, on=secret.workflow)
        case "disabled":
            user = make_user("disabled", can=every, on=secret.workflow)
            user.is_active = False
            user.save()
            return user
        case "outsider":
            return make_user("outsider")
        case "all model permissions":
            user = make_user("granted-all", can=STAFF, on=other)
            user.user_permissions.set(Permission.objects.all())
            return user
        case "grants that were taken away":
            user = make_user("was-here", can=every, on=secret.workflow)
            for action in every:
                revoke(action=action, workflow=secret.workflow, of=user)
            return user
    kind = who.split(" ")[0]
    return make_user(
        kind, can={"staff": STAFF, "senior": SENIOR, "manager": MANAGER, "admin": ADMIN}[kind], on=other
    )


def everything_posted(secret: Secret, address: str) -> dict[str, Any]:
    """All that any form of ours reads, in one body."""
    together: dict[str, Any] = {}
    for body in posts(secret=secret, address=address):
        together.update({key: value for key, value in body.items() if key not in together})
    return together


def requests_of(
    secret: Secret, door: Door, *, thorough: bool = True
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "post", door.address, everything_posted(secret, door.address)
    for method in METHODS if thorough else ("get",):
        yield method, door.address, {}
    if not thorough:
        return
    if door.name.endswith(("_changelist", "_change", "_add")) or door.name.startswith("reports"):
        for query in queries_of(secret):
            yield "get", f"{door.address}?{query}", {}


def queries_of(secret: Secret) -> Iterator[str]:
    """What lists and forms take from an address, with the hidden rows' ids in it."""
    workflow, item = secret.workflow.pk, secret.item.pk
    yield f"workflow__id__exact={workflow}"
    yield f"item__workflow__id__exact={workflow}"
    yield f"version__workflow__id__exact={workflow}"
    yield f"workflow={workflow}&item={item}&version={secret.workflow.version_id}"
    yield f"workflow__name__startswith={CANARY[:3]}"
    yield f"pk__in={workflow},{item}"
    yield f"q={CANARY[1:]}"
    yield "o=-1.2.-3&p=0&all="
    yield "_to_field=id&_popup=1"
    yield f"_changelist_filters=workflow__id__exact%3D{workflow}"
    yield "e=1&o=x&p=x"


def told(answer: Any) -> bytes:
    """All that an answer says: headers, where it leads, its body, and what is packed in a file."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            body = b"".join(packed.read(name) for name in packed.namelist())
    return f"{answer.headers!s} {answer.cookies.output()} ".encode() + body


def test_no_model_and_no_address_is_without_a_rule(secret: Secret) -> None:
    ours = {
        model._meta.label_lower
        for app in ("workflows", "reviews")
        for model in apps.get_app_config(app).get_models()
    }
    ours -= {name for name in ours if ".historical" in name}  # reached through the pages of their row alone
    assert ours - set(PATHS) - set(OF_NO_WORKFLOW) == set(), (
        "give the new model a path in workflows/access.py"
    )
    for model in admin.site._registry:
        assert model._meta.label_lower in secret.rows, f"give {model} a row in secret_workflow.py"
    known = ANYBODY | SIGNED_IN | OF_ONES_OWN | NOBODY
    for door in doors(secret):
        plain = door.name.endswith(("_changelist", "_add")) or door.address == "/"
        own = door.address.startswith("/admin/account/")
        assert door.row or plain or own or door.name.strip("/") in known, (
            f"{door.address} has no row in it: say in this file who finds a page there"
        )


@pytest.mark.parametrize("who", PEOPLE)
def test_behind_no_door_is_anything_of_a_workflow_that_one_may_not_see(
    secret: Secret, who: str, capsys: pytest.CaptureFixture[str]
) -> None:
    user = person(secret, who)
    client = client_of(user)
    if who == "disabled":
        user.is_active = True
        user.save()
        client = client_of(user)  # signed in before, and disabled then
        user.is_active = False
        user.save()
    out = who in ("anonymous", "no staff", "disabled")
    before, asked, found = state_of(secret), 0, doors(secret)
    wrong: list[str] = []
    for door in found:
        # Prices are the installation's own, and of no workflow: whoever has the model permission sees them.
        if door.name in ENDING or (door.model == "workflows.price" and who == "all model permissions"):
            continue
        for method, address, body in requests_of(secret, door, thorough=who in THOROUGH):
            answer = getattr(client, method)(address, body) if body else getattr(client, method)(address)
            asked += 1
            said = told(answer)
            line = f"{method.upper()} {address} for {who}: {answer.status_code}"
            if answer.status_code >= 500 and door.name != "/readyz":  # nothing works in a test
                wrong.append(f"{line} fails")
            if CANARY.encode() in said:
                wrong.append(f"{line} leaks {said[max(0, said.index(CANARY.encode()) - 60) :][:120]!r}")
            if (why := unexpected(door, address, method, answer, user=user, out=out)) is not None:
                wrong.append(f"{line} {why}")
    assert wrong == [], f"{len(wrong)} of {asked}:\n" + "\n".join(wrong[:40])
    assert state_of(secret) == before
    with capsys.disabled():
        print(f"\n{who}: {len(found)} addresses, {asked} requests, nothing leaked, opened or failed")


def unexpected(door: Door, address: str, method: str, answer: Any, *, user: Any, out: bool) -> str | None:
    """What is wrong with this answer to somebody who may not see the row in the address."""
    code = answer.status_code
    if door.is_api:
        allowed = {200} if door.name in ANYBODY else {401, 404, 405}
        return None if code in allowed | {405} else "from the API without a key"
    if door.address.startswith("/admin/account/"):
        # One's own account, and ways in. For another's, one may be asked to sign in once more first, whatever is there.
        return None if not door.row or code in (302, 404, 405) else "for the account of somebody else"
    if door.is_admin and out and door.name != "login":
        to_login = code == 302 and answer.headers["Location"].startswith("/admin/login/")
        return None if to_login or code == 405 else "for somebody who is not signed in"
    if door.name.startswith(
        "/admin/"
    ):  # Django's short address of a row leads to its long one, whatever is there
        return None if code in (301, 302, 404, 405) else "from a short address"
    if door.row:
        # Whatever row stands there: not every model has a column of the name that is asked for.
        if code == 400 and "_to_field=" in address:
            return None
        return None if code in ((404, 405) if door.name not in NOBODY else (404,)) else "in place of 404"
    if code == 200 and not may_open(door, user):
        return "opens"
    return None


def may_open(door: Door, user: Any) -> bool:
    if door.name.strip("/") in ANYBODY | SIGNED_IN | OF_ONES_OWN or not door.is_admin:
        return True
    if door.model in PATHS:
        return any(may(user, action) for action in seen_with(door.model))
    return door.model == "workflows.price" and bool(user.has_perm("workflows.view_price"))


KEYS = (
    "none",
    "wrong",
    "of another workflow",
    "expired",
    "revoked",
    "of a disabled user",
    "of one who may no longer see it",
)


@pytest.mark.parametrize("which", KEYS)
def test_behind_no_door_of_the_api_is_anything_for_another_key(
    secret: Secret, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {} if which == "none" else {"Authorization": f"Bearer {key_of(secret, which)}"}
    client = Client(raise_request_exception=False)
    before, asked = state_of(secret), 0
    found = [one for one in doors(secret) if one.is_api]
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"data": {"stage": "live", "reason": "r"}, "content_type": "application/json"},
        {"data": {"text": "Taken in?", "title": "t"}},
    )
    for door in found:
        for method in METHODS:
            for body in bodies if method == "post" else ({},):
                answer = getattr(client, method)(door.address, headers=headers, **body)
                asked += 1
                line = f"{method.upper()} {door.address} with a key {which}"
                assert answer.status_code < 500, line
                assert CANARY.encode() not in told(answer), f"{line} leaks"
                if door.name in ("openapi-json", "openapi-view"):
                    continue  # the contract, without a row
                # A body that cannot be read is refused before anybody looks what the address leads to.
                expected = (401, 404, 405, 422) if door.name == "change_stage" else (401, 404, 405)
                assert answer.status_code in expected, (
                    f"{line}: {answer.status_code} {answer.content[:200]!r}"
                )
                if method != "head" and answer.status_code != 405 and door.name != "api-root":
                    assert answer.headers["Content-Type"] == "application/problem+json", line
    ApiKey.objects.update(last_used_at=None)
    assert state_of(secret) == before
    with capsys.disabled():
        print(f"\nkey {which}: {len(found)} addresses, {asked} requests, nothing leaked, opened or failed")


def key_of(secret: Secret, which: str) -> str:
    if which == "wrong":
        return f"{secret.key}x"
    if which == "of another workflow":
        other = make_workflow("other")
        return create_api_key(workflow=other, user=make_user(can=tuple(Action), on=other))[1]
    user = make_user("key-holder")
    grant_all(to=user, on=secret.workflow)
    row, key = create_api_key(workflow=secret.workflow, user=user)
    if which == "expired":
        ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    elif which == "revoked":
        ApiKey.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
    elif which == "of a disabled user":
        user.is_active = False
        user.save()
    else:
        for action in Action:
            revoke(action=action, workflow=secret.workflow, of=user)
    return key


@pytest.mark.parametrize("superuser", [False, True])
def test_whoever_may_do_everything_meets_no_fault_and_changes_nothing_by_looking(
    secret: Secret, superuser: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    user = get_user_model().objects.get(username=f"{CANARY}-boss")
    if superuser:
        user = make_user("root", superuser=True)
    client = client_of(user)
    before, asked, pages = state_of(secret), 0, 0
    for door in doors(secret):
        looks = [
            (method, address)
            for method, address, body in requests_of(secret, door)
            if method in ("get", "head", "options")
        ]
        for method, address in looks:
            answer = getattr(client, method)(address)
            asked += 1
            pages += answer.status_code == 200
            fails = answer.status_code >= 500 and address != "/readyz"  # nothing works in a test
            assert not fails, f"{method} {address}: {answer.status_code}"
    assert pages > 100
    assert state_of(secret) == before
    with capsys.disabled():
        print(
            f"\n{'superuser' if superuser else 'all grants'}: {asked} requests, {pages} pages, none failed or changed anything"
        )


def test_nothing_is_changed_without_the_token_of_a_form_of_ours(secret: Secret) -> None:
    user = get_user_model().objects.get(username=f"{CANARY}-boss")
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(user, backend="config.backends.PasswordBackend")
    before = state_of(secret)
    for door in doors(secret):
        if not door.is_admin or door.name in NOBODY:
            continue
        for body in ({}, everything_posted(secret, door.address)):
            answer = client.post(door.address, body)
            assert answer.status_code in (403, 404, 405), f"POST {door.address}: {answer.status_code}"
    assert state_of(secret) == before


def test_a_filter_of_ones_own_making_asks_nothing(secret: Secret) -> None:
    """A condition on a column that no filter offers would say, letter by letter, what stands in it."""
    client = client_of(get_user_model().objects.get(username=f"{CANARY}-boss"))
    for model in admin.site._registry:
        if model._meta.label_lower not in PATHS:
            continue
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for field in model._meta.concrete_fields:
            for how in ("startswith", "regex", "gt", "name__startswith", "password__startswith"):
                answer = client.get(f"{address}?{field.name}__{how}=1")
                assert answer.status_code in (400, 302), (
                    f"{address}?{field.name}__{how}: {answer.status_code}"
                )
