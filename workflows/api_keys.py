"""Keys of the HTTP API: shown once, stored hashed, of one user for one workflow, with an end."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from workflows import audit
from workflows.access import Action, may
from workflows.errors import NotPermitted
from workflows.models import ApiKey, Workflow

PREFIX = "cs_"
DEFAULT_DAYS = 365


def create_api_key(
    *, workflow: Workflow, user: Any, days: int = DEFAULT_DAYS, name: str = "", by: Any = None
) -> tuple[ApiKey, str]:
    """The row, and the key itself: the only time it can be read. `by` None is the command line."""
    if not may(user, Action.VIEW, workflow):
        raise NotPermitted(
            f"{user.get_username()} may not see {workflow.name}; a key would open nothing. Grant access first."
        )
    key = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        row = ApiKey.objects.create(
            workflow=workflow, user=user, name=name, prefix=key[:10], sha256=_hash(key),
            expires_at=timezone.now() + timedelta(days=days),
        )  # fmt: skip
        audit.record(
            kind=audit.Kind.KEY_MADE, by=by, workflow=workflow, person=user,
            facts={"key": row.pk, "of": user.pk, "expires_at": row.expires_at}, content={"name": name, "of": user.get_username()},
        )  # fmt: skip
    return row, key


def revoke_api_key(*, key: ApiKey, by: Any) -> bool:
    """From now on calls with it are refused. False: it was revoked before."""
    if not may(by, Action.ACCESS, key):
        raise NotPermitted(
            "You may not revoke keys of this workflow. Nothing was changed. Ask whoever manages its access."
        )
    with transaction.atomic():
        if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
            return False
        audit.record(
            kind=audit.Kind.KEY_REVOKED,
            by=by,
            workflow=key.workflow,
            facts={"key": key.pk, "of": key.user_id},
        )
    return True


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


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
