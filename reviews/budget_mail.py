"""The owner is told by mail when most of a limit is used: once for each item, day and month."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Q
from django.utils import timezone

from reviews.notifying import is_away
from workflows.access import Action, may
from workflows.budgets import LIMITS, SPANS
from workflows.models import Budget, Spending
from workflows.money import Span, limit_of, told

log = logging.getLogger(__name__)
RECENT = timedelta(hours=1)  # an item that was not worked on since then spent nothing new


def tell_of_budgets() -> int:
    """One mail for each workflow that has news. Returns the number of mails sent.

    What was not sent counts as not told, and is tried at the next round.
    """
    sent = 0
    limited = Budget.objects.exclude(**dict.fromkeys(LIMITS)).select_related("workflow__owner")
    for budget in limited.filter(workflow__owner__is_active=True).exclude(workflow__owner__email=""):
        owner = budget.workflow.owner
        if owner is None or not may(owner, Action.VIEW, budget.workflow):
            continue
        news = _claim(rows=_crossed(budget=budget))
        if not news:
            continue
        try:
            _send(budget=budget, rows=news, to=owner.email)
        except Exception as error:
            Spending.objects.filter(pk__in=[row.pk for row in news]).update(alerted_at=None)
            log.warning("The mail about a budget was not sent (%s); it is tried again.", error)
            if is_away(error):
                break
        else:
            sent += 1
    return sent


def _crossed(*, budget: Budget) -> list[Spending]:
    """Of today, this month and the items that were worked on lately: those over the percentage and not told yet."""
    today = timezone.localdate()
    current = Q(item=None, span=Span.DAY, starts_on=today) | Q(
        item=None, span=Span.MONTH, starts_on=today.replace(day=1)
    )
    rows = Spending.objects.filter(current, workflow=budget.workflow_id, alerted_at=None)
    found = [row for row in rows if _is_over(row, budget=budget)]
    if budget.per_item is not None:
        items = Spending.objects.filter(
            item__workflow=budget.workflow_id, item__updated_at__gte=timezone.now() - RECENT, alerted_at=None
        ).alias(used=F("spent") * 100)
        found += items.filter(used__gte=budget.per_item * budget.alert_percent, spent__gt=0)[:200]
    return found


def _is_over(row: Spending, *, budget: Budget) -> bool:
    limit = limit_of(budget=budget, span=row.span)
    return limit is not None and row.spent > 0 and row.spent * 100 >= limit * budget.alert_percent


def _claim(*, rows: list[Spending]) -> list[Spending]:
    """Those that nobody else tells of: won by the process that wrote the time."""
    now = timezone.now()
    return [row for row in rows if Spending.objects.filter(pk=row.pk, alerted_at=None).update(alerted_at=now)]


def _send(*, budget: Budget, rows: list[Spending], to: str) -> None:
    lines = []
    for row in rows:
        limit = limit_of(budget=budget, span=row.span)
        if row.span != Span.ITEM and limit is not None:
            lines.append(f"Of the limit of {SPANS[Span(row.span)]}: {told(row.spent)} of {told(limit)}.")
    items = sum(row.span == Span.ITEM for row in rows)
    if items:
        lines.append(f"{items} {'item' if items == 1 else 'items'} used {budget.alert_percent} % or more of the limit of an item.")  # fmt: skip
    name = budget.workflow.name
    EmailMessage(
        subject=f"Countersign: most of a budget is used ({name})",
        body=(
            f"{name} used {budget.alert_percent} % or more of what it may spend on the model.\n\n"
            + "\n".join(lines)
            + "\n\nOnce a limit is reached the model is not called any more, and the items say so.\n\n"
            f"  {settings.SITE_URL}/admin/workflows/workflow/{budget.workflow_id}/budget/\n"
        ),
        to=[to],
    ).send()
    log.info("The owner of %s was told of its budget by mail.", budget.workflow.slug)
