"""Owner and deputy are told by mail when somebody did alone what takes two people: once, and until it was sent."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.utils import timezone

from reviews.notifying import is_away
from workflows.access import Action, may, people_who_may
from workflows.models import BreakGlass

log = logging.getLogger(__name__)
MOST_ROWS = 50
MOST_PEOPLE = 10


def tell_of_broken_glass() -> int:
    """One mail for each act that nobody was told of. Returns the number of mails sent."""
    sent = 0
    waiting = BreakGlass.objects.filter(told_at=None).select_related("workflow", "by").order_by("pk")
    for row in waiting[:MOST_ROWS]:
        # Won by the process that wrote the time.
        if not BreakGlass.objects.filter(pk=row.pk, told_at=None).update(told_at=timezone.now()):
            continue
        people = recipients(row)
        try:
            if people:
                _send(row=row, people=people)
                sent += 1
        except Exception as error:
            BreakGlass.objects.filter(pk=row.pk).update(told_at=None)
            log.warning("The mail about a broken glass was not sent (%s); it is tried again.", error)
            if is_away(error):
                break
        else:
            BreakGlass.objects.filter(pk=row.pk).update(told=[one.get_username() for one in people])
            if not people:
                log.warning("Nobody could be told of a broken glass of %s: no address.", row.workflow.slug)
    return sent


def recipients(row: BreakGlass) -> list[Any]:
    """Those who answer for the workflow; where none of them can be written to, those who manage its access."""
    answering = get_user_model().objects.filter(pk__in=row.tell, is_active=True).exclude(email="")
    found = [one for one in answering.order_by("pk") if may(one, Action.VIEW, row.workflow)]
    if found:
        return found
    managers = people_who_may(action=Action.ACCESS, workflow=row.workflow).exclude(email="")
    return [one for one in managers[:MOST_PEOPLE] if may(one, Action.VIEW, row.workflow)]


def _send(*, row: BreakGlass, people: list[Any]) -> None:
    at = timezone.localtime(row.at)
    who = row.by.get_username() if row.by else "Somebody at the command line"
    act = BreakGlass.Act(row.act).label
    EmailMessage(
        subject=f"Countersign: the glass was broken ({row.workflow.name})",
        body=(
            f"{who} did alone what takes two people, on {at.day} {at:%b %Y} at {at:%H:%M}, in {row.workflow.name}.\n\n"
            f"What: {act[:1].lower()}{act[1:]} ({row.what}).\nWhy, in their words: {row.reason}\n\n"
            "Look at it. If it should not have been, undo it and speak to them.\n\n"
            f"  {settings.SITE_URL}/admin/workflows/workflow/{row.workflow_id}/change/#broken-glass\n"
        ),
        bcc=[one.email for one in people],
    ).send()
    log.info("%d people were told by mail of a broken glass of %s.", len(people), row.workflow.slug)
