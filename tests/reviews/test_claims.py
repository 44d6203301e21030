from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from reviews.claims import claim, claim_next, holder, release, renew, take_over
from reviews.models import Review
from tests.factories import (
    ADMIN,
    FIELDS,
    MANAGER,
    SENIOR,
    STAFF,
    grant_all,
    make_item,
    make_user,
    make_workflow,
)
from workflows.decisions import approve, reject
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import Decision, Delivery, Workflow
from workflows.people import system_user
from workflows.states import State
from workflows.transitions import move


def review_of(item: Any) -> Review:
    return Review.objects.get(item=item, state=Review.State.OPEN)


def run_out(review: Review) -> None:
    Review.objects.filter(pk=review.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def workflow(db: None) -> Workflow:
    return make_workflow()


@pytest.fixture
def first(workflow: Workflow) -> Any:
    return make_user("first", can=STAFF, on=workflow)


@pytest.fixture
def second(workflow: Workflow) -> Any:
    return make_user("second", can=STAFF, on=workflow)


def test_a_claim_is_refused_while_another_runs_and_names_who_has_it(
    workflow: Workflow, first: Any, second: Any
) -> None:
    review = review_of(make_item(workflow=workflow))
    claimed = claim(review=review, by=first)
    assert claimed.claimed_until is not None
    with pytest.raises(Conflict, match=f"first has claimed this item until .*{claimed.claimed_until:%M}"):
        claim(review=review, by=second)
    review.refresh_from_db()
    assert holder(review=review) == first


def test_ones_own_claim_is_renewed_and_writes_no_history(workflow: Workflow, first: Any) -> None:
    review = claim(review=review_of(make_item(workflow=workflow)), by=first)
    before, rows = review.claimed_until, review.history.count()
    assert before is not None
    assert claim(review=review, by=first).claimed_until > before
    assert renew(review=review, by=first).claimed_until > before
    assert review.history.count() == rows


def test_a_claim_that_ran_out_is_nobodys_and_anybodys(workflow: Workflow, first: Any, second: Any) -> None:
    review = claim(review=review_of(make_item(workflow=workflow)), by=first)
    run_out(review)
    review.refresh_from_db()
    assert holder(review=review) is None
    with pytest.raises(Conflict, match="Your claim has ended"):
        renew(review=review, by=first)
    assert holder(review=claim(review=review, by=second)) == second
    with pytest.raises(Conflict, match="second has claimed"):
        renew(review=review, by=first)


def test_a_released_claim_is_free_and_nobody_releases_anothers(
    workflow: Workflow, first: Any, second: Any
) -> None:
    review = claim(review=review_of(make_item(workflow=workflow)), by=first)
    release(review=review, by=second)
    review.refresh_from_db()
    assert holder(review=review) == first
    release(review=review, by=first)
    assert holder(review=claim(review=review, by=second)) == second


def test_who_may_not_decide_an_item_cannot_claim_it(workflow: Workflow) -> None:
    review = review_of(make_item(workflow=workflow))
    with pytest.raises(NotPermitted):
        claim(review=review, by=make_user(can=MANAGER, on=workflow))
    escalated = review_of(make_item(workflow=workflow, state=State.ESCALATED))
    with pytest.raises(NotPermitted):
        claim(review=escalated, by=make_user(can=STAFF, on=workflow))
    review.refresh_from_db()
    assert holder(review=review) is None


def test_a_take_over_needs_a_reason_and_the_right_and_stands_in_the_history(
    workflow: Workflow, first: Any, second: Any
) -> None:
    review = claim(review=review_of(make_item(workflow=workflow)), by=first)
    senior = make_user("senior", can=SENIOR, on=workflow)
    with pytest.raises(NotPermitted):
        take_over(review=review, by=second, reason="It is urgent")
    with pytest.raises(InvalidInput):
        take_over(review=review, by=senior, reason=" ")
    assert holder(review=take_over(review=review, by=senior, reason="It is urgent")) == senior
    entry = review.history.first()
    assert entry.history_user == senior
    assert entry.history_change_reason == "Claim taken over from first: It is urgent"
    with pytest.raises(Conflict, match="senior has claimed"):
        renew(review=review, by=first)


def test_who_takes_over_and_may_not_decide_sets_the_item_free(workflow: Workflow, first: Any) -> None:
    review = claim(review=review_of(make_item(workflow=workflow)), by=first)
    admin = make_user(can=ADMIN, on=workflow)
    assert holder(review=take_over(review=review, by=admin, reason="First is ill")) is None


def test_a_decision_against_a_claim_is_refused_and_nothing_is_written(
    workflow: Workflow, first: Any, second: Any
) -> None:
    item = make_item(workflow=workflow)
    claim(review=review_of(item), by=first)
    history = item.history.count()
    for act in (lambda: approve(item=item, by=second), lambda: reject(item=item, by=second, reason="No")):
        with pytest.raises(Conflict, match=r"first has claimed this item until .* Nothing of yours was sent"):
            act()
    item.refresh_from_db()
    assert (item.state, item.history.count()) == (State.IN_REVIEW, history)
    assert not Decision.objects.exists()
    assert not Delivery.objects.exists()
    approve(item=item, by=first)
    closed = Review.objects.get(item=item)
    assert (closed.state, closed.claimed_by, closed.claimed_until) == (Review.State.DONE, None, None)


def test_a_decision_is_taken_without_a_claim_and_over_one_that_ran_out(
    workflow: Workflow, first: Any, second: Any
) -> None:
    approve(item=make_item(workflow=workflow), by=second)
    item = make_item(workflow=workflow)
    run_out(claim(review=review_of(item), by=first))
    assert approve(item=item, by=second).kind == Decision.Kind.APPROVE


@pytest.mark.parametrize("by", ["system", "nobody"])
def test_the_worker_is_not_stopped_by_a_claim(workflow: Workflow, first: Any, by: str) -> None:
    item = make_item(workflow=workflow)
    claim(review=review_of(item), by=first)
    who = system_user() if by == "system" else None
    assert move(item=item, to=State.ATTENTION, by=who, why="It failed").state == State.ATTENTION


def test_a_claim_of_what_was_decided_is_refused(workflow: Workflow, first: Any, second: Any) -> None:
    item = make_item(workflow=workflow)
    review = review_of(item)
    approve(item=item, by=second)
    for act in (claim, renew):
        with pytest.raises(Conflict, match="somebody decided it"):
            act(review=review, by=first)


def test_the_next_item_is_the_most_urgent_one_that_is_free_and_may_be_decided(
    workflow: Workflow, first: Any, second: Any
) -> None:
    reviews = [review_of(make_item(workflow=workflow)) for _ in range(4)]
    for hours, review in zip((3, 1, 2, 4), reviews, strict=True):
        Review.objects.filter(pk=review.pk).update(due_at=timezone.now() + timedelta(hours=hours))
    make_item(workflow=workflow, state=State.ESCALATED)
    make_item(workflow=make_workflow())  # of which first may see nothing
    claim(review=reviews[1], by=second)
    got = claim_next(user=first)
    assert got == reviews[2]
    assert holder(review=got) == first
    assert claim_next(user=first, after=got) == reviews[0]
    assert claim_next(user=first, after=reviews[0]) == reviews[3]
    # Nothing stands behind the last: from the front again, besides the one that is left.
    last = Review.objects.get(pk=reviews[3].pk)
    assert claim_next(user=first, after=last) == reviews[2]
    assert claim_next(user=make_user(can=MANAGER, on=workflow)) is None


@pytest.mark.django_db
def test_the_next_item_is_found_behind_many_that_one_may_not_decide() -> None:
    secret = [{**FIELDS[0], "sensitive": True}, *FIELDS[1:]]
    guarded, open_to_all = make_workflow(fields=secret), make_workflow()
    staff = make_user(can=STAFF, on=guarded)
    grant_all(to=staff, on=open_to_all, actions=STAFF)
    for _ in range(21):
        make_item(workflow=guarded)
    last = review_of(make_item(workflow=open_to_all))
    assert claim_next(user=staff) == last


@pytest.mark.django_db(transaction=True)
def test_people_who_ask_for_the_next_item_at_once_never_get_the_same() -> None:
    workflow = make_workflow()
    people = [make_user(can=STAFF, on=workflow) for _ in range(6)]
    for _ in people:
        make_item(workflow=workflow)
    got = at_once([lambda one=one: claim_next(user=one) for one in people])
    assert len({review.pk for review in got}) == len(people)


@pytest.mark.django_db(transaction=True)
def test_of_people_who_claim_one_review_at_once_one_wins() -> None:
    workflow = make_workflow()
    people = [make_user(can=STAFF, on=workflow) for _ in range(6)]
    review = review_of(make_item(workflow=workflow))
    got = at_once([lambda one=one: claim(review=review, by=one) for one in people])
    won = [one for one in got if isinstance(one, Review)]
    assert len(won) == 1
    assert sum(isinstance(one, Conflict) for one in got) == len(people) - 1


@pytest.mark.django_db(transaction=True)
def test_a_decision_and_a_claim_at_once_never_both_succeed() -> None:
    workflow = make_workflow()
    decider, claimer = (make_user(can=STAFF, on=workflow) for _ in range(2))
    for _ in range(5):
        item = make_item(workflow=workflow)
        review = review_of(item)
        decided, claimed = at_once(
            [lambda: approve(item=item, by=decider), lambda: claim(review=review, by=claimer)]
        )
        assert isinstance(decided, Conflict) != isinstance(claimed, Conflict)
        review.refresh_from_db()
        assert (review.state == Review.State.OPEN) == (holder(review=review) == claimer)


def at_once(acts: list[Any]) -> list[Any]:
    """What each act gave or raised, each in a thread with a connection of its own, begun together."""
    start, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int, act: Any) -> None:
        try:
            start.wait(10)
            results[number] = act()
        except Exception as error:
            results[number] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results
