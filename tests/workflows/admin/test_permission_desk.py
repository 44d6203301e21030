"""Grants with an end, why somebody sees or does not, grants that may go, people found by search."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from tests.factories import ADMIN, SENIOR, STAFF, grant_all, make_item, make_user, make_workflow
from tests.workflows.admin.conftest import signed_in
from tests.workflows.admin.test_workflow_page import access_of, page_of, save, ticks
from tests.workflows.api.calls import Caller
from workflows.access import Action, forget, grant, grants_of, may, people_who_may, revoke, visible
from workflows.models import GrantChange, GrantEnd, Item, Workflow
from workflows.permission_matrix import end_of_day
from workflows.stale_grants import stale_grants
from workflows.why import why

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads", name="Leads")


@pytest.fixture
def client(workflow: Workflow) -> Client:
    return signed_in(make_user("admin", can=ADMIN, on=workflow))


def fresh(user: Any) -> Any:
    return get_user_model().objects.get(pk=user.pk)


def give(holder: Any, workflow: Workflow, *, ends: timedelta | None, can: Any = STAFF) -> None:
    for action in can:
        grant(action=action, workflow=workflow, to=holder, ends_at=timezone.now() + ends if ends else None)


def end_now(holder: Any) -> None:
    """As time would."""
    name = "through__group" if isinstance(holder, Group) else "own__user"
    assert GrantEnd.objects.filter(**{name: holder}).update(ends_at=timezone.now())


# --- grants that end


@pytest.mark.parametrize("through_group", [False, True])
def test_a_grant_that_ended_gives_nothing_anywhere(workflow: Workflow, through_group: bool) -> None:
    person = make_user("person")
    holder = Group.objects.create(name="Helpers") if through_group else person
    if through_group:
        person.groups.add(holder)
    give(holder, workflow, ends=HOUR, can=SENIOR)
    item = make_item(workflow=workflow, title="Visible for now")
    client, caller = signed_in(person), Caller(workflow=workflow, user=fresh(person))
    places = [f"/admin/workflows/item/{item.pk}/{page}/" for page in ("change", "history")]
    call = f"/api/v1/items/{item.public_id}"
    assert may(fresh(person), Action.REVIEW, item)
    assert [client.get(place).status_code for place in places] == [200, 200]
    assert caller.client.get(call, headers=caller.headers).status_code == 200

    end_now(holder)

    assert not may(fresh(person), Action.REVIEW, item)
    assert not visible(fresh(person), Item.objects.all()).exists()
    assert person not in people_who_may(action=Action.REVIEW, workflow=workflow)
    assert [client.get(place).status_code for place in places] == [404, 404]
    assert client.get("/admin/workflows/item/").status_code == 404
    assert "Visible for now" not in client.get("/admin/search/?s=visible").content.decode()
    assert caller.client.get(call, headers=caller.headers).status_code in (403, 404)
    assert not fresh(person).has_perm("workflows.review_item", workflow)


def test_what_was_remembered_ends_with_the_grant(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user object that lives longer than the grant, as in a long export."""
    person = make_user("person")
    give(person, workflow, ends=HOUR)
    give(person, workflow, ends=None, can=(Action.EXPORT,))
    assert may(person, Action.VIEW, workflow)
    later = timezone.now() + 2 * HOUR
    monkeypatch.setattr("workflows.access.timezone.now", lambda: later)
    assert not may(person, Action.VIEW, workflow)


def test_an_end_does_not_shorten_what_comes_another_way(workflow: Workflow) -> None:
    person, group = make_user("person"), Group.objects.create(name="Staff")
    person.groups.add(group)
    give(group, workflow, ends=None)
    give(person, workflow, ends=HOUR)
    end_now(person)
    assert may(fresh(person), Action.REVIEW, workflow)


def test_a_grant_that_is_given_again_has_no_old_end(workflow: Workflow) -> None:
    person = make_user("person")
    give(person, workflow, ends=HOUR, can=(Action.VIEW,))
    end_now(person)
    assert grant(action=Action.VIEW, workflow=workflow, to=person)
    assert may(person, Action.VIEW, workflow)
    assert not GrantEnd.objects.exists()
    give(person, workflow, ends=HOUR, can=(Action.VIEW,))
    assert revoke(action=Action.VIEW, workflow=workflow, of=person)
    assert not GrantEnd.objects.exists()
    assert not grants_of(workflow)
    told = list(GrantChange.objects.order_by("pk").values_list("given", "ends_at"))
    assert [(given, ends_at is not None) for given, ends_at in told] == [
        (True, True), (True, False), (True, True), (False, False),
    ]  # fmt: skip


