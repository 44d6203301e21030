"""How long a person worked on a review is measured from their claim, and nothing is made up where there was none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from reviews.claims import claim, release, renew
from reviews.models import MOST_SECONDS, Review
from tests.factories import SENIOR, make_item, make_user, make_workflow
from workflows.decisions import approve

pytestmark = pytest.mark.django_db


def begun(review: Review, *, seconds: int) -> None:
    """As if the claim had begun so long ago."""
    Review.objects.filter(pk=review.pk).update(claimed_at=timezone.now() - timedelta(seconds=seconds))


@pytest.mark.parametrize(("seconds", "worked"), [(90, 90), (3 * 3600, MOST_SECONDS)])
def test_it_is_from_the_claim_to_the_decision_and_at_most_half_an_hour(seconds: int, worked: int) -> None:
    workflow = make_workflow()
    person, item = make_user(can=SENIOR, on=workflow), make_item(workflow=workflow)
    review = claim(review=Review.objects.get(item=item), by=person)
    begun(review, seconds=seconds)
    renew(review=review, by=person)
    claim(review=review, by=person)  # of what is one's own already: the work goes on
    approve(item=item, by=person)
    review.refresh_from_db()
    assert abs((review.worked_seconds or 0) - worked) <= 1
    assert review.claimed_at is None


def test_a_decision_without_a_claim_is_not_measured() -> None:
    workflow = make_workflow()
    person, item = make_user(can=SENIOR, on=workflow), make_item(workflow=workflow)
    approve(item=item, by=person)
    assert Review.objects.get(item=item).worked_seconds is None


def test_a_claim_that_was_released_or_ran_out_does_not_count() -> None:
    workflow = make_workflow()
    person, item = make_user(can=SENIOR, on=workflow), make_item(workflow=workflow)
    review = claim(review=Review.objects.get(item=item), by=person)
    begun(review, seconds=600)
    release(review=review, by=person)
    assert Review.objects.get(pk=review.pk).claimed_at is None
    claim(review=review, by=person)
    begun(review, seconds=600)
    Review.objects.filter(pk=review.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))
    claim(review=review, by=person)
    approve(item=item, by=person)
    review.refresh_from_db()
    assert (review.worked_seconds or 0) <= 2
