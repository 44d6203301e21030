"""The owner is told by mail what waits for them. Counts and links alone: a mailbox is not behind the one door."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Count, Max, Min
from django.utils import timezone

from workflows.access import Action, may
from workflows.models import Beat, Item, Workflow
from workflows.states import FOR_A_PERSON, LABELS, State

log = logging.getLogger(__name__)
NOT_MORE_OFTEN_THAN = timedelta(hours=1)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def tell_owners() -> int:
    """One mail per owner when something new waits, at most once an hour. Returns the number of mails sent.

    What was not sent counts as not told, and is tried at the next round.
    """
    sent = 0
    now = timezone.now()  # before the look: what comes in after it is news for the next mail
    owners: dict[int, list[Workflow]] = {}
    for workflow in (
        Workflow.objects.filter(owner__is_active=True).exclude(owner__email="").select_related("owner")
    ):
        if workflow.owner is not None and may(workflow.owner, Action.VIEW, workflow):
            owners.setdefault(workflow.owner.pk, []).append(workflow)
    for pk, workflows in owners.items():
        waiting = (
            Item.objects.filter(workflow__in=workflows, state__in=FOR_A_PERSON)
            .values("workflow", "state")
            .annotate(items=Count("pk"), newest=Max("state_since"), due=Min("due_at"))
            .order_by("workflow__name", "state")
        )
        rows: list[Any] = list(waiting)
        if not rows:
            continue
        name = f"mail:owner:{pk}"
        before = Beat.objects.filter(name=name).values_list("at", flat=True).first()
        if not _is_news(name=name, before=before, newest=max(row["newest"] for row in rows), now=now):
            continue
        try:
            _send(workflows=workflows, rows=rows)
        except Exception as error:
            Beat.objects.filter(name=name, at=now).update(at=before or NEVER)
            log.warning("The mail to an owner was not sent (%s); it is tried again.", error)
            if is_away(error):
                break  # each of the others would wait for the whole time-out too
        else:
            sent += 1
    return sent


def _is_news(*, name: str, before: datetime | None, newest: datetime, now: datetime) -> bool:
    """Something arrived since the last mail, which is long enough ago. Won by the process that wrote the time."""
    if before is None:
        _, made = Beat.objects.get_or_create(name=name, defaults={"at": now})
        return made
    if before >= newest or before > now - NOT_MORE_OFTEN_THAN:
        return False
    return bool(Beat.objects.filter(name=name, at=before).update(at=now))


def is_away(error: Exception) -> bool:
    """No answer from the mail server, as against one that refuses this mail."""
    return isinstance(error, OSError) and not isinstance(error, SMTPResponseException | SMTPRecipientsRefused)


def _send(*, workflows: list[Workflow], rows: list[dict[str, Any]]) -> None:
    owner = workflows[0].owner
    assert owner is not None
    names = {workflow.pk: workflow for workflow in workflows}
    total = sum(int(str(row["items"])) for row in rows)
    lines = []
    for row in rows:
        workflow = names[int(str(row["workflow"]))]
        lines.append(
            f"{workflow.name}: {row['items']} {LABELS[State(str(row['state']))].lower()}\n"
            f"  {settings.SITE_URL}/admin/workflows/item/?workflow__id__exact={workflow.pk}&state__exact={row['state']}"
        )
    body = (
        f"{total} {'item waits' if total == 1 else 'items wait'} for a person in your workflows.\n\n"
        + "\n".join(lines)
        + "\n"
    )
    EmailMessage(subject=f"{total} waiting in Countersign", body=body, to=[owner.email]).send()
    log.info("%s was told by mail of %d waiting items.", owner.get_username(), total)