def test_an_end_is_told_in_words_before_it_is_saved_and_kept_in_the_log(
    client: Client, workflow: Workflow
) -> None:
    one = make_user("one", can=STAFF, on=workflow)
    day = timezone.localdate() + timedelta(days=10)
    told = f"{day.day} {day:%b %Y}"
    sent = {**ticks(one=(*STAFF, Action.EXPORT)), "until|person:one": day.isoformat()}
    look = client.post(access_of(workflow), {**sent, "verb": "look"}).content.decode()
    assert (
        f"one gains “Export” until {told} and keeps “See items”, “Submit” and “Review” until {told}." in look
    )
    assert f"After {told}: nobody is left who can review" in look
    assert save(client, workflow, sent).status_code == 302
    assert set(GrantEnd.objects.values_list("ends_at", flat=True)) == {end_of_day(day)}
    page = client.get(page_of(workflow)).content.decode()
    assert f'value="{day.isoformat()}"' in page
    assert f"admin gave “Export” to one until {told}" in page
    # The row as it stands changes nothing; without the day it has no end again.
    same = client.post(access_of(workflow), {**sent, "verb": "look"}).content.decode()
    assert "Nothing is changed yet." in same
    assert save(client, workflow, {**sent, "until|person:one": ""}).status_code == 302
    assert not GrantEnd.objects.exists()
    assert may(fresh(one), Action.EXPORT, workflow)


def test_a_day_that_has_passed_or_is_none_is_refused(client: Client, workflow: Workflow) -> None:
    make_user("one", can=STAFF, on=workflow)
    for day, said in (("2020-01-01", "the last day has passed"), ("soon", "is no day")):
        answer = client.post(
            access_of(workflow), {**ticks(one=STAFF), "until|person:one": day, "verb": "save", "seal": "x"}
        )
        assert said in answer.content.decode()
    assert not GrantEnd.objects.exists()


def test_the_last_one_who_manages_access_gets_no_end(client: Client, workflow: Workflow) -> None:
    day = (timezone.localdate() + timedelta(days=3)).isoformat()
    refused = save(client, workflow, {**ticks(admin=ADMIN), "until|person:admin": day})
    assert refused.status_code == 422
    assert "Nobody would be left who can manage access once the end has come" in refused.content.decode()


def test_what_stays_through_a_group_is_told(client: Client, workflow: Workflow) -> None:
    one, group = make_user("one", can=STAFF, on=workflow), Group.objects.create(name="Clerks")
    one.groups.add(group)
    grant_all(to=group, on=workflow, actions=STAFF)
    look = client.post(
        access_of(workflow), {**ticks(one=(Action.VIEW, Action.SUBMIT)), "verb": "look"}
    ).content.decode()
    assert "one still has “Review” through Clerks." in look


def test_presets_say_what_each_holds(client: Client, workflow: Workflow) -> None:
    page = client.get(page_of(workflow)).content.decode()
    for name in ("Reviewer", "Senior", "Manager", "Auditor", "Admin"):
        assert f">{name}</option>" in page
    assert '<option value="view_model_logs view_reports view_workflow">Auditor</option>' in page


# --- why


def answer_of(person: Any, workflow: Workflow, action: Action) -> Any:
    person = fresh(person)
    return next(one for one in why(person=person, workflow=workflow) if one.action == action)


def test_why_tells_the_whole_chain(workflow: Workflow) -> None:
    person, group = make_user("person"), Group.objects.create(name="Clerks")
    person.groups.add(group)
    boss = make_user("boss")
    grant(action=Action.VIEW, workflow=workflow, to=group, by=boss)
    give(person, workflow, ends=HOUR, can=(Action.REVIEW,))
    end_now(person)
    seen = answer_of(person, workflow, Action.VIEW)
    assert seen.holds
    said = seen.chain[0].said
    assert said.startswith("given by boss on ")
    assert said.endswith(" to the group Clerks, which they are in")
    review = answer_of(person, workflow, Action.REVIEW)
    assert (review.holds, review.chain[0].counts) == (False, False)
    assert "it ended after" in review.chain[0].said
    assert review.missing == "What gave it has ended. Give it again, or another end."
    other = Group.objects.create(name="Exporters")
    grant(action=Action.EXPORT, workflow=workflow, to=other)
    assert answer_of(person, workflow, Action.EXPORT).missing == (
        "No grant leads here. It is held by Exporters: put them into the group, or give it to them."
    )


def test_why_knows_superusers_disabled_accounts_and_a_permission_without_sight(workflow: Workflow) -> None:
    root = make_user("root", superuser=True)
    assert answer_of(root, workflow, Action.EXPORT).chain[0].said == "is a superuser, who may do everything"
    blind = make_user("blind", can=(Action.REVIEW,), on=workflow)
    assert "“See items” is missing" in answer_of(blind, workflow, Action.REVIEW).missing
    gone = make_user("gone", can=STAFF, on=workflow)
    get_user_model().objects.filter(pk=gone.pk).update(is_active=False)
    answer = answer_of(gone, workflow, Action.VIEW)
    assert (answer.holds, answer.missing) == (False, "The account is switched off.")
    assert "the account is switched off" in answer.chain[0].said


@pytest.mark.parametrize("holds", [True, False])
def test_why_says_what_the_door_says(workflow: Workflow, holds: bool) -> None:
    """Every permission, for somebody with all of them and somebody with none."""
    person = make_user("person", can=tuple(Action) if holds else (), on=workflow)
    for one in why(person=fresh(person), workflow=workflow):
        assert one.holds == may(fresh(person), one.action, workflow) == holds
        assert bool(one.missing) != holds


