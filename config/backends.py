"""Signing in with a password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

DEMO_PASSWORD = "demo"  # noqa: S105 - printed on the screen of the demo, refused everywhere else


DEMO_MAIL = "@demo.example"  # of the demo's people; a session of theirs ends with the demo, too


class PasswordBackend(ModelBackend):
    """Django's own, except that the demo's password opens nothing outside the demo.

    A database may outlive its demo; its well-known password must not.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if password == DEMO_PASSWORD and not settings.DEMO:
            raise PermissionDenied
        return super().authenticate(request, username=username, password=password, **kwargs)

    def get_user(self, user_id: int) -> User | None:
        user = super().get_user(user_id)
        return None if user and user.email.endswith(DEMO_MAIL) and not settings.DEMO else user
