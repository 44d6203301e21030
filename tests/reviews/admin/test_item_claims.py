"""Claims, conflicts, moving and splitting on the page of an item."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from reviews.claims import claim
from reviews.models import Review
from tests.factories import SENIOR, STAFF, VALUES, grant_all, make_item, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in
from tests.reviews.admin.test_deciding import post, state_of
from workflows.access import Action
from workflows.models import Decision, Item, Workflow
from workflows.people import system_user
from workflows.states import State
from workflows.transitions import move


def address(item: Item, act: str = "change") -> str:
    return f"/admin/workflows/item/{item.pk}/{act}/"


def page_of(client: Client, item: Item) -> str:
    return client.get(address(item)).content.decode()


def person(name: str) -> Any:
    return get_user_model().objects.get(username=name)


def held_by(item: Item) -> str:
    found = Review.objects.get(item=item, state="open").claimed_by
    return found.username if found else ""


def test_opening_the_page_claims_nothing_and_a_post_does(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    assert "Nobody has claimed it" in page_of(staff, item)
    assert held_by(item) == ""
    for act in ("claim", "renew", "release", "take-over", "move", "split", "check"):
        assert staff.get(address(item, act)).status_code == 405, act
    assert staff.post(address(item, "claim")).status_code == 302
    assert held_by(item) == "staff"
    assert "Claimed by you" in page_of(staff, item)


def test_acts_take_their_token(workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user(can=STAFF, on=workflow), backend="config.backends.PasswordBackend")
    for act in ("claim", "renew", "release", "take-over", "move", "split", "check"):
        assert strict.post(address(item, act)).status_code == 403, act
    assert held_by(item) == ""


def test_a_claim_is_renewed_and_a_lost_one_says_so(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    staff.post(address(item, "claim"))
    Review.objects.update(claimed_until=timezone.now() + timedelta(seconds=5))
    answer = staff.post(address(item, "renew"))
    until = Review.objects.get().claimed_until
    assert (answer.status_code, answer.json()) == (200, {"until": until and until.isoformat()})
    assert until is not None
    assert until > timezone.now() + timedelta(minutes=10)
    Review.objects.update(claimed_until=timezone.now() - timedelta(seconds=5))
    answer = staff.post(address(item, "renew"))
    assert (answer.status_code, "Your claim has ended" in answer.json()["said"]) == (409, True)


def test_who_has_claimed_it_is_told_to_others_who_cannot_decide_meanwhile(
    staff: Client, senior: Client, workflow: Workflow
) -> None:
    item = make_item(workflow=workflow)
    senior.post(address(item, "claim"))
    page = page_of(staff, item)
    assert "senior has claimed this item until" in page
    assert 'value="approve"' not in page
    assert 'name="value-name"' not in page
    assert "Take it over" not in page
    answer = post(staff, item, "approve", **{"value-name": "Typed meanwhile"})
    assert (answer.status_code, state_of(item), Decision.objects.count()) == (409, "in_review", 0)
    assert "senior has claimed this item" in answer.content.decode()
    assert "<strong>Typed meanwhile</strong>" in answer.content.decode()


def test_a_claim_is_taken_over_with_a_reason_that_stands_in_the_timeline(
    staff: Client, senior: Client, workflow: Workflow
) -> None:
    item = make_item(workflow=workflow)
    staff.post(address(item, "claim"))
    assert "Take it over" in page_of(senior, item)
    senior.post(address(item, "take-over"), {"reason": ""})
    assert held_by(item) == "staff"
    senior.post(address(item, "take-over"), {"reason": "they went home"})
    assert held_by(item) == "senior"
    assert "Claim taken over from staff: they went home" in page_of(senior, item)
    staff.post(address(item, "take-over"), {"reason": "mine"})
    assert held_by(item) == "senior"


def test_leaving_an_item_releases_it_and_opens_the_next(staff: Client, workflow: Workflow) -> None:
    first, second = make_item(workflow=workflow, title="First"), make_item(workflow=workflow, title="Second")
    staff.post(address(first, "claim"))
    answer = staff.post(address(first, "release"), {"next": "1"}, follow=True)
    assert answer.redirect_chain[-1][0] == address(second)
    assert (held_by(first), held_by(second), state_of(first)) == ("", "staff", "in_review")
    assert "Now: Second" in answer.content.decode()
    answer = staff.post(address(second, "release"))
    assert (answer["Location"], held_by(second)) == (address(second), "")


def test_after_a_decision_the_next_item_opens_and_after_the_last_the_list(
    staff: Client, workflow: Workflow
) -> None:
    Workflow.objects.update(hold_seconds=592)
    first, second = make_item(workflow=workflow, title="First"), make_item(workflow=workflow, title="Second")
    answer = staff.post(
        address(first, "decide"), {"verb": "approve", "revision": first.revision}, follow=True
    )
    page = answer.content.decode()
    assert answer.redirect_chain[-1][0] == address(second)
    assert "First: approved. Handed over in 9:52." in page
    assert "Now: Second" in page
    answer = staff.post(
        address(second, "decide"),
        {"verb": "reject", "reason-reject": "no", "revision": second.revision},
        follow=True,
    )
    assert answer.redirect_chain[-1][0] == "/admin/reviews/review/"
    assert "Nothing to review." in answer.content.decode()
    assert Decision.objects.first().reason == "no"


def test_a_conflict_shows_both_versions_and_lets_choose(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    stale = item.revision
    move(item=item, to=State.RECEIVED, by=system_user(), why="t")
    for to, columns in ((State.WORKING, {}), (State.IN_REVIEW, {"values": {**VALUES, "topic": "other"}})):
        fresh = move(item=item, to=to, by=system_user(), why="t", **columns)
    typed = {"value-name": "Mine <i>", "value-due": "2026-11-30", "value-topic": "quote", "revision": stale}
    answer = staff.post(address(item, "decide"), {"verb": "approve", **typed})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "2 of 4 fields differ" in page
    assert "<strong>Mine &lt;i&gt;</strong>" in page
    assert "<td>Other</td>" in page
    assert "Nothing of yours was lost and nothing of yours was sent." in page
    assert 'value="keep" checked' in page
    assert f'name="revision" value="{fresh.revision}"' in page
    again = staff.post(address(item, "decide"), {**typed, "verb": "fill", "revision": fresh.revision})
    assert again.status_code == 200
    assert 'value="Mine &lt;i&gt;"' in again.content.decode()
    assert f'name="revision" value="{fresh.revision}"' in again.content.decode()
    kept = staff.post(address(item, "decide"), {**typed, "verb": "keep"})
    assert kept["Location"] == address(item)
    assert (state_of(item), Decision.objects.count()) == ("in_review", 0)


def test_what_was_seen_of_an_older_draft_does_not_count(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow, to_check=("due",))
    page = staff.post(
        address(item, "decide"), {"verb": "fill", "revision": item.revision - 1, "seen": "due"}
    ).content.decode()
    assert 'name="seen" value="due">' in page


def test_keeping_what_somebody_decided_goes_on_to_the_next(
    staff: Client, senior: Client, workflow: Workflow
) -> None:
    item, other = make_item(workflow=workflow), make_item(workflow=workflow)
    post(senior, item, "reject", reason="r")
    page = post(staff, item, "approve", **{"value-name": "x"}).content.decode()
    assert 'value="fill"' not in page
    Review.objects.filter(claimed_by__username="senior").update(claimed_by=None, claimed_until=None)
    assert staff.post(address(item, "decide"), {"verb": "keep"})["Location"] == address(other)


def test_common_reasons_are_those_of_this_workflow_and_verb(staff: Client, workflow: Workflow) -> None:
    elsewhere = make_workflow("elsewhere")
    stranger = make_user(can=SENIOR, on=elsewhere)
    from workflows.decisions import escalate, reject

    by = person("staff")
    for reason in ("not <b>ours</b>", "not <b>ours</b>", "twice"):
        reject(item=make_item(workflow=workflow), by=by, reason=reason)
    escalate(item=make_item(workflow=workflow), by=by, reason="too large")
    reject(item=make_item(workflow=elsewhere), by=stranger, reason="a secret of theirs")
    old = make_item(workflow=workflow)
    reject(item=old, by=by, reason="long ago")
    Decision.objects.filter(item=old).update(created_at=timezone.now() - timedelta(days=91))
    item = make_item(workflow=workflow)
    page = staff.get(address(item, "reasons") + "?verb=reject").content.decode()
    assert page.index("not &lt;b&gt;ours&lt;/b&gt;") < page.index("twice")
    assert page.count("<button") == 6
    for other in ("too large", "secret", "long ago", "<b>"):
        assert other not in page
    assert staff.get(address(item, "reasons") + "?verb=approve").content.decode().strip() == ""


@pytest.fixture
def there(workflow: Workflow) -> Workflow:
    return make_workflow("there", name="There")


def test_an_item_is_moved_from_its_page_and_both_name_each_other(
    staff: Client, workflow: Workflow, there: Workflow
) -> None:
    item = make_item(workflow=workflow, title="Wrong here")
    assert 'id="ask-move"' not in page_of(staff, item)
    move_it = {"workflow": there.pk, "reason": "a lead", "revision": item.revision}
    staff.post(address(item, "move"), move_it)
    assert (Item.objects.count(), state_of(item)) == (1, "in_review")
    client = signed_in(make_user("both", can=STAFF, on=workflow))
    grant_all(to=person("both"), on=there, actions=(Action.VIEW, Action.SUBMIT))
    assert 'id="ask-move"' in page_of(client, item)
    client.post(address(item, "move"), move_it | {"revision": item.revision - 1})
    assert Item.objects.count() == 1
    client.post(address(item, "move"), move_it)
    made = Item.objects.get(workflow=there)
    assert state_of(item) == "skipped"
    assert f'href="{address(made)}"' in page_of(client, item)
    assert f'href="{address(item)}"' in page_of(client, made)
    # Who sees only the one workflow is not told of the other item.
    assert "Went on as" not in page_of(staff, item)


def test_what_somebody_else_claimed_is_neither_moved_nor_split(
    staff: Client, senior: Client, workflow: Workflow, there: Workflow
) -> None:
    item = make_item(workflow=workflow)
    grant_all(to=person("staff"), on=there, actions=(Action.VIEW, Action.SUBMIT))
    senior.post(address(item, "claim"))
    staff.post(address(item, "move"), {"workflow": there.pk, "reason": "r", "revision": item.revision})
    staff.post(address(item, "split"), {"excerpt": "a text", "reason": "r", "revision": item.revision})
    assert Item.objects.count() == 1
    assert state_of(item) == "in_review"


def test_an_item_is_split_from_its_page(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow, title="Two")
    assert 'id="ask-split"' in page_of(staff, item)
    answer = staff.post(
        address(item, "split"),
        {"excerpt": "The second", "reason": "two requests", "revision": item.revision},
        follow=True,
    )
    assert "The second is “Two (second part)”" in answer.content.decode()
    made = Item.objects.get(origin=item)
    assert f'href="{address(made)}"' in page_of(staff, item)
    viewer = signed_in(make_user(can=(Action.VIEW,), on=workflow))
    viewer.post(address(item, "split"), {"excerpt": "x", "reason": "r", "revision": item.revision + 1})
    assert Item.objects.count() == 2


def test_a_reviewer_of_sensitive_items_claims_what_others_only_read(db: None) -> None:
    workflow = make_workflow(
        "hr", fields=[{"key": "name", "label": "Name", "kind": "text", "sensitive": True}]
    )
    item = make_item(workflow=workflow, values={"name": "Ines"})
    plain = make_user(can=STAFF, on=workflow)
    assert signed_in(plain).post(address(item, "claim")).status_code == 302
    assert held_by(item) == ""
    allowed = make_user(can=SENIOR, on=workflow)
    claim(review=Review.objects.get(item=item), by=allowed)
    assert held_by(item) == allowed.username