def test_the_why_page_is_for_those_who_give_access(client: Client, workflow: Workflow) -> None:
    make_user("one", can=STAFF, on=workflow)
    hidden = make_item(workflow=make_workflow("other"), title="Of another workflow")
    item = make_item(workflow=workflow, title="The asked one")
    address = f"/admin/workflows/workflow/{workflow.pk}/why/"
    page = client.get(f"{address}?person=one&item={item.pk}").content.decode()
    assert "Review: yes" in page
    assert "Export: no" in page
    assert "The asked one" in page
    assert "Of another workflow" not in client.get(f"{address}?person=one&item={hidden.pk}").content.decode()
    assert (
        "There is nobody with the user name “none”." in client.get(f"{address}?person=none").content.decode()
    )
    assert signed_in(make_user(can=SENIOR, on=workflow)).get(address).status_code == 403
    assert signed_in(make_user(can=ADMIN, on=make_workflow("third"))).get(address).status_code == 404


# --- grants that may go


def test_grants_that_ended_or_that_nobody_uses_are_listed(client: Client, workflow: Workflow) -> None:
    gone = make_user("gone", can=STAFF, on=workflow)
    get_user_model().objects.filter(pk=gone.pk).update(is_active=False)
    empty = Group.objects.create(name="Empty")
    give(empty, workflow, ends=None)
    ended = make_user("ended")
    give(ended, workflow, ends=HOUR)
    end_now(ended)
    idle, busy = make_user("idle", can=STAFF, on=workflow), make_user("busy", can=STAFF, on=workflow)
    make_item(workflow=workflow, by=busy)
    young = stale_grants(workflow=workflow)
    assert {row.name: row.why.split(" after")[0] for row in young} == {
        "gone": "the account is switched off",
        "Empty": "nobody who can sign in is in the group",
        "ended": "ended",
    }
    GrantChange.objects.update(at=timezone.now() - timedelta(days=100))
    found = {row.name: row for row in stale_grants(workflow=workflow)}
    assert found["idle"].actions == (Action.VIEW, Action.SUBMIT, Action.REVIEW)
    assert found["busy"].actions == (Action.REVIEW,)
    assert found["busy"].kept == (Action.VIEW, Action.SUBMIT)
    get_user_model().objects.filter(pk=idle.pk).update(last_login=timezone.now())
    assert {row.name: row for row in stale_grants(workflow=workflow)}["idle"].actions == (
        Action.SUBMIT,
        Action.REVIEW,
    )
    page = client.get(f"/admin/workflows/workflow/{workflow.pk}/stale/").content.decode()
    assert "not used in 90 days" in page
    assert signed_in(busy).get(f"/admin/workflows/workflow/{workflow.pk}/stale/").status_code == 403


def test_taking_away_leads_to_the_words_of_the_table_first(client: Client, workflow: Workflow) -> None:
    one = make_user("one")
    give(one, workflow, ends=HOUR)
    end_now(one)
    sent = {"verb": "add", "row": "person:one", "until|person:one": "same"}
    page = client.post(access_of(workflow), sent).content.decode()
    assert "one loses “See items”, “Submit” and “Review”." in page
    assert not GrantChange.objects.filter(given=False).exists()
    assert save(client, workflow, {"row": "person:one", "until|person:one": "same"}).status_code == 302
    assert one.pk not in {holder.pk for holder in grants_of(workflow)}


# --- people


def test_people_are_found_by_those_who_may_name_them(client: Client, workflow: Workflow) -> None:
    make_user("hidden-name")
    make_user("seen-name", can=STAFF, on=workflow)
    address = f"/admin/workflows/workflow/{workflow.pk}/people/"

    def names(by: Client, query: str) -> list[str]:
        return [one["username"] for one in by.get(address + query).json()["people"]]

    assert names(client, "?q=name") == ["hidden-name", "seen-name"]
    assert names(client, "?q=n") == []
    assert names(client, "?q=name&for=owner") == ["seen-name"]
    manages = signed_in(make_user(can=(Action.VIEW, Action.MANAGE), on=workflow))
    assert names(manages, "?q=name&for=owner") == ["seen-name"]
    assert manages.get(f"{address}?q=name").status_code == 403
    assert signed_in(make_user(can=SENIOR, on=workflow)).get(f"{address}?q=name&for=owner").status_code == 403


def test_people_beyond_a_page_are_found_and_stay_as_they_are(client: Client, workflow: Workflow) -> None:
    for number in range(60):
        grant(action=Action.VIEW, workflow=workflow, to=make_user(f"p{number:02}"))
    page = client.get(page_of(workflow)).content.decode()
    assert "11 more people have permissions of their own" in page
    assert "person:p59" not in page
    assert "person:p59" in client.get(f"{page_of(workflow)}?who=p59").content.decode()
    assert save(client, workflow, ticks(p00=())).status_code == 302
    assert may(fresh(get_user_model().objects.get(username="p59")), Action.VIEW, workflow)
    forget(get_user_model().objects.get(username="p00"))
