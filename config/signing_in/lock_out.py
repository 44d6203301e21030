"""Locking out after repeated failures: per account, and per address from which somebody tries.

Failures of a password, of a one-time code and of a recovery code count alike, for superusers as for everybody, and for
names that nobody has: otherwise a lock would tell who is there. While a lock runs nothing is tried and nothing counted,
so that it ends when it was said to.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta
from typing import Any

from allauth.core.internal.httpkit import get_client_ip
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils import timezone

from workflows import tallies


def locked_until(*, request: HttpRequest | None, username: str) -> datetime | None:
    """When the lock on this account or on this address ends; None when there is none."""
    limits = _limits(request=request, username=username)
    ends = [one.ends_at for one in tallies.running(names=list(limits)) if one.count >= limits[one.name]]
    return max(ends, default=None)


def told(until: datetime) -> str:
    minutes = max(1, math.ceil((until - timezone.now()).total_seconds() / 60))
    return (
        f"Too many failed tries. Nobody can sign in with this name from here for another {minutes} "
        f"{'minute' if minutes == 1 else 'minutes'}, with the right password either. Wait, or ask whoever runs this "
        "installation to unlock it."
    )


def note_failure(*, request: HttpRequest | None, username: str) -> None:
    lock = timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)
    for name, most in _limits(request=request, username=username).items():
        tally = tallies.count(name=name, seconds=lock.total_seconds())
        if tally.count >= most:
            tallies.prolong(tally=tally, until=timezone.now() + lock)


def note_sign_in(*, user: Any, **_: Any) -> None:
    """Follows Django's `user_logged_in`, so a password alone forgets no wrong codes: the account starts afresh. The address
    does not: one's own account must not buy tries at others'."""
    tallies.forget(name=_of_account(user.get_username()))


def unlock(*, username: str) -> bool:
    """Whether there were failures to forget."""
    return tallies.forget(name=_of_account(username))


def unlock_address(*, address: str) -> bool:
    return tallies.forget(name=_of_address(address))


def address_of(request: HttpRequest | None) -> str:
    """Where the request comes from, behind as many proxies as the settings say; empty when it cannot be known."""
    if request is None:
        return ""
    try:
        return (get_client_ip(request) or "").strip()
    except ImproperlyConfigured:  # fewer proxies than were said: whoever called went round them
        return str(request.META.get("REMOTE_ADDR", ""))


def _limits(*, request: HttpRequest | None, username: str) -> dict[str, int]:
    found = {_of_account(username): settings.SIGN_IN_FAILURES}
    if address := address_of(request):
        found[_of_address(address)] = settings.SIGN_IN_FAILURES_OF_ADDRESS
    return found


def _of_account(username: str) -> str:
    # Hashed: people type their password into the wrong field.
    return f"sign-in:account:{hashlib.sha256(username.strip().casefold().encode()).hexdigest()}"


def _of_address(address: str) -> str:
    return f"sign-in:address:{address[:60]}"
