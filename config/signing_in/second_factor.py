"""Who has to have a second factor, and what they can open until they have one: the page on which they add it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
EVERYBODY, SUPERUSERS = {"1", "true", "yes", "on"}, {"superusers", "superuser"}


def has_second_factor(user: Any) -> bool:
    return Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists()


def is_asked_of(user: Any) -> bool:
    said = settings.REQUIRE_SECOND_FACTOR
    return said in EVERYBODY or (said in SUPERUSERS and user.is_superuser)


def came_by_sign_on(request: HttpRequest) -> bool:
    """Who came by single sign-on was asked for a second factor there, or not: it is that provider's rule."""
    records = get_authentication_records(request, request.user)
    return any(one.get("method") == "socialaccount" for one in records)


class SecondFactorAsked:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.REQUIRE_SECOND_FACTOR and self._is_missing(request):
            return redirect("account")  # which says why
        return self.get_response(request)

    def _is_missing(self, request: HttpRequest) -> bool:
        inside = reverse("admin:index")
        if not request.path.startswith(inside) or request.path.startswith(reverse("account")):
            return False
        if request.path in (reverse("admin:logout"), reverse("admin:login"), reverse("admin:jsi18n")):
            return False
        user = request.user
        if not user.is_authenticated or not is_asked_of(user) or came_by_sign_on(request):
            return False
        return not has_second_factor(user)


def remove_second_factors(*, user: Any) -> int:
    """For somebody who lost theirs: they sign in with the password alone, until they add another."""
    removed = Authenticator.objects.filter(user=user, type__in=FACTORS).count()
    Authenticator.objects.filter(user=user).delete()
    return removed
