"""Looking at the screens as somebody else does: who may, for how long, and the record of it.

A superuser may look as anybody but a superuser. Whoever manages access may do so within the workflows whose access they
manage, and sees no other workflow by it. Nothing can be done meanwhile: the middleware refuses every unsafe method.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from workflows import audit
from workflows.access import Action, look_as, may, workflow_ids
from workflows.errors import InvalidInput, NotPermitted
from workflows.models import ViewAs, Workflow

MOST_MINUTES = 30
SESSION_KEY = "view_as"  # the look that a session is in


def refusal(*, by: Any, person: Any, workflow: Workflow) -> str:
    """In words, why not; empty: they may."""
    if not may(by, Action.ACCESS, workflow):
        return "You may not look as somebody else here. Whoever manages the access of this workflow may."
    if person.pk == by.pk:
        return "That is you."
    if person.is_superuser:
        return "Nobody looks as a superuser: they see everything."
    if not person.is_active or not person.is_staff:
        return "This account cannot sign in to the admin, so there is nothing to look at."
    return ""


def begin(*, by: Any, person: Any, workflow: Workflow) -> ViewAs:
    """Raises NotPermitted or InvalidInput, and nothing was begun."""
    if said := refusal(by=by, person=person, workflow=workflow):
        kind = NotPermitted if not may(by, Action.ACCESS, workflow) else InvalidInput
        raise kind(f"{said} Nothing was begun.")
    now = timezone.now()
    with transaction.atomic():
        ViewAs.objects.filter(by=by, ended_at=None).update(ended_at=now)
        look = ViewAs.objects.create(
            workflow=workflow,
            by=by,
            person=person,
            started_at=now,
            ends_at=now + timedelta(minutes=MOST_MINUTES),
        )
        audit.record(
            kind=audit.Kind.LOOK_BEGUN, by=by, workflow=workflow, person=person,
            facts={"look": look.pk, "person": person.pk, "until": look.ends_at.isoformat()},
            content={"person": person.get_username()},
        )  # fmt: skip
        return look


def end(*, pk: int, by: Any) -> bool:
    """Whether it had not ended before."""
    with transaction.atomic():
        look = (
            ViewAs.objects.select_for_update()
            .select_related("workflow")
            .filter(pk=pk, by=by, ended_at=None)
            .first()
        )
        if look is None:
            return False
        ViewAs.objects.filter(pk=look.pk).update(ended_at=timezone.now())
        audit.record(kind=audit.Kind.LOOK_ENDED, by=by, workflow=look.workflow, facts={"look": look.pk})
        return True


def eyes(*, pk: int, by: Any) -> tuple[ViewAs, Any] | None:
    """The running look of `by`, and the person as whom everything is asked; None when it has ended or may not be any more."""
    row = (
        ViewAs.objects.select_related("workflow")
        .filter(pk=pk, by=by.pk, ended_at=None, ends_at__gt=timezone.now())
        .first()
    )
    if row is None:
        return None
    person = get_user_model().objects.filter(pk=row.person_id).first()
    if person is None or refusal(by=by, person=person, workflow=row.workflow):
        return None
    look_as(person=person, within=_within(by))
    if not by.is_superuser:
        # Model permissions are not of a workflow: what the person has and the viewer has not stays closed.
        both = by.get_all_permissions() & person.get_all_permissions()
        person.__dict__ |= dict.fromkeys(("_perm_cache", "_user_perm_cache", "_group_perm_cache"), both)
    return row, person


def _within(by: Any) -> set[int] | None:
    """Those whose access the viewer manages, and sees; None: all."""
    managed, seen = (workflow_ids(user=by, action=one) for one in (Action.ACCESS, Action.VIEW))
    return None if managed is None or seen is None else managed & seen
