"""Signing in with a password: every door asks here, so the lock-out and who may use a password at all stand here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from config.signing_in import lock_out

DEMO_PASSWORD = "demo"  # noqa: S105 - printed on the screen of the demo, refused everywhere else


DEMO_MAIL = "@demo.example"  # of the demo's people; a session of theirs ends with the demo, too


class PasswordBackend(ModelBackend):
    """Django's own, with the lock-out, and except that the demo's password opens nothing outside the demo.

    A database may outlive its demo; its well-known password must not.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        if lock_out.locked_until(request=request, username=username):
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is None or not _may_use_a_password(user=user, password=password):
            lock_out.note_failure(request=request, username=username)
            raise PermissionDenied
        return user

    def get_user(self, user_id: int) -> User | None:
        user = super().get_user(user_id)
        return None if user and user.email.endswith(DEMO_MAIL) and not settings.DEMO else user


def _may_use_a_password(*, user: User, password: str) -> bool:
    if password == DEMO_PASSWORD and not settings.DEMO:
        return False
    return settings.PASSWORD_SIGN_IN or user.is_superuser
