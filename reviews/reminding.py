"""A reminder of an escalation: one mail to those who may answer it, at most once an hour, and in its history."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.utils import timezone

from reviews.claims import holder, name_of
from reviews.models import Review
from workflows.access import Action, may, people_who_may
from workflows.errors import Conflict, NotPermitted, Refused
from workflows.people import acting

log = logging.getLogger(__name__)
NOT_MORE_OFTEN_THAN = timedelta(hours=1)


def may_remind(*, review: Review, by: Any) -> bool:
    """Whoever asked, and whoever works on the workflow."""
    return review.asked_by_id == by.pk or any(
        may(by, action, review) for action in (Action.REVIEW, Action.HANDLE_ESCALATION, Action.MANAGE)
    )


def remind(*, review: Review, by: Any) -> str:
    """Write to who has it, or else to all who may answer. Returns what was done, in words. Raises Refused."""
    if not may(by, Action.VIEW, review) or not may_remind(review=review, by=by):
        raise NotPermitted(f"You may not send reminders in {review.workflow.name}. Nothing was sent.")
    people = recipients(review=review, but=by)
    if not people:
        raise Refused(
            "Nobody else who may answer has a mail address. Nothing was sent. Ask them, or whoever manages the workflow."
        )
    now, before = timezone.now(), review.reminded_at
    due = Review.objects.filter(
        Q(reminded_at=None) | Q(reminded_at__lte=now - NOT_MORE_OFTEN_THAN),
        pk=review.pk, state=Review.State.OPEN, kind=Review.Kind.ESCALATION,
    )  # fmt: skip
    if not due.update(reminded_at=now):
        raise _not_now(review)
    try:
        _send(review=review, people=people)
    except Exception as error:
        Review.objects.filter(pk=review.pk, reminded_at=now).update(reminded_at=before)
        log.warning("A reminder was not sent (%s).", error)
        raise Refused(
            "The mail server did not take the reminder. Nothing was sent. Try again in a few minutes."
        ) from error
    # The model itself, whatever screen's proxy came in: a proxy's save writes no history.
    row = Review.objects.get(pk=review.pk)
    said = f"{len(people)} {'person was' if len(people) == 1 else 'people were'} reminded by mail"
    with acting(by=by, why=said, on=row):
        row.save(update_fields=["reminded_at"])
    return (
        f"{said}: {', '.join(name_of(one) for one in people[:3])}{' and others' if len(people) > 3 else ''}."
    )


def recipients(*, review: Review, but: Any) -> list[Any]:
    """Who has it, if somebody does; else the people of the group that was asked who may answer."""
    has = holder(review=review)
    able = people_who_may(action=Action.HANDLE_ESCALATION, workflow=review.workflow).exclude(email="")
    if has is not None:
        able = able.filter(pk=has.pk)
    elif review.group_id and able.filter(groups=review.group_id).exists():
        able = able.filter(groups=review.group_id)
    return [one for one in able.exclude(pk=but.pk) if may(one, Action.VIEW, review)]


def _not_now(review: Review) -> Conflict:
    row = Review.objects.get(pk=review.pk)
    if row.state != Review.State.OPEN or row.reminded_at is None:
        return Conflict("This escalation was answered. Nothing was sent.")
    sent, again = (timezone.localtime(at) for at in (row.reminded_at, row.reminded_at + NOT_MORE_OFTEN_THAN))
    return Conflict(
        f"A reminder was sent at {sent:%H:%M}. Nothing was sent now; the next one can go at {again:%H:%M}."
    )


def _send(*, review: Review, people: list[Any]) -> None:
    """A link and a time alone: a mailbox is not behind the one door."""
    due = timezone.localtime(review.due_at)
    EmailMessage(
        subject="An escalation waits for you in Countersign",
        body=(
            f"An escalation in {review.workflow.name} waits for an answer; it {_tense(review)} due on {due.day} {due:%b} at "
            f"{due:%H:%M}.\n\n  {settings.SITE_URL}/admin/workflows/item/{review.item_id}/change/\n"
        ),
        bcc=[one.email for one in people],
    ).send()
    log.info("A reminder of an escalation went to %d mailboxes.", len(people))


def _tense(review: Review) -> str:
    return "was" if review.due_at < timezone.now() else "is"
