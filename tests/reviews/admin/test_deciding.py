from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories import FIELDS, STAFF, VALUES, make_item, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in
from workflows.decisions import approve, complete, escalate
from workflows.errors import InvalidInput
from workflows.models import Decision, Delivery, Item, Workflow
from workflows.states import State


def post(client: Client, item: Item, verb: str, **typed: Any) -> Any:
    return client.post(
        f"/admin/workflows/item/{item.pk}/decide/", {"verb": verb, "revision": item.revision, **typed}
    )


def state_of(item: Item) -> str:
    return Item.objects.get(pk=item.pk).state


@pytest.mark.parametrize(
    ("verb", "reason", "to"),
    [("approve", "", "approved"), ("edit", "", "approved"), ("reject", "not ours", "rejected"), ("escalate", "too large", "escalated"),
     ("back", "look at page 2", "received")],
)  # fmt: skip
def test_a_person_decides_by_post(staff: Client, workflow: Workflow, verb: str, reason: str, to: str) -> None:
    item = make_item(workflow=workflow)
    answer = post(staff, item, verb, reason=reason)
    assert (answer.status_code, state_of(item)) == (302, to), answer.content
    assert Decision.objects.get().by.username == "staff"


def test_deciding_takes_a_post_with_its_token(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    assert staff.get(f"/admin/workflows/item/{item.pk}/decide/?verb=approve").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user(can=STAFF, on=workflow), backend="config.backends.PasswordBackend")
    assert post(strict, item, "approve").status_code == 403
    assert state_of(item) == "in_review"


