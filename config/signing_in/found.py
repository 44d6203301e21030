"""The user whom a command names."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from workflows.people import SYSTEM


def user_named(name: str) -> Any:
    user = get_user_model().objects.filter(username=name).first()
    if user is None or name == SYSTEM:
        raise CommandError(f"There is no user “{name}”. Nothing was changed.")
    return user
