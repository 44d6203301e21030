"""The log is verified by itself: what is new every few minutes, all of it once a day. What is found stands in the admin,
and superusers are told by mail when it is broken."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.utils import timezone

from workflows.audit.anchoring import write_anchor
from workflows.audit.verify_file import START
from workflows.audit.verifying import Verdict, verify_log
from workflows.models import AuditCheck

log = logging.getLogger(__name__)
RECENT, WHOLE = "recent", "whole"
RECENT_SECONDS, WHOLE_SECONDS = 300.0, 86_400.0
TOLD_AGAIN = timedelta(days=1)


def check_recent() -> Verdict:
    """From where the last one ended. A log that is broken stays so: it is looked at from the same point again."""
    before = AuditCheck.objects.filter(name=RECENT).first()
    after = (before.sequence, before.hash) if before is not None and before.hash else (0, START)
    return _note(name=RECENT, verdict=verify_log(after=after[0], hash=after[1]))


def check_whole() -> Verdict:
    return _note(name=WHOLE, verdict=verify_log())


def _note(*, name: str, verdict: Verdict) -> Verdict:
    """Anchored is only what was found whole: an anchor must not vouch for what somebody rewrote."""
    AuditCheck.objects.update_or_create(
        name=name,
        defaults={
            "at": timezone.now(), "sequence": verdict.sequence, "hash": verdict.hash, "broken_at": verdict.broken_at,
            "words": verdict.words,
        },
    )  # fmt: skip
    if verdict.whole:
        AuditCheck.objects.filter(name=name).update(told_at=None)
        if verdict.sequence:
            write_anchor(sequence=verdict.sequence, hash=verdict.hash)
    else:
        log.error("The audit log is broken. %s", verdict.words)
        _tell(name=name, verdict=verdict)
    return verdict


def _tell(*, name: str, verdict: Verdict) -> None:
    """Once a day while it lasts. Won by the process that wrote the time; what was not sent is tried at the next round."""
    now = timezone.now()
    row = AuditCheck.objects.get(name=name)
    if row.told_at is not None and row.told_at > now - TOLD_AGAIN:
        return
    if not AuditCheck.objects.filter(name=name, told_at=row.told_at).update(told_at=now):
        return
    people = get_user_model().objects.filter(is_superuser=True, is_active=True).exclude(email="")
    to = list(people.values_list("email", flat=True))
    if not to:
        return
    try:
        EmailMessage(
            subject="Countersign: the audit log is broken",
            body=(
                f"{verdict.words}\n\nNothing was repaired and work goes on. Keep a copy of the database and of the anchors' "
                "file as they are now, then run `manage.py verify_audit` and read docs/audit.md.\n\n"
                f"  {settings.SITE_URL}/admin/workflows/auditevent/\n"
            ),
            bcc=to,
        ).send()
    except Exception as error:
        AuditCheck.objects.filter(name=name, told_at=now).update(told_at=row.told_at)
        log.warning("The mail about the audit log was not sent (%s); it is tried again.", error)
