"""A budget in words and figures: its limits, what is used of them, what is expected, and what a refusal says."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.llm.outcomes import Outcome
from workflows import audit
from workflows.access import Action, may, people_who_may
from workflows.attention import HAPPENED, KEPT
from workflows.errors import NotPermitted
from workflows.models import Budget, Run, Spending, Workflow
from workflows.money import Refusal, Span, limit_of, spent_in, told
from workflows.people import acting

LIMITS = ("per_item", "per_day", "per_month")
SPANS = {Span.ITEM: "an item", Span.DAY: "a day", Span.MONTH: "a month"}
MOST_NAMES = 3
OUTLOOK_DAYS = 28  # what the rest of a month is expected to cost is judged by the last four weeks


@dataclass(frozen=True, slots=True)
class Used:
    """A day or a month so far. `percent` of the limit, and of its bar; None where there is no limit."""

    name: str
    spent: Decimal
    held: Decimal
    limit: Decimal | None
    alert_percent: int

    @property
    def percent(self) -> int | None:
        if self.limit is None:
            return None
        return 100 if not self.limit else int(100 * (self.spent + self.held) / self.limit)

    @property
    def bar(self) -> int:
        return min(100, self.percent or 0)

    @property
    def tone(self) -> str:
        if self.percent is None:
            return ""
        return "bad" if self.percent >= 100 else "warn" if self.percent >= self.alert_percent else "good"

    @property
    def words(self) -> str:
        """Beside the bar, so that it says nothing by its colour alone."""
        held = f", and {told(self.held)} set aside for calls under way" if self.held else ""
        if self.limit is None:
            return f"{told(self.spent)} used{held}. There is no limit."
        return f"{told(self.spent)} of {told(self.limit)} used{held} ({self.percent} %)."


def is_limited(budget: Budget | None) -> bool:
    return budget is not None and any(getattr(budget, name) is not None for name in LIMITS)


def budget_of(*, workflow: Workflow) -> Budget | None:
    return Budget.objects.filter(workflow=workflow).first()


def set_budget(
    *, workflow: Workflow, by: Any, limits: dict[str, Decimal | None], alert_percent: int
) -> Budget:
    """Change the limits (`per_item`, `per_day`, `per_month`; None: no limit). What was used so far counts."""
    if by is not None and not may(by, Action.MANAGE, workflow):
        raise NotPermitted(
            "You may not change the budget of this workflow. Nothing was changed. Ask its owner."
        )
    with transaction.atomic():
        budget = Budget.objects.select_for_update().filter(workflow=workflow).first() or Budget(
            workflow=workflow
        )
        before = {name: getattr(budget, name) for name in LIMITS} if budget.pk else {}
        for name in LIMITS:
            setattr(budget, name, limits[name])
        budget.alert_percent = alert_percent
        with acting(by=by, why="The budget was set", on=budget):
            budget.save()
        audit.record(
            kind=audit.Kind.BUDGET_CHANGED, by=by, workflow=workflow,
            facts={"before": before, "after": {name: limits[name] for name in LIMITS}, "alert_percent": alert_percent},
        )  # fmt: skip
        alert_anew(workflow=workflow)
    return budget


def alert_anew(*, workflow: Workflow) -> None:
    """Under other limits it is news again how much of them is used."""
    today = timezone.localdate()
    current = Spending.objects.filter(
        workflow=workflow, item=None, starts_on__in=(today, today.replace(day=1))
    )
    current.update(alerted_at=None)


def used(*, workflow: Workflow, budget: Budget | None, today: date | None = None) -> list[Used]:
    today = today or timezone.localdate()
    rows = []
    for span, name in ((Span.DAY, "Today"), (Span.MONTH, f"{today:%B %Y}")):
        spent, held = spent_in(workflow=workflow.pk, span=span, on=today)
        limit = limit_of(budget=budget, span=span) if budget else None
        rows.append(Used(name, spent, held, limit, budget.alert_percent if budget else 100))
    return rows


def expected_month(*, workflow: Workflow, today: date | None = None) -> Decimal:
    """What this month will have cost at its end: what it cost so far, and for each day that is left the mean of the
    last four weeks (or of the days since the first call, where those are fewer)."""
    today = today or timezone.localdate()
    since = today - timedelta(days=OUTLOOK_DAYS)
    rows = Spending.objects.filter(
        workflow=workflow, span=Span.DAY, item=None, starts_on__gte=since, starts_on__lt=today
    )
    days = {row.starts_on: row.spent for row in rows if row.starts_on is not None}
    this_month, _ = spent_in(workflow=workflow.pk, span=Span.MONTH, on=today)
    spent_today, _ = spent_in(workflow=workflow.pk, span=Span.DAY, on=today)
    mean = sum(days.values(), Decimal(0)) / (today - min(days)).days if days else spent_today
    left = calendar.monthrange(today.year, today.month)[1] - today.day
    return this_month + max(Decimal(0), mean - spent_today) + mean * left


def unpriced_runs(*, workflow: Workflow, today: date | None = None) -> int:
    """Runs of this month whose cost nobody knows, so that no figure above has them."""
    today = today or timezone.localdate()
    begin = timezone.make_aware(datetime.combine(today.replace(day=1), datetime.min.time()))
    return (
        Run.objects.filter(item__workflow=workflow, started_at__gte=begin, cost=None)
        .exclude(outcome="")
        .count()
    )


def problem_of(*, refusal: Refusal, workflow: Workflow, called: bool = False) -> dict[str, Any]:
    """For the item, or the try, that the model was not called for."""
    happened = HAPPENED[Outcome.OVER_BUDGET][0]
    if called:
        happened = happened.replace("not called", "not called again")
    if not refusal.span:
        return {
            "outcome": Outcome.OVER_BUDGET.value, "happened": happened, "detail": refusal.why, "kept": KEPT,
            "next_step": f"{refusal.to_do} Then try again, or complete it by hand.",
        }  # fmt: skip
    limit = f"The limit of {SPANS[Span(refusal.span)]} is {told(refusal.limit)}"
    held = f", {told(refusal.held)} is set aside for calls under way" if refusal.held else ""
    detail = f"{limit}. {told(refusal.spent)} of it is used{held}, and this call can cost up to {told(refusal.amount)}."
    return {
        "outcome": Outcome.OVER_BUDGET.value, "happened": happened, "detail": detail, "kept": KEPT,
        "next_step": f"{_when(refusal)} Complete it by hand, or have the limit raised: {who_may_raise(workflow=workflow)}.",
    }  # fmt: skip


def _when(refusal: Refusal) -> str:
    if refusal.amount > refusal.limit:
        return "It does not open by itself: one call alone can cost more than the limit."
    if refusal.opens_at is None:
        return "It does not open by itself."
    at = timezone.localtime(refusal.opens_at)
    return f"It opens again on {at.day} {at:%b %Y} at {at:%H:%M}; try again then."


def who_may_raise(*, workflow: Workflow) -> str:
    """Names of those who may change the budget, its owner first."""
    people = list(people_who_may(action=Action.MANAGE, workflow=workflow)[: 10 * MOST_NAMES])
    people = [one for one in people if may(one, Action.MANAGE, workflow)]
    people.sort(key=lambda one: one.pk != workflow.owner_id)
    if not people:
        return "nobody manages this workflow, so ask whoever runs this installation"
    names = ", ".join(str(one.get_full_name() or one.get_username()) for one in people[:MOST_NAMES])
    return f"{names} may do that, under “Money” on the page of the workflow"
