"""Making people, and taking them out again: sessions, API keys and claims end with the account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from config.signing_in import lock_out
from config.signing_in.sessions import end_sessions
from reviews.claims import release
from reviews.models import Review
from workflows.api_keys import revoke_api_keys
from workflows.errors import Conflict, InvalidInput
from workflows.models import ApiKey, Workflow
from workflows.people import SYSTEM


@dataclass(frozen=True, slots=True)
class Left:
    """What ended with an account, and what waits for somebody else."""

    sessions: int
    keys: int
    claims: int
    owns: tuple[str, ...]


def make_user(
    *,
    name: str,
    email: str = "",
    groups: Sequence[str] = (),
    superuser: bool = False,
    password: str | None = None,
) -> Any:
    """Without a password nobody can sign in until one is set through a link. Raises InvalidInput or Conflict."""
    model = get_user_model()
    user: Any = model(
        username=model.normalize_username(name), email=email, is_staff=True, is_superuser=superuser
    )
    if name == SYSTEM or model.objects.filter(username__iexact=name).exists():
        raise Conflict(f"There is a user “{name}” already. Nobody was made.")
    known = {group.name: group for group in Group.objects.filter(name__in=groups)}
    if missing := [one for one in groups if one not in known]:
        raise InvalidInput(f"There is no group “{'”, “'.join(missing)}”. Nobody was made.")
    try:
        if password is not None:
            validate_password(password, user)
        user.set_password(password)  # None: one that nothing matches
        user.full_clean()
    except ValidationError as error:
        raise InvalidInput(f"{' '.join(error.messages)} Nobody was made.") from None
    with transaction.atomic():
        user.save()
        user.groups.set(known.values())
    return user


def disable_user(*, user: Any, by: Any = None) -> Left:
    """They are out at once, everywhere. What they did keeps their name; grants stay for the case that they come back."""
    with transaction.atomic():
        if user.is_active:
            user.is_active = False
            user.save(update_fields=["is_active"])
        keys = revoke_api_keys(
            keys=ApiKey.objects.filter(user=user), by=by, why=f"{user.get_username()} was disabled"
        )
        claimed = list(Review.objects.filter(claimed_by=user, state=Review.State.OPEN))
        for review in claimed:
            release(review=review, by=user)
    return Left(
        sessions=end_sessions(user=user),
        keys=keys,
        claims=len(claimed),
        owns=tuple(Workflow.objects.filter(owner=user).order_by("name").values_list("name", flat=True)),
    )


def enable_user(*, user: Any) -> bool:
    """Whether they were disabled. Keys stay revoked; the lock after failed tries goes."""
    lock_out.unlock(username=user.get_username())
    if user.is_active or user.get_username() == SYSTEM:
        return False
    user.is_active = True
    user.save(update_fields=["is_active"])
    return True


def told_of(left: Left) -> str:
    said = ", ".join(
        (_so_many(left.sessions, "session ended"), _so_many(left.keys, "API key revoked"), _so_many(left.claims, "claim released"))
    )  # fmt: skip
    owns = f" Still owner of {', '.join(left.owns)}: choose another one there." if left.owns else ""
    return f"{said}.{owns}"


def _so_many(count: int, what: str) -> str:
    thing, _, rest = what.rpartition(" ")
    return f"{count} {thing}{'' if count == 1 else 's'} {rest}"
