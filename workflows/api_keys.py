"""Keys of the HTTP API: shown once, stored hashed, of one user for one workflow, for some acts, with an end."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from workflows import audit
from workflows.access import Action, may
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import ApiKey, Workflow
from workflows.people import acting

PREFIX = "cs_"
DEFAULT_DAYS = 365
MOST_DAYS = 3650
DEFAULT_OVERLAP_HOURS = 24
MOST_OVERLAP_HOURS = 24 * 30

# What each scope leaves of its user's permissions.
ACTIONS: dict[str, frozenset[Action]] = {
    ApiKey.Scope.ALL: frozenset(Action),
    ApiKey.Scope.VIEW: frozenset({Action.VIEW}),
    ApiKey.Scope.SUBMIT: frozenset({Action.SUBMIT}),
    ApiKey.Scope.SUBMIT_VIEW: frozenset({Action.SUBMIT, Action.VIEW}),
}
NEEDED = {Action.VIEW: "read items", Action.SUBMIT: "submit items", Action.MANAGE: "change the workflow"}


def create_api_key(
    *,
    workflow: Workflow,
    user: Any,
    days: int = DEFAULT_DAYS,
    name: str = "",
    scope: str = ApiKey.Scope.ALL,
    by: Any = None,
) -> tuple[ApiKey, str]:
    """The row, and the key itself: the only time it can be read. `by` None is the command line."""
    if not may(user, Action.VIEW, workflow):
        raise NotPermitted(
            f"{user.get_username()} may not see {workflow.name}; a key would open nothing. Grant access first."
        )
    if scope not in ACTIONS:
        raise InvalidInput(f"There is no such scope. There are: {', '.join(ACTIONS)}. No key was made.")
    key = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        workflow=workflow, user=user, name=name, scope=scope, prefix=key[:10], sha256=_hash(key),
        expires_at=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    with transaction.atomic():
        with acting(by=by, why="Made", on=row):
            row.save()
        audit.record(
            kind=audit.Kind.KEY_MADE, by=by, workflow=workflow, person=user,
            facts={"key": row.pk, "of": user.pk, "scope": str(scope), "expires_at": row.expires_at},
            content={"name": name, "of": user.get_username()},
        )  # fmt: skip
    return row, key


def rotate_api_key(*, key: ApiKey, hours: int = DEFAULT_OVERLAP_HOURS, by: Any = None) -> tuple[ApiKey, str]:
    """A new key like the old one, which lives on for so many hours, so that no call fails between the two.

    Raises Conflict when the old one is over or was rotated already. The new one lasts as long as the old one was made for.
    """
    if not 0 <= hours <= MOST_OVERLAP_HOURS:
        raise InvalidInput(
            f"The old key can live on for 0 to {MOST_OVERLAP_HOURS} hours. Nothing was changed."
        )
    with transaction.atomic():
        old = ApiKey.objects.select_for_update(of=("self",)).select_related("workflow", "user").get(pk=key.pk)
        now = timezone.now()
        if old.revoked_at or old.expires_at <= now:
            raise Conflict(f"The key {old} is over already. Nothing was changed. Make a new one.")
        if old.replaced_by_id:
            raise Conflict(f"The key {old} was rotated already. Nothing was changed. Rotate the new one.")
        row, new = create_api_key(
            workflow=old.workflow, user=old.user, name=old.name, scope=old.scope, by=by,
            days=max(1, round((old.expires_at - old.created_at) / timedelta(days=1))),
        )  # fmt: skip
        old.replaced_by = row
        old.expires_at = min(old.expires_at, now + timedelta(hours=hours))
        with acting(by=by, why=f"Rotated: {row} takes its place", on=old):
            old.save(update_fields=["replaced_by", "expires_at"])
        audit.record(
            kind=audit.Kind.KEY_ROTATED, by=by, workflow=old.workflow,
            facts={"key": old.pk, "of": old.user_id, "replaced_by": row.pk, "lives_until": old.expires_at},
        )  # fmt: skip
    return row, new


def revoke_api_keys(*, keys: QuerySet[ApiKey], by: Any = None, why: str = "Revoked") -> int:
    """How many were in force. Calls with them are refused from then on."""
    revoked = 0
    with transaction.atomic():
        for row in (
            keys.filter(revoked_at=None)
            .select_related("workflow")
            .select_for_update(of=("self",))
            .order_by("pk")
        ):
            row.revoked_at = timezone.now()
            with acting(by=by, why=why, on=row):
                row.save(update_fields=["revoked_at"])
            audit.record(
                kind=audit.Kind.KEY_REVOKED, by=by, workflow=row.workflow, facts={"key": row.pk, "of": row.user_id},
                content={"why": why},
            )  # fmt: skip
            revoked += 1
    return revoked


def find_api_key(*, key: str) -> ApiKey | None:
    """The valid row of a key: not expired, not revoked, of an active user. A random key of 256 bits needs no slow hash."""
    now = timezone.now()
    row = (
        ApiKey.objects.select_related("workflow", "user")
        .filter(Q(revoked_at=None), sha256=_hash(key), expires_at__gt=now, user__is_active=True)
        .first()
    )
    if row and (row.last_used_at is None or row.last_used_at < now - timedelta(minutes=1)):
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def require_scope(*, key: ApiKey, action: Action) -> None:
    """Raise NotPermitted when the key was not made for this. What its user may do is asked elsewhere, as of anybody."""
    if action not in ACTIONS.get(key.scope, frozenset()):
        raise NotPermitted(
            f"This key was not made to {NEEDED.get(action, 'do this')}; it may only {key.get_scope_display()}. "
            "Nothing was kept. Ask whoever made it for another one."
        )


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
