"""The page of a workflow's budget: its limits as a form, and what of them is used."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from workflows.access import Action, may
from workflows.budgets import LIMITS, budget_of, expected_month, is_limited, set_budget, unpriced_runs, used
from workflows.models import Budget, Workflow
from workflows.money import told


class BudgetForm(forms.Form):
    per_item = forms.DecimalField(label="For one item")
    per_day = forms.DecimalField(label="For a day")
    per_month = forms.DecimalField(label="For a month")
    alert_percent = forms.IntegerField(
        label="Tell the owner from, in percent of a limit", initial=80,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="By mail, once for each item, day and month.",
    )  # fmt: skip

    def __init__(self, *args: Any, budget: Budget | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in LIMITS:
            field: Any = self.fields[name]
            field.required, field.max_digits, field.decimal_places = False, 12, 4
            field.validators = [
                MinValueValidator(0),
                *forms.DecimalField(max_digits=12, decimal_places=4).validators,
            ]
            field.help_text = f"In {settings.CURRENCY}. Empty: no limit."
            field.widget.attrs["step"] = "any"
            if budget is not None:
                limit: Decimal | None = getattr(budget, name)
                field.initial = None if limit is None else f"{limit.normalize():f}"
        if budget is not None:
            self.fields["alert_percent"].initial = budget.alert_percent


def budget_view(*, request: HttpRequest, workflow: Workflow, screen: Any) -> HttpResponse:
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    if not may_see_money(request.user, workflow):
        raise PermissionDenied
    manages = may(request.user, Action.MANAGE, workflow)
    budget = budget_of(workflow=workflow)
    form = BudgetForm(request.POST or None, budget=budget) if manages else None
    if request.method == "POST":
        if form is None:
            raise PermissionDenied
        form = BudgetForm(request.POST, budget=budget)
        if form.is_valid():
            limits = {name: form.cleaned_data[name] for name in LIMITS}
            set_budget(
                workflow=workflow, by=request.user, limits=limits, alert_percent=form.cleaned_data["alert_percent"]
            )  # fmt: skip
            messages.success(request, "The budget was saved. It holds for the next call.")
            return HttpResponseRedirect(reverse("admin:workflows_workflow_budget", args=[workflow.pk]))
    context = {
        **screen.admin_site.each_context(request), "opts": screen.opts, "original": workflow, "workflow": workflow,
        "title": "Budget", "form": form, "used": used(workflow=workflow, budget=budget), "budget": budget,
        "limited": is_limited(budget), "expected": told(expected_month(workflow=workflow)), "currency": settings.CURRENCY,
        "over": budget is not None and budget.per_month is not None and expected_month(workflow=workflow) > budget.per_month,
        "per_item": told(budget.per_item) if budget is not None and budget.per_item is not None else "",
        "unpriced": unpriced_runs(workflow=workflow),
        "prices": request.user.has_perm("workflows.view_price"),
    }  # fmt: skip
    request.current_app = screen.admin_site.name
    return TemplateResponse(
        request, "workflows/budget.html", context, status=422 if form is not None and form.errors else 200
    )


def may_see_money(user: Any, workflow: Workflow) -> bool:
    return may(user, Action.MANAGE, workflow) or may(user, Action.REPORTS, workflow)


def money_told(*, workflow: Workflow, user: Any) -> dict[str, Any] | None:
    """For the page of the workflow; None for who may not see it."""
    if not may_see_money(user, workflow):
        return None
    budget = budget_of(workflow=workflow)
    return {
        "limited": is_limited(budget),
        "used": used(workflow=workflow, budget=budget),
        "expected": told(expected_month(workflow=workflow)),
    }
