"""Single sign-on: whom the provider's word lets in, and into which groups it puts them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.providers.base import AuthProcess
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from config.signing_in import provider_settings
from workflows.models import GroupFromSignOn
from workflows.people import SYSTEM


class RefusedSignOn(Exception):
    """In words for the person who is refused."""

    def __init__(self, why: str, *, username: str = "") -> None:
        super().__init__(why)
        self.username = username


@dataclass(frozen=True, slots=True)
class Claims:
    email: str  # as it was said, whoever vouches for it
    verified_email: str  # empty when there is none, or the provider does not vouch for it
    groups: tuple[str, ...]


def claims_of(sociallogin: Any) -> Claims:
    """What the provider said: in the signed token, and at its own address about the same subject."""
    said: dict[str, Any] = sociallogin.account.extra_data or {}
    merged = {**(said.get("id_token") or {}), **(said.get("userinfo") or {})}
    email = str(merged.get("email") or "").strip()
    verified = merged.get("email_verified") in (True, "true")
    groups = merged.get(provider_settings.groups_claim()) if provider_settings.groups_claim() else ()
    return Claims(
        email=email,
        verified_email=email if verified else "",
        groups=(groups,) if isinstance(groups, str) else tuple(str(one) for one in groups or ()),
    )


def admit(*, claims: Claims, sociallogin: Any) -> Any | None:
    """The person whom a first sign-in belongs to, None for a new one or one who is known. Raises RefusedSignOn."""
    domains = provider_settings.allowed_domains()
    if domains and claims.verified_email.rpartition("@")[2].lower() not in domains:
        raise RefusedSignOn(
            "Your address is not one of those that may sign in here, or the sign-in service does not vouch for it.",
            username=claims.verified_email,
        )
    if sociallogin.is_existing or sociallogin.state.get("process") == AuthProcess.CONNECT:
        return None
    email = claims.email
    same = list(get_user_model().objects.filter(email__iexact=email)[:2]) if email else []
    if not same:
        return None
    if not claims.verified_email:
        raise RefusedSignOn(
            "There is an account with your address, and the sign-in service does not vouch that the address is yours.",
            username=email,
        )
    if len(same) > 1:
        raise RefusedSignOn(
            "More than one account has your address, so it is not clear which is yours.", username=email
        )
    (person,) = same
    if person.is_superuser:
        raise RefusedSignOn(
            "There is a superuser with your address. Superusers sign in with their password first, then link single "
            "sign-on under “Your account”.",
            username=person.get_username(),
        )
    if not person.is_active or person.get_username() == SYSTEM:
        raise RefusedSignOn("Your account is disabled.", username=person.get_username())
    return person


def follow_groups(*, user: Any, claims: Claims) -> None:
    """Put the person into the groups that the claim names, and take them out of those that it named before.

    A group is mapped when one of that name is here. Who is in a group by hand stays in it.
    """
    if not provider_settings.groups_claim():
        return
    named = set(Group.objects.filter(name__in=_names(claims.groups)))
    with transaction.atomic():
        given = {row.group: row for row in GroupFromSignOn.objects.filter(user=user).select_related("group")}
        has = set(user.groups.all())
        for group in named - has:
            user.groups.add(group)
            GroupFromSignOn.objects.get_or_create(user=user, group=group)
        for group in set(given) - named:
            user.groups.remove(group)
            given[group].delete()


def _names(groups: Iterable[str]) -> set[str]:
    prefix = provider_settings.group_prefix()
    return {one.removeprefix(prefix) for one in groups if one.startswith(prefix)}
