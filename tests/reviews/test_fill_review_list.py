"""What the migration fills in of reviews that were open before the review list had its columns."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from reviews.claims import to_decide
from reviews.models import Review
from reviews.urgency import urgency
from tests.factories import (
    FIELDS,
    SENIOR,
    STAFF,
    grant_all,
    make_item,
    make_user,
    make_version,
    make_workflow,
)
from workflows.models import Item
from workflows.states import State

pytestmark = pytest.mark.django_db
COLUMNS = ("risk", "amount", "currency", "sensitive", "reason_kinds")
MONEY = {"key": "cost", "label": "Cost", "kind": "money"}
RULE = {"field": "cost", "operator": "above", "value": "10", "reason": "costly"}


def fill() -> None:
    """With the models as they stood then, which know nothing of today's methods."""
    name = "0004_fill_review_list"
    then = MigrationExecutor(connection).loader.project_state([("reviews", name)]).apps
    import_module(f"reviews.migrations.{name}").fill(then, SimpleNamespace(connection=connection))


def test_a_sensitive_review_from_before_is_not_listed_for_whoever_may_not_decide_it() -> None:
    workflow = make_workflow(fields=[{**FIELDS[0], "sensitive": True}, *FIELDS[1:]])
    staff, senior = make_user(can=STAFF, on=workflow), make_user("senior")
    grant_all(to=senior, on=workflow, actions=SENIOR)
    item = make_item(workflow=workflow)
    Review.objects.update(risk=Review.Risk.MEDIUM, amount=None, currency="", sensitive=False, reason_kinds="")
    assert to_decide(user=staff).exists(), "as it was before the migration"

    fill()

    assert not to_decide(user=staff).exists()
    assert [review.item for review in to_decide(user=senior)] == [item]


def test_it_fills_in_what_a_review_gets_when_it_opens() -> None:
    """The migration has the rule of its day. Where a later rule differs, write what is expected here, and leave it alone."""
    paid = make_workflow(fields=[*FIELDS, MONEY], rules=[RULE])
    plain = make_workflow(fields=FIELDS[2:])
    values = {"name": "Ines Okafor", "cost": {"amount": "20.5", "currency": "EUR"}}
    for workflow, given, reasons in (
        (paid, values, []),
        (
            paid,
            {**values, "total": {"amount": "1.00", "currency": "USD"}},
            [{"kind": "rule", "field": "cost"}],
        ),
        (
            paid,
            {**values, "cost": {"amount": "much", "currency": "EUR"}},
            [{"kind": "value", "field": "total"}],
        ),
        (paid, {**values, "cost": {"amount": "1e30", "currency": "EUR"}}, [{"kind": "bar", "field": "name"}]),
        (plain, {"due": "2026-11-30"}, [{"kind": "evidence", "field": "due"}]),
        (plain, {}, [{"kind": "certificate", "doubtful": False}]),
        (plain, {}, []),
    ):
        item = make_item(workflow=workflow, values=given)
        Item.objects.filter(pk=item.pk).update(route={"reasons": reasons})
    make_item(workflow=plain, values={"due": "2026-11-30"}, state=State.ESCALATED)
    make_version(workflow=plain, number=2)
    expected = {review.pk: urgency(item=review.item) for review in Review.objects.all()}
    assert {told["risk"] for told in expected.values()} == set(Review.Risk)
    Review.objects.update(risk=Review.Risk.MEDIUM, amount=None, currency="", sensitive=False, reason_kinds="")

    fill()

    assert {row.pop("pk"): row for row in Review.objects.values("pk", *COLUMNS)} == expected