def test_edits_are_stored_in_their_shapes_and_counted_as_changed(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    post(staff, item, "edit", **{
        "value-name": "Ines Okafor", "value-total": "1,250.00", "value-total-currency": "usd", "value-due": "2026-12-01", "value-topic": "other",
    })  # fmt: skip
    decision = Decision.objects.get()
    assert decision.values == {
        "name": "Ines Okafor",
        "total": {"amount": "1250.00", "currency": "USD"},
        "due": "2026-12-01",
        "topic": "other",
    }
    assert (decision.kind, sorted(decision.changed)) == ("edit", ["due", "topic", "total"])


def test_a_value_that_cannot_be_read_is_told_beside_it_and_nothing_typed_is_lost(
    staff: Client, workflow: Workflow
) -> None:
    item = make_item(workflow=workflow)
    answer = post(
        staff,
        item,
        "edit",
        **{"value-name": "Somebody Else", "value-due": "some day", "reason": "my <b>note</b>"},
    )
    page = answer.content.decode()
    assert (answer.status_code, state_of(item)) == (422, "in_review")
    assert "Somebody Else" in page
    assert "some day" in page
    assert "my &lt;b&gt;note&lt;/b&gt;" in page
    assert "is not a date" in page


def test_a_stale_page_decides_nothing_and_keeps_what_was_typed(
    staff: Client, senior: Client, workflow: Workflow
) -> None:
    item = make_item(workflow=workflow)
    post(senior, item, "back", reason="again")
    fresh = Item.objects.get(pk=item.pk)
    from workflows.people import system_user
    from workflows.transitions import move

    for step in (State.WORKING, State.IN_REVIEW):
        fresh = move(item=fresh, to=step, by=system_user(), why="t")
    answer = post(staff, item, "edit", **{"value-name": "Typed before"})
    assert (answer.status_code, state_of(item)) == (409, "in_review")
    assert "changed while you had it open" in answer.content.decode()
    assert "Typed before" in answer.content.decode()
    assert f'name="revision" value="{fresh.revision}"' in answer.content.decode()


def test_a_decision_without_a_revision_is_refused(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    assert staff.post(f"/admin/workflows/item/{item.pk}/decide/", {"verb": "approve"}).status_code == 409
    assert state_of(item) == "in_review"


def test_a_reason_is_asked_for(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    answer = post(staff, item, "reject", reason=" ")
    assert answer.status_code == 422
    assert "Say why" in answer.content.decode()


def test_an_escalation_is_answered_by_whoever_handles_escalations(
    staff: Client, senior: Client, workflow: Workflow
) -> None:
    item = make_item(workflow=workflow, state=State.ESCALATED)
    assert post(staff, item, "approve").status_code == 403
    assert post(senior, item, "approve").status_code == 302
    assert state_of(item) == "approved"


def test_the_page_of_an_escalation_says_who_asks_what(senior: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    asker = make_user("olga", can=STAFF, on=workflow)
    assert 'id="cs-question"' not in senior.get(f"/admin/workflows/item/{item.pk}/change/").content.decode()
    escalate(item=item, by=asker, reason="Is it under guarantee?")
    page = senior.get(f"/admin/workflows/item/{item.pk}/change/").content.decode()
    asked = page.partition('id="cs-question"')[2].partition("</p>")[0]
    assert "olga asks leads seniors" in asked
    assert "Is it under guarantee?" in asked


def test_a_sensitive_item_takes_the_permission_for_it() -> None:
    workflow = make_workflow("hr", fields=[{**FIELDS[0], "sensitive": True}])
    item = make_item(workflow=workflow, values={"name": "Ines"})
    staff = signed_in(make_user(can=STAFF, on=workflow))
    assert post(staff, item, "approve").status_code == 403
    assert "Approve</button>" not in staff.get(f"/admin/workflows/item/{item.pk}/change/").content.decode()
    assert state_of(item) == "in_review"


test_a_sensitive_item_takes_the_permission_for_it = pytest.mark.django_db(
    test_a_sensitive_item_takes_the_permission_for_it
)


def test_an_item_that_needs_attention_can_be_tried_again_or_closed(staff: Client, workflow: Workflow) -> None:
    again, close = (make_item(workflow=workflow, state=State.ATTENTION) for _ in range(2))
    page = staff.get(f"/admin/workflows/item/{again.pk}/change/").content.decode()
    for said in (
        "The model did not answer in time.",
        "The item is kept.",
        "Next step:",
        "Try again</button>",
    ):
        assert said in page
    assert post(staff, again, "again").status_code == 302
    assert post(staff, close, "close").status_code == 422
    assert post(staff, close, "close", reason="nothing to do").status_code == 302
    assert (state_of(again), state_of(close)) == ("received", "skipped")


def act(client: Client, action: str, items: list[Item], **more: Any) -> Any:
    body = {"action": action, "_selected_action": [item.pk for item in items], "index": "0", **more}
    return client.post("/admin/workflows/item/", body, follow=True)


@pytest.mark.parametrize(
    ("action", "start", "to"),
    [("approve_items", State.IN_REVIEW, "approved"), ("reject_items", State.IN_REVIEW, "rejected"),
     ("escalate_items", State.IN_REVIEW, "escalated"), ("send_back_items", State.IN_REVIEW, "received"),
     ("try_again_items", State.ATTENTION, "received")],
)  # fmt: skip
def test_the_list_decides_many_at_once(
    staff: Client, workflow: Workflow, action: str, start: State, to: str
) -> None:
    items = [make_item(workflow=workflow, state=start) for _ in range(2)]
    left = make_item(workflow=workflow, state=start)
    answer = act(staff, action, items, reason="because")
    assert answer.status_code == 200
    assert [state_of(item) for item in (*items, left)] == [to, to, start.value]


def test_each_item_of_a_list_is_told_by_itself(staff: Client, workflow: Workflow) -> None:
    good, gone = (
        make_item(workflow=workflow),
        make_item(workflow=workflow, title="Gone already", state=State.REJECTED),
    )
    page = act(staff, "approve_items", [good, gone]).content.decode()
    assert "1 item was approved." in page
    assert "Gone already: “Gone already” is rejected now" in page


def test_a_list_drawn_before_a_change_does_not_decide_what_changed(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    page = staff.get("/admin/workflows/item/").content.decode()
    assert f'name="revision-{item.pk}" value="{item.revision}"' in page
    act(staff, "approve_items", [item], **{f"revision-{item.pk}": item.revision - 1})
    assert state_of(item) == "in_review"


def test_a_dead_delivery_is_sent_again_or_marked_as_arrived(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    approve(item=item, by=make_user(can=STAFF, on=workflow))
    delivery = Delivery.objects.get()
    Delivery.objects.update(state=Delivery.State.DEAD)
    address = f"/admin/workflows/item/{item.pk}/deliveries/{delivery.pk}/"
    assert "Send again</button>" in staff.get(f"/admin/workflows/item/{item.pk}/change/").content.decode()
    staff.post(address, {"verb": "arrived", "reason": ""})
    assert Delivery.objects.get().state == "dead"
    staff.post(address, {"verb": "arrived", "reason": "I saw it there"})
    assert Delivery.objects.get().state == "delivered"
    assert state_of(item) == "delivered"
    Delivery.objects.update(state=Delivery.State.DEAD)
    staff.post(address, {"verb": "send again"})
    assert Delivery.objects.filter(resend_of=delivery).exists()


def test_approve_takes_what_stands_in_the_fields(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    answer = staff.post(
        f"/admin/workflows/item/{item.pk}/decide/",
        {"verb": "approve", "revision": item.revision, "value-name": "Somebody Else"},
        follow=True,
    )
    decision = Decision.objects.get()
    assert (decision.kind, decision.values["name"]) == ("edit", "Somebody Else")
    assert "approved with 1 edit." in answer.content.decode()


def test_what_was_typed_into_an_item_that_somebody_else_decided_is_still_told(
    staff: Client, senior: Client, workflow: Workflow
) -> None:
    item = make_item(workflow=workflow)
    post(senior, item, "approve")
    answer = post(staff, item, "approve", **{"value-name": "Typed before"})
    assert answer.status_code == 409
    assert "<strong>Typed before</strong>" in answer.content.decode()


def test_a_delivery_that_was_sent_again_is_not_offered_twice(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    approve(item=item, by=make_user(can=STAFF, on=workflow))
    Delivery.objects.update(state=Delivery.State.DEAD)
    page = f"/admin/workflows/item/{item.pk}/change/"
    staff.post(
        f"/admin/workflows/item/{item.pk}/deliveries/{Delivery.objects.get().pk}/", {"verb": "send again"}
    )
    assert "Send again</button>" not in staff.get(page).content.decode()


def test_an_item_without_a_draft_is_completed_by_hand_on_its_page(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow, state=State.ATTENTION)
    page = staff.get(f"/admin/workflows/item/{item.pk}/change/").content.decode()
    assert "Complete by hand</button>" in page
    assert 'name="value-name"' in page
    kept = post(staff, item, "complete", **{"value-name": "", "value-topic": "quote"})
    assert kept.status_code == 422
    assert state_of(item) == "attention"
    typed = {
        "value-name": "Ines Okafor",
        "value-total": "12.50",
        "value-total-currency": "EUR",
        "value-topic": "quote",
    }
    answer = post(staff, item, "complete", **typed)
    assert (answer.status_code, state_of(item)) == (302, "approved"), answer.content
    assert Decision.objects.get().values["name"] == "Ines Okafor"


def test_completing_by_hand_takes_that_flagged_fields_were_looked_at(workflow: Workflow) -> None:
    """Sent back, and the next draft failed: what the first one flagged is still to be looked at."""
    person = make_user("completer", can=STAFF, on=workflow)
    route = {"to": "in_review", "reasons": [], "to_check": ["name"]}
    item = make_item(workflow=workflow, state=State.ATTENTION, route=route)
    with pytest.raises(InvalidInput, match="1 field to check"):
        complete(item=item, by=person, values=VALUES)
    assert complete(item=item, by=person, values=VALUES, seen=["name"]).values == VALUES


def test_a_conflict_empties_no_field_of_which_nothing_was_sent(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    answer = post(staff, item, "again", revision=item.revision + 7)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "with my values filled in" not in page
    answer = post(staff, item, "fill", **{"value-name": "Somebody Else"})
    page = answer.content.decode()
    assert "Somebody Else" in page
    assert 'name="value-total" value=""' not in page
