from __future__ import annotations

from typing import Any

import pytest

from reviews.models import Review
from tests.factories import (
    ADMIN,
    MANAGER,
    SENIOR,
    STAFF,
    VALUES,
    make_item,
    make_user,
    make_version,
    make_workflow,
)
from workflows.decisions import approve, close, complete, escalate, reject, send_back, try_again
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.leasing import count_call, lease_items, renew
from workflows.models import Decision, Item, Workflow
from workflows.recording import prepare
from workflows.states import State
from workflows.transitions import move

pytestmark = pytest.mark.django_db

SENSITIVE = [
    {"key": "name", "label": "Name", "kind": "text", "required": True},
    {"key": "iban", "label": "IBAN", "kind": "text", "sensitive": True},
]


def test_approving_fixes_the_values_and_says_who_and_closes_the_review() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    decision = approve(item=item, by=by, revision=item.revision)
    item.refresh_from_db()
    assert (decision.kind, decision.values, decision.changed) == ("approve", VALUES, [])
    assert item.state == State.APPROVED
    assert item.history.first().history_user == by
    review = Review.objects.get(item=item)
    assert (review.state, review.decision) == ("done", decision)


def test_an_edit_keeps_what_the_model_drafted_and_names_what_changed() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    decision = approve(item=item, by=by, values={"total": {"amount": "13.50", "currency": "EUR"}})
    item.refresh_from_db()
    assert (decision.kind, decision.changed) == ("edit", ["total"])
    assert item.values["total"]["amount"] == "13.50"
    assert item.runs.get().results.get(key="total").value["amount"] == "12.50"


def test_what_a_person_typed_wrongly_is_said_by_field_and_nothing_changes() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    with pytest.raises(InvalidInput) as refusal:
        approve(item=item, by=by, values={"name": "", "due": "soon", "topic": "nonsense"})
    assert set(refusal.value.problems) == {"name", "due", "topic"}
    item.refresh_from_db()
    assert (item.state, item.values) == (State.IN_REVIEW, VALUES)
    assert not Decision.objects.exists()


def test_a_stale_revision_is_a_conflict() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    with pytest.raises(Conflict):
        approve(item=item, by=by, revision=item.revision - 1)


def test_of_two_people_who_decide_the_second_is_told() -> None:
    workflow = make_workflow()
    item = make_item(workflow=workflow)
    approve(item=item, by=make_user(can=STAFF, on=workflow))
    with pytest.raises(Conflict) as told:
        reject(item=item, by=make_user(can=STAFF, on=workflow), reason="Not ours")
    assert "approved now" in str(told.value)
    assert Decision.objects.filter(item=item).count() == 1


@pytest.mark.parametrize("can", [(), MANAGER, ADMIN])
def test_who_may_not_review_may_not_decide(can: Any) -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow), make_user(can=can, on=workflow)
    for act in (
        lambda: approve(item=item, by=by),
        lambda: reject(item=item, by=by, reason="No"),
        lambda: escalate(item=item, by=by, reason="Look"),
        lambda: send_back(item=item, by=by, note="Again"),
        lambda: close(item=item, by=by, reason="No"),
    ):
        with pytest.raises(NotPermitted):
            act()
    item.refresh_from_db()
    assert item.state == State.IN_REVIEW


def test_a_filled_sensitive_field_takes_the_permission_for_it() -> None:
    workflow = make_workflow(fields=SENSITIVE)
    filled = make_item(workflow=workflow, values={"name": "A", "iban": "GB00 FAKE"})
    empty = make_item(workflow=workflow, values={"name": "A", "iban": None})
    staff, senior = make_user(can=STAFF, on=workflow), make_user(can=SENIOR, on=workflow)
    with pytest.raises(NotPermitted):
        approve(item=filled, by=staff)
    # Nor by filling it in while approving.
    with pytest.raises(NotPermitted):
        approve(item=empty, by=staff, values={"iban": "GB00 FAKE"})
    approve(item=empty, by=staff)
    approve(item=filled, by=senior)


