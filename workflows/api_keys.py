"""Keys of the HTTP API: shown once, stored hashed, of one user for one workflow, with an end."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from workflows.access import Action, may
from workflows.errors import NotPermitted
from workflows.models import ApiKey, Workflow

PREFIX = "cs_"
DEFAULT_DAYS = 365


def create_api_key(
    *, workflow: Workflow, user: Any, days: int = DEFAULT_DAYS, name: str = ""
) -> tuple[ApiKey, str]:
    """The row, and the key itself: the only time it can be read."""
    if not may(user, Action.VIEW, workflow):
        raise NotPermitted(
            f"{user.get_username()} may not see {workflow.name}; a key would open nothing. Grant access first."
        )
    key = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey.objects.create(
        workflow=workflow, user=user, name=name, prefix=key[:10], sha256=_hash(key),
        expires_at=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    return row, key


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
