"""Who acts when nobody does: background writes name this user and their reason in the history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model

from workflows.storable import storable

SYSTEM = "system"


def system_user() -> Any:
    """The user of background writes. It cannot sign in and holds no grant."""
    user, made = get_user_model().objects.get_or_create(
        username=SYSTEM, defaults={"is_active": False, "first_name": "Countersign"}
    )
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


@contextmanager
def acting(*, by: Any, why: str, on: Model) -> Iterator[None]:
    """Name the user and the reason that the next saves of this row write into its history."""
    on._history_user = by  # type: ignore[attr-defined]
    on._change_reason = storable(why)[:100]  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del on._history_user, on._change_reason  # type: ignore[attr-defined]
