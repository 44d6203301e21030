"""The page of a budget and the prices of models: who sees them, who changes them, and what they say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client

from reviews.budget_mail import tell_of_budgets
from tests.factories import ADMIN, MANAGER, STAFF, make_item, make_run, make_user, make_workflow
from workflows.models import Budget, Price, Reservation, Spending, Workflow
from workflows.money import add, reserve, settle

pytestmark = pytest.mark.django_db
LIMITS = {"per_item": "0.5", "per_day": "2", "per_month": "20", "alert_percent": "80"}


@pytest.fixture
def workflow() -> Workflow:
    workflow = make_workflow(name="Leads")
    workflow.owner = make_user("priya", can=ADMIN, on=workflow)
    workflow.save()
    return workflow


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="config.backends.PasswordBackend")
    return client


def page_of(workflow: Workflow) -> str:
    return f"/admin/workflows/workflow/{workflow.pk}/budget/"


def test_who_manages_sets_the_limits_and_the_history_says_who(workflow: Workflow) -> None:
    client = signed_in(workflow.owner)
    assert client.post(page_of(workflow), LIMITS).status_code == 302
    budget = Budget.objects.get()
    assert (budget.per_item, budget.per_day, budget.per_month) == (Decimal("0.5"), 2, 20)
    assert budget.history.get().history_user == workflow.owner
    client.post(page_of(workflow), {**LIMITS, "per_day": ""})
    assert Budget.objects.get().per_day is None


def test_a_limit_that_is_no_amount_is_refused_beside_its_field_and_nothing_is_saved(
    workflow: Workflow,
) -> None:
    answer = signed_in(workflow.owner).post(
        page_of(workflow), {**LIMITS, "per_day": "-1", "alert_percent": "300"}
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "The budget was not saved." in page
    assert "greater than or equal to 0" in page
    assert "less than or equal to 100" in page
    assert not Budget.objects.exists()


def test_who_sees_reports_reads_it_and_changes_nothing_and_staff_does_not_see_it(workflow: Workflow) -> None:
    add(workflow=workflow.pk, amount=Decimal("1.5"))
    Budget.objects.create(workflow=workflow, per_day=2, per_month=20)
    manager = signed_in(make_user(can=MANAGER, on=workflow))
    page = manager.get(page_of(workflow)).content.decode()
    assert "1.50 USD of 2.00 USD used (75 %)." in page
    assert '<input type="number"' not in page
    assert manager.post(page_of(workflow), LIMITS).status_code == 403
    staff = signed_in(make_user(can=STAFF, on=workflow))
    assert staff.get(page_of(workflow)).status_code == 403
    workflow_page = f"/admin/workflows/workflow/{workflow.pk}/change/"
    assert "1.50 USD" in manager.get(workflow_page).content.decode()
    assert "1.50 USD" not in staff.get(workflow_page).content.decode()
    assert signed_in(make_user()).get(page_of(workflow)).status_code == 404
    assert Budget.objects.get().per_day == 2


def test_runs_without_a_price_are_told_as_missing(workflow: Workflow) -> None:
    make_run(item=make_item(workflow=workflow))
    page = signed_in(workflow.owner).get(page_of(workflow)).content.decode()
    assert "not in these figures: no price of the model is known" in page
    assert "Whoever runs this installation can enter one." in page


def test_the_owner_is_told_once_when_most_of_a_limit_is_used(workflow: Workflow) -> None:
    Budget.objects.create(workflow=workflow, per_item=1, per_day=10, per_month=1000)
    item = make_item(workflow=workflow)

    def spend(amount: str) -> None:
        reserved = reserve(workflow=workflow.pk, item=item.pk, amount=Decimal(amount))
        assert isinstance(reserved, Reservation)
        settle(settled=[(reserved, Decimal(amount))])

    spend("0.5")
    assert tell_of_budgets() == 0
    spend("0.3")
    assert tell_of_budgets() == 1
    assert tell_of_budgets() == 0
    add(workflow=workflow.pk, amount=Decimal("7.2"))
    assert tell_of_budgets() == 1
    told = [one.body for one in mail.outbox]
    assert mail.outbox[0].to == ["priya@people.example"]
    assert "1 item used 80 % or more" in told[0]
    assert "Of the limit of a day: 8.00 USD of 10.00 USD." in told[1]
    assert item.title not in "".join(told)
    assert Spending.objects.exclude(alerted_at=None).count() == 2


def test_a_mail_that_was_not_sent_is_sent_at_the_next_round(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    Budget.objects.create(workflow=workflow, per_day=1)
    add(workflow=workflow.pk, amount=Decimal("1"))

    def refuse(*_: Any) -> None:
        raise OSError("the mail server is away")

    with monkeypatch.context() as away:
        away.setattr("django.core.mail.EmailMessage.send", refuse)
        assert tell_of_budgets() == 0
    assert tell_of_budgets() == 1


def test_prices_are_for_who_holds_the_model_permission_and_changes_are_kept(workflow: Workflow) -> None:
    address = "/admin/workflows/price/"
    person = make_user("purchasing")
    assert signed_in(person).get(address).status_code == 404
    assert signed_in(workflow.owner).get(f"{address}add/").status_code == 403
    for act in ("view", "add", "change"):
        person.user_permissions.add(Permission.objects.get(codename=f"{act}_price"))
    client = signed_in(type(person).objects.get(pk=person.pk))
    typed = {"model": "house-model", "prompt": "0.4", "completion": "1.6", "cached": ""}
    assert client.post(f"{address}add/", typed).status_code == 302
    row = Price.objects.get()
    assert client.post(f"{address}{row.pk}/change/", {**typed, "prompt": "0.5"}).status_code == 302
    assert [one.prompt for one in row.history.all()] == [Decimal("0.5"), Decimal("0.4")]
    assert row.history.first().history_user == person
    assert "house-model" in client.get(address).content.decode()
    # simple-history's own form would put an earlier state back.
    earlier = f"{address}{row.pk}/history/{row.history.last().pk}/"
    assert client.post(earlier, typed).status_code in (404, 405)
    assert Price.objects.get().prompt == Decimal("0.5")
    assert client.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 403