def test_an_escalation_is_answered_by_those_who_may_and_says_who_asked_and_why() -> None:
    workflow = make_workflow()
    item = make_item(workflow=workflow)
    staff, senior = make_user(can=STAFF, on=workflow), make_user(can=SENIOR, on=workflow)
    escalate(item=item, by=staff, reason="The bank details changed")
    item.refresh_from_db()
    assert item.state == State.ESCALATED
    assert item.due_at is not None
    review = Review.objects.get(item=item, state="open")
    assert (review.kind, review.group, review.asked_by) == ("escalation", workflow.escalation, staff)
    assert "bank details" in review.reason
    with pytest.raises(NotPermitted):
        approve(item=item, by=staff)
    approve(item=item, by=senior)


def test_sent_back_it_is_drafted_again_with_the_note_and_a_new_count_of_calls() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow, calls=4), make_user(can=STAFF, on=workflow)
    send_back(item=item, by=by, note="Use the second total")
    item.refresh_from_db()
    assert (item.state, item.note, item.calls) == (State.RECEIVED, "Use the second total", 0)
    assert not Review.objects.filter(item=item, state="open").exists()


def test_a_reason_is_needed_where_someone_else_must_understand() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    for act in (reject, escalate):
        with pytest.raises(InvalidInput):
            act(item=item, by=by, reason="  ")


def test_an_item_that_needs_attention_is_tried_again_or_closed_with_a_reason() -> None:
    workflow = make_workflow()
    by = make_user(can=STAFF, on=workflow)
    again = try_again(item=make_item(workflow=workflow, state=State.ATTENTION), by=by)
    assert (again.state, again.problem) == (State.RECEIVED, None)
    item = make_item(workflow=workflow, state=State.ATTENTION)
    close(item=item, by=by, reason="It does not belong here")
    item.refresh_from_db()
    assert item.state == State.SKIPPED
    assert item.problem["happened"] == "It does not belong here"


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.ESCALATED, State.WORKING, State.RECEIVED])
def test_trying_again_is_no_way_around_a_decision_nor_around_the_worker(state: State) -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow, state=state, calls=4), make_user(can=STAFF, on=workflow)
    with pytest.raises(Conflict):
        try_again(item=item, by=by)
    item.refresh_from_db()
    assert (item.state, item.calls) == (state, 4)


def test_closing_is_no_way_around_the_permission_to_decide() -> None:
    workflow = make_workflow(fields=SENSITIVE)
    escalated = make_item(workflow=workflow, state=State.ESCALATED, values={"name": "A"})
    sensitive = make_item(workflow=workflow, values={"name": "A", "iban": "GB00 FAKE"})
    staff, senior = make_user(can=STAFF, on=workflow), make_user(can=SENIOR, on=workflow)
    for item in (escalated, sensitive):
        with pytest.raises(NotPermitted):
            close(item=item, by=staff, reason="Nothing to do")
        assert close(item=item, by=senior, reason="Nothing to do").kind == "skip"


def test_closing_an_item_that_changed_meanwhile_is_a_conflict() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    with pytest.raises(Conflict):
        close(item=item, by=by, reason="Nothing to do", revision=item.revision - 1)


def test_a_worker_stops_at_an_item_that_was_closed_under_it() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow, state=State.RECEIVED), make_user(can=STAFF, on=workflow)
    [(pk, lease)] = lease_items(limit=1)
    close(item=item, by=by, reason="Nothing to do")
    assert prepare(item_id=pk, lease=lease) is None
    assert not count_call(item_id=pk, lease=lease, most=6)
    assert renew(held={pk: lease}) == {pk}


def test_what_is_still_being_handed_over_is_not_closed() -> None:
    workflow = make_workflow(hold_seconds=600)
    item, by = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    approve(item=item, by=by)
    move(item=item, to=State.ATTENTION, by=by, why="A receiver refused it")
    with pytest.raises(Conflict):
        close(item=item, by=by, reason="Nothing to do")
    assert item.deliveries.get().state == "waiting"


