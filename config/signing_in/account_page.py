"""“Your account”: password, second factor, passkeys, where one is signed in. Each person sees their own, and no other."""

from __future__ import annotations

import re
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from config.signing_in import provider_settings
from config.signing_in.second_factor import FACTORS, came_by_sign_on, is_asked_of
from config.signing_in.sessions import end_session, end_sessions, sessions_of

BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"))  # fmt: skip


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    mine = list(Authenticator.objects.filter(user=user).order_by("pk"))
    codes = next((one for one in mine if one.type == Authenticator.Type.RECOVERY_CODES), None)
    sign_on = settings.SOCIALACCOUNT_PROVIDERS
    return TemplateResponse(
        request,
        "account/account.html",
        {
            "title": "Your account",
            "password_usable": user.has_usable_password() and (settings.PASSWORD_SIGN_IN or user.is_superuser),
            "app": next((one for one in mine if one.type == Authenticator.Type.TOTP), None),
            "passkeys": [one for one in mine if one.type == Authenticator.Type.WEBAUTHN],
            "codes": codes,
            "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
            "asked": is_asked_of(user) and not came_by_sign_on(request),
            "protected": any(one.type in FACTORS for one in mine),
            "sessions": [
                {"row": one, "told": told_program(one.user_agent), "current": one.session_key == request.session.session_key}
                for one in sessions_of(user)
            ],
            "hours": settings.SESSION_HOURS,
            "idle": settings.SESSION_IDLE_MINUTES,
            "sign_on": provider_settings.name() if sign_on else "",
            "sign_on_provider": provider_settings.PROVIDER,
            "linked": SocialAccount.objects.filter(user=user).first() if sign_on else None,
        },
    )  # fmt: skip


@require_POST
def end_one(request: HttpRequest, pk: int) -> HttpResponse:
    if not end_session(user=request.user, pk=pk):
        raise Http404
    messages.success(request, "Signed out there.")
    return redirect("account")


@require_POST
def end_all(request: HttpRequest) -> HttpResponse:
    ended = end_sessions(user=request.user)
    logout(request)
    places = "1 place" if ended == 1 else f"{ended} places"
    messages.success(request, f"You were signed out everywhere, in {places}. Sign in again here.")
    return redirect("admin:login")


def told_program(user_agent: str) -> str:
    """A browser and a system, as far as it says so itself."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or re.split(r"[\s/(]", user_agent.strip())[0][:40] or "Unknown program"


def for_signed_in(view: Any) -> Any:
    return admin.site.admin_view(view)
