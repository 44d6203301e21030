"""docs/permissions.md is as the code says, and the code does as it says there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from config.permissions_doc import ACTS, MEANS, PATH, Act, written
from reviews.claims import claim
from tests.factories import FIELDS, STAFF, make_entry, make_item, make_user, make_version, make_workflow
from tests.reviews.admin.conftest import signed_in
from workflows.access import Action
from workflows.api_keys import create_api_key
from workflows.models import Delivery, Workflow
from workflows.permission_matrix import WORDS
from workflows.states import State

SENSITIVE = [{**FIELDS[0], "sensitive": True}, *FIELDS[1:]]


def test_the_file_is_as_the_code_says() -> None:
    assert PATH.read_text(encoding="utf-8") == written(), "stale: run manage.py write_permissions_doc"


def test_every_permission_has_its_words() -> None:
    assert set(WORDS) == set(MEANS) == set(Action)


def _decides(state: State) -> Callable[[Client, Workflow], bool]:
    def does(client: Client, workflow: Workflow) -> bool:
        item = make_item(workflow=workflow, state=state)
        client.post(
            f"/admin/workflows/item/{item.pk}/decide/",
            {"verb": "reject", "reason": "r", "revision": item.revision},
        )
        client.post(
            f"/admin/workflows/item/{item.pk}/decide/",
            {"verb": "approve", "reason": "r", "revision": item.revision},
        )
        item.refresh_from_db()
        return item.state != state

    return does


def _again(client: Client, workflow: Workflow) -> bool:
    item = make_item(workflow=workflow, state=State.ATTENTION)
    client.post(f"/admin/workflows/item/{item.pk}/decide/", {"verb": "again", "revision": item.revision})
    item.refresh_from_db()
    return item.state == State.RECEIVED


def _sends_again(client: Client, workflow: Workflow) -> bool:
    delivery = make_entry(workflow=workflow).delivery
    delivery.state = Delivery.State.DEAD
    delivery.save()
    client.post(f"/admin/workflows/item/{delivery.item_id}/deliveries/{delivery.pk}/", {"verb": "send again"})
    return Delivery.objects.filter(resend_of=delivery).exists()


def _exports(client: Client, workflow: Workflow) -> bool:
    make_entry(workflow=workflow)
    return client.post("/admin/workflows/registerentry/export/", {"format": "csv"}).status_code == 200


def _opens(address: str) -> Callable[[Client, Workflow], bool]:
    return lambda client, workflow: client.get(address).status_code == 200


def _revokes(client: Client, workflow: Workflow) -> bool:
    key, _ = create_api_key(workflow=workflow, user=make_user(can=(Action.VIEW,), on=workflow), name="key")
    client.post("/admin/workflows/apikey/", {"action": "revoke", "_selected_action": [key.pk]})
    key.refresh_from_db()
    return key.revoked_at is not None


def _moved_on(act: str, typed: dict[str, str], *, state: State) -> Callable[[Client, Workflow], bool]:
    """Whether the item is in another state after the act."""

    def does(client: Client, workflow: Workflow) -> bool:
        item = make_item(workflow=workflow, state=state)
        client.post(f"/admin/workflows/item/{item.pk}/{act}/", {**typed, "revision": item.revision})
        item.refresh_from_db()
        return item.state != state

    return does


def _splits(client: Client, workflow: Workflow) -> bool:
    item = make_item(workflow=workflow)
    typed = {"excerpt": "Another request.", "reason": "r", "revision": item.revision}
    client.post(f"/admin/workflows/item/{item.pk}/split/", typed)
    return item.offshoots.exists()


def _claims(client: Client, workflow: Workflow) -> bool:
    item = make_item(workflow=workflow)
    client.post(f"/admin/workflows/item/{item.pk}/claim/")
    return item.reviews.get().claimed_by is not None


def _takes_over(client: Client, workflow: Workflow) -> bool:
    item, holder = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    claim(review=item.reviews.get(), by=holder)
    client.post(f"/admin/workflows/item/{item.pk}/take-over/", {"reason": "r"})
    return item.reviews.get().claimed_by != holder


def _reminds(client: Client, workflow: Workflow) -> bool:
    answers = make_user(can=(Action.VIEW, Action.HANDLE_ESCALATION), on=workflow)
    get_user_model().objects.filter(pk=answers.pk).update(email=f"{answers.pk}@example.org")
    review = make_item(workflow=workflow, state=State.ESCALATED).reviews.get(state="open")
    client.post(f"/admin/reviews/escalation/{review.pk}/remind/")
    review.refresh_from_db()
    return review.reminded_at is not None


def _activates(client: Client, workflow: Workflow) -> bool:
    version = make_version(workflow=workflow, number=workflow.versions.count() + 1)
    client.post(f"/admin/workflows/version/{version.pk}/activate/", {"reason": "r"})
    return Workflow.objects.filter(pk=workflow.pk, version=version).exists()


def _sees_the_table(client: Client, workflow: Workflow) -> bool:
    answer = client.post(f"/admin/workflows/workflow/{workflow.pk}/access/", {"verb": "look"})
    return answer.status_code == 200


def _asks_why(client: Client, workflow: Workflow) -> bool:
    pages = [client.get(f"/admin/workflows/workflow/{workflow.pk}/{page}/") for page in ("why", "stale")]
    return [page.status_code for page in pages] == [200, 200]


def _looks_as(client: Client, workflow: Workflow) -> bool:
    person = make_user(can=(Action.VIEW,), on=workflow)
    address = f"/admin/workflows/workflow/{workflow.pk}/view-as/"
    return client.post(address, {"person": person.username}).status_code == 302


TRIED: dict[str, Callable[[Client, Workflow], bool]] = {
    "Submit work": _opens("/admin/workflows/item/add/"),
    "Approve, edit and approve, reject, escalate, send back": _decides(State.IN_REVIEW),
    "The same, with a sensitive field": _decides(State.IN_REVIEW),
    "Decide an escalated item": _decides(State.ESCALATED),
    "Decide an escalated item with a sensitive field": _decides(State.ESCALATED),
    "Complete by hand": _moved_on(
        "decide", {"verb": "complete", "value-name": "Ines"}, state=State.ATTENTION
    ),
    "Close without a review": _moved_on("decide", {"verb": "close", "reason": "r"}, state=State.ATTENTION),
    "Try again": _again,
    "Split in two": _splits,
    "Claim, renew, release": _claims,
    "Take a claim over": _takes_over,
    "Remind of an escalation": _reminds,
    "Send a delivery again, mark it as arrived": _sends_again,
    "Export the register": _exports,
    "Read prompts and raw answers": _opens("/admin/workflows/run/"),
    "Change a workflow, make a version, change a destination": _opens("/admin/workflows/version/add/"),
    "Try a version, make it active, send a test to a destination": _activates,
    "Give and take permissions": _sees_the_table,
    "Ask why somebody may or may not, list grants that may go": _asks_why,
    "Look as somebody else": _looks_as,
    "Revoke an API key": _revokes,
    "See who exported": _opens("/admin/workflows/registerexport/"),
    "Read the audit log of the workflow": _opens("/admin/workflows/auditevent/"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("act", [act for act in ACTS if act.name in TRIED], ids=lambda act: act.name)
def test_an_act_takes_exactly_what_the_page_says(act: Act) -> None:
    workflow = make_workflow(fields=SENSITIVE if "sensitive" in act.name else FIELDS)

    def does(actions: Any) -> bool:
        return TRIED[act.name](signed_in(make_user(can=actions, on=workflow)), workflow)

    assert does({Action.VIEW, *act.needs}), act
    for instead in act.or_else:
        assert does({Action.VIEW, instead}), act
    for missing in {Action.VIEW, *act.needs}:
        rest = set(Action) - {missing} - (set(act.or_else) if missing != Action.VIEW else set())
        assert not does(rest), f"{act.name} without {missing}"


def test_every_act_in_the_trial_is_on_the_page() -> None:
    assert set(TRIED) <= {act.name for act in ACTS}