def test_sent_back_it_gets_the_version_that_is_active_now() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    new = make_version(workflow=workflow, number=2)
    Workflow.objects.filter(pk=workflow.pk).update(version=new)
    send_back(item=item, by=by, note="Again")  # the caller's object still knows the old one
    item.refresh_from_db()
    assert item.version == new
    Workflow.objects.filter(pk=workflow.pk).update(version=None)
    other = make_item(workflow=workflow)
    send_back(item=other, by=by, note="Again")
    other.refresh_from_db()
    assert other.version is not None


def test_what_was_typed_is_stored_in_the_shape_of_its_kind() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow), make_user(can=STAFF, on=workflow)
    decision = approve(
        item=item, by=by, values={"due": "1 December 2026", "total": {"amount": " 13.5 ", "currency": "eur"}}
    )
    assert decision.values["due"] == "2026-12-01"
    assert decision.values["total"] == {"amount": "13.50", "currency": "EUR"}


def test_without_a_draft_a_person_completes_the_item_and_it_is_handed_over() -> None:
    workflow = make_workflow()
    item, by = make_item(workflow=workflow, state=State.ATTENTION), make_user(can=STAFF, on=workflow)
    with pytest.raises(InvalidInput) as refusal:
        complete(item=item, by=by, values={"topic": "quote"})
    assert "name" in refusal.value.problems
    decision = complete(item=item, by=by, values=VALUES, revision=item.revision)
    item.refresh_from_db()
    assert (item.state, item.problem, item.values) == (State.APPROVED, None, VALUES)
    assert set(decision.changed) == set(VALUES)
    assert item.deliveries.count() == 1
    with pytest.raises(Conflict):
        complete(item=item, by=by, values=VALUES)


def test_completing_takes_the_same_permissions_and_never_repeats_an_approval() -> None:
    workflow = make_workflow(fields=SENSITIVE)
    item = make_item(workflow=workflow, state=State.ATTENTION)
    with pytest.raises(NotPermitted):
        complete(item=item, by=make_user(can=MANAGER, on=workflow), values={"name": "A"})
    with pytest.raises(NotPermitted):
        complete(item=item, by=make_user(can=STAFF, on=workflow), values={"name": "A", "iban": "GB00 FAKE"})
    senior = make_user(can=SENIOR, on=workflow)
    complete(item=item, by=senior, values={"name": "A", "iban": "GB00 FAKE"})
    item.refresh_from_db()
    # A dead delivery brings an approved item to attention: it is sent again, not approved again.
    moved = move(item=item, to=State.ATTENTION, by=senior, why="A destination refused it")
    with pytest.raises(Conflict):
        complete(item=moved, by=senior, values={"name": "B"})


def test_a_field_to_check_has_to_be_looked_at_before_it_is_approved() -> None:
    workflow = make_workflow()
    item = make_item(workflow=workflow, to_check=("due", "total", "gone with an older version"))
    by = make_user(can=STAFF, on=workflow)
    with pytest.raises(InvalidInput) as refused:
        approve(item=item, by=by, values=VALUES, seen=["name", "due"])
    assert "1 field to check: Total." in str(refused.value)
    assert set(refused.value.problems) == {"total"}
    assert (Item.objects.get().state, Decision.objects.count()) == ("in_review", 0)
    assert approve(item=item, by=by, seen={"due", "total"}).kind == "approve"


def test_what_is_rejected_or_sent_back_needs_no_look() -> None:
    workflow = make_workflow()
    by = make_user(can=STAFF, on=workflow)
    for act in (reject, escalate):
        act(item=make_item(workflow=workflow, to_check=("due",)), by=by, reason="not ours")
    send_back(item=make_item(workflow=workflow, to_check=("due",)), by=by, note="again")
    assert Decision.objects.count() == 3
