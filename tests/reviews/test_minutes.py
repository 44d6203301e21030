"""How long people take for an item, from claims and decisions that were really made."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from reviews.claims import claim
from reviews.minutes import person_minutes
from reviews.models import Review
from tests.factories import ADMIN, SENIOR, make_item, make_user, make_workflow
from tests.workflows.admin.conftest import signed_in
from workflows.decisions import approve
from workflows.measuring import measured_of
from workflows.models import Brief, Workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads")


@pytest.fixture
def person(workflow: Workflow) -> Any:
    return make_user(can=SENIOR, on=workflow)


def decide(workflow: Workflow, by: Any, *, minutes: int | None, **columns: Any) -> None:
    """Claimed so many minutes before the decision; None: without a claim."""
    item = make_item(workflow=workflow, **columns)
    if minutes is not None:
        review = claim(review=Review.objects.get(item=item), by=by)
        Review.objects.filter(pk=review.pk).update(claimed_at=timezone.now() - timedelta(minutes=minutes))
    approve(item=item, by=by)


def test_items_count_with_the_time_from_claim_to_decision(workflow: Workflow, person: Any) -> None:
    assert person_minutes(workflow) is None
    for minutes in (2, 4):
        decide(workflow, person, minutes=minutes)
    decide(workflow, person, minutes=None)
    decide(workflow, person, minutes=29, channel="sample")
    decide(make_workflow("other"), make_user(can=SENIOR, on=Workflow.objects.get(slug="other")), minutes=20)
    found = person_minutes(workflow)
    assert (found.count, found.mean) == (2, Decimal(3))
    assert measured_of(workflow=workflow).person == found, "the page of the workflow asks for it"


def test_five_decisions_make_the_so_what_net_on_the_page(workflow: Workflow, person: Any) -> None:
    Brief.objects.create(workflow=workflow, per_week_low=100, minutes_by_hand=6, hour_cost=30)
    boss = signed_in(make_user(can=ADMIN, on=workflow))
    address = f"/admin/workflows/workflow/{workflow.pk}/change/"
    for _ in range(4):
        decide(workflow, person, minutes=2)
    assert "(4 of 5 decisions)" in boss.get(address).content.decode()
    decide(workflow, person, minutes=2)
    assert "take 2.0 minutes of a person instead of 6.0." in boss.get(address).content.decode()


def test_instructions_stand_beside_an_item_that_waits_for_a_person(workflow: Workflow, person: Any) -> None:
    Brief.objects.create(workflow=workflow, instructions="Check <b>the total</b> first.")
    item = make_item(workflow=workflow)
    address = f"/admin/workflows/item/{item.pk}/change/"
    client = signed_in(person)
    page = client.get(address).content.decode()
    assert "How to review these" in page
    assert "Check &lt;b&gt;the total&lt;/b&gt; first." in page
    approve(item=item, by=person)
    assert "How to review these" not in client.get(address).content.decode()
