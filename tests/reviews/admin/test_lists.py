"""The lists of work: what stands in them, for whom, and what their buttons do."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reviews.claims import claim, holder, to_decide
from reviews.models import Review
from reviews.urgency import urgency
from tests.factories import (
    FIELDS,
    MANAGER,
    SENIOR,
    STAFF,
    VALUES,
    grant_all,
    make_item,
    make_user,
    make_workflow,
)
from tests.reviews.admin.conftest import signed_in
from workflows.decisions import escalate
from workflows.models import Workflow
from workflows.states import State

pytestmark = pytest.mark.django_db
LIST, NEXT = "/admin/reviews/review/", "/admin/reviews/review/next/"
ESCALATIONS, STUCK = "/admin/reviews/escalation/", "/admin/reviews/stuck/"


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def due_in(item: Any, **delta: float) -> None:
    Review.objects.filter(item=item).update(due_at=timezone.now() + timedelta(**delta))


def test_the_review_list_shows_what_one_may_decide_most_urgent_first(
    staff: Client, workflow: Workflow
) -> None:
    later, sooner = (make_item(workflow=workflow, title=title) for title in ("The second", "The first"))
    due_in(later, hours=3)
    due_in(sooner, minutes=-72)
    make_item(workflow=workflow, title="Escalated one", state=State.ESCALATED)
    make_item(workflow=make_workflow("hidden"), title="Hidden one")
    seen = page(staff, LIST)
    assert seen.index("The first") < seen.index("The second")
    for told in (
        "Late by 1 h 12 min",
        "Next item (2)",
        "1 late",
        "All mine · 2",
        "Late · 1",
        "12.50 EUR",
        "Nobody",
    ):
        assert told in seen
    assert "Escalated one" not in seen
    assert "Hidden one" not in seen
    assert "The second" not in page(staff, f"{LIST}?show=late")


def test_what_takes_a_permission_more_is_neither_listed_nor_counted(workflow: Workflow) -> None:
    secret = make_workflow(fields=[{**FIELDS[0], "sensitive": True}, *FIELDS[1:]])
    make_item(workflow=secret, title="With a secret")
    assert "Nothing to review" in page(signed_in(make_user(can=STAFF, on=secret)), LIST)
    assert "With a secret" in page(signed_in(make_user(can=SENIOR, on=secret)), LIST)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("risk=2", True), ("risk=3", False), ("due=late", False), ("due=day", True), ("claimed=me", False),
        ("claimed=nobody", True), ("claimed=colleague", False), ("reason=rule", True), ("reason=evidence", False),
        ("amount_from=12&amount_to=13", True), ("amount_from=13", False), ("q=lone", True), ("q=gearbox", False),
        ("workflow__id__exact=&risk=", True), ("workflow__id__exact=999999", False), ("risk=x", False),
    ],
)  # fmt: skip
def test_each_filter_keeps_what_it_names(staff: Client, workflow: Workflow, query: str, found: bool) -> None:
    make_item(workflow=workflow, title="A lone item")
    assert ("A lone item" in page(staff, f"{LIST}?{query}")) == found


def test_an_empty_list_says_why(staff: Client) -> None:
    assert "Every item you may review is decided." in page(staff, LIST)
    assert "No item matches “gearbox”" in page(staff, f"{LIST}?q=gearbox")


def test_the_next_item_is_claimed_by_post_and_opened(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    assert staff.get(NEXT).status_code == 405
    assert staff.post(NEXT)["Location"] == f"/admin/workflows/item/{item.pk}/change/"
    assert holder(review=Review.objects.get()).username == "staff"
    assert "You<small>until" in page(staff, LIST)
    Review.objects.update(claimed_by=make_user("ines"))
    assert staff.post(NEXT)["Location"] == LIST
    assert "ines<small>until" in page(staff, LIST)


@pytest.mark.parametrize("address", [LIST, ESCALATIONS, STUCK, "/admin/"])
def test_a_list_takes_as_many_queries_for_many_as_for_few(
    senior: Client, workflow: Workflow, address: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            page(senior, address)
        return len(caught)

    def fill(times: int) -> None:
        for _ in range(times):
            for state in (State.IN_REVIEW, State.ESCALATED, State.ATTENTION):
                make_item(workflow=workflow, state=state)

    fill(2)
    page(senior, address)
    few = queries()
    fill(6)
    assert queries() == few
    assert few <= (10 if address == LIST else 16)


@pytest.mark.parametrize("workflows", [1, 3])
def test_the_list_of_many_is_read_in_order_by_an_index(workflows: int) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the words of SQLite's planner")
    user = make_user()
    for _ in range(workflows):
        grant_all(to=user, on=make_workflow(), actions=STAFF)
    plan = to_decide(user=user).select_related("item", "workflow").order_by("due_at", "pk")[:50].explain()
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("reason", "values", "risk"),
    [
        ({"kind": "certificate", "doubtful": False}, {"name": "Ines"}, Review.Risk.LOW),
        ({"kind": "certificate", "doubtful": False}, VALUES, Review.Risk.MEDIUM),
        ({"kind": "bar", "field": "name", "doubtful": True}, {"name": "Ines"}, Review.Risk.MEDIUM),
        ({"kind": "evidence", "field": "due", "doubtful": True}, {"name": "Ines"}, Review.Risk.MEDIUM),
        ({"kind": "evidence", "field": "name", "doubtful": True}, {"name": "Ines"}, Review.Risk.HIGH),
        ({"kind": "value", "field": "total", "doubtful": True}, VALUES, Review.Risk.HIGH),
        ({"kind": "rule", "doubtful": True}, {"name": "Ines"}, Review.Risk.HIGH),
    ],
)
def test_risk_is_a_word_for_what_is_known(workflow: Workflow, reason: Any, values: Any, risk: Any) -> None:
    item = make_item(workflow=workflow, values=values)
    item.route = {"reasons": [{"text": "why", **reason}]}
    assert urgency(item=item)["risk"] == risk


def test_the_amount_is_the_one_that_a_rule_speaks_of() -> None:
    money = [{"key": key, "label": key.title(), "kind": "money"} for key in ("tax", "total", "fee")]
    values = {
        key: {"amount": number, "currency": "EUR"}
        for key, number in (("tax", "1"), ("total", "2"), ("fee", "3.456"))
    }
    rules = [{"field": "fee", "operator": "above", "value": "1", "reason": "high fee"}]
    for given, amount in (((), "2"), (rules, "3.46")):
        make_item(workflow=(flow := make_workflow(fields=money, rules=given)), values=values)
        assert Review.objects.get(workflow=flow).amount == Decimal(amount)


def escalated(workflow: Workflow, by: Any) -> Review:
    item = make_item(workflow=workflow, title="Refund over the limit")
    escalate(item=item, by=by, reason="Amount above my limit")
    return Review.objects.get(item=item, state=Review.State.OPEN)


def test_an_escalation_says_who_waits_on_whom(workflow: Workflow, senior: Client) -> None:
    asker = make_user("priya", can=STAFF, on=workflow)
    review = escalated(workflow, asker)
    told = page(senior, ESCALATIONS)
    for words in (
        "priya",
        "leads seniors",
        "nobody has taken it",
        "Amount above my limit",
        "Waits on me · 1",
        "I asked · 0",
    ):
        assert words in told
    mine = page(signed_in(asker), f"{ESCALATIONS}?show=asked")
    assert "Refund over the limit" in mine
    assert "Refund over the limit" not in page(signed_in(asker), f"{ESCALATIONS}?show=me")
    claim(review=review, by=make_user("mara", can=SENIOR, on=workflow))
    assert "mara has it" in page(senior, ESCALATIONS)


def test_a_reminder_is_one_mail_to_those_who_may_answer_once_an_hour_and_is_logged(
    workflow: Workflow, senior: Client, settings: Any, tmp_path: Path
) -> None:
    backend = "django.core.mail.backends.filebased.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"file_path": str(tmp_path / "mail")}}}
    asker = make_user("priya", can=STAFF, on=workflow)
    review = escalated(workflow, asker)
    address = f"{ESCALATIONS}{review.pk}/remind/"
    client = signed_in(asker)
    assert client.get(address).status_code == 405
    assert "1 person was reminded by mail: senior." in client.post(address, follow=True).content.decode()
    assert "the next one can go at" in client.post(address, follow=True).content.decode()
    mails = [path.read_text() for path in (tmp_path / "mail").iterdir()]
    assert len(mails) == 1
    assert "senior@people.example" not in mails[0].split("\n\n", 1)[1]
    assert "Refund" not in mails[0]
    assert review.history.first().history_change_reason == "1 person was reminded by mail"
    boss = signed_in(make_user(can=MANAGER, on=workflow))
    assert "You may not send reminders" in boss.post(address, follow=True).content.decode()


def test_what_needs_attention_says_what_happened_and_offers_the_next_step(
    workflow: Workflow, staff: Client
) -> None:
    item = make_item(workflow=workflow, state=State.ATTENTION)
    told = page(staff, STUCK)
    for words in (
        "The model did not answer in time.",
        "The item is kept.",
        "leads reviewers",
        "no owner",
        "Fill in by hand",
    ):
        assert words in told
    assert (
        f'formaction="/admin/workflows/item/{item.pk}/decide/" name="revision" value="{item.revision}"'
        in told
    )
    staff.post(f"/admin/workflows/item/{item.pk}/decide/", {"verb": "again", "revision": item.revision})
    item.refresh_from_db()
    assert item.state == State.RECEIVED
    assert "Nothing needs attention" in page(staff, STUCK)


def test_who_may_only_look_has_no_buttons(workflow: Workflow) -> None:
    make_item(workflow=workflow, state=State.ATTENTION)
    told = page(signed_in(make_user(can=MANAGER, on=workflow)), STUCK)
    assert "formaction" not in told
    assert "Fill in by hand" not in told


def test_the_sidebar_counts_what_waits(senior: Client, workflow: Workflow) -> None:
    for state in (State.IN_REVIEW, State.ESCALATED, State.ATTENTION):
        make_item(workflow=workflow, state=state)
    Review.objects.filter(kind="escalation").update(due_at=timezone.now() - timedelta(hours=1))
    told = page(senior, "/admin/workflows/item/")
    for words in ("Review list", "1 late", "Needs attention", "Submit an item", "All items"):
        assert words in told
    assert "Review list" not in page(signed_in(make_user(can=MANAGER, on=workflow)), "/admin/workflows/item/")
