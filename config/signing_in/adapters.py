"""What allauth asks of us: who may come in, what failed, and how secrets of second factors are kept."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from config.signing_in import lock_out, provider_settings
from config.signing_in.sign_on import RefusedSignOn, admit, claims_of, follow_groups
from workflows.people import SYSTEM


class AccountAdapter(DefaultAccountAdapter):
    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """The last word for every way in: a password, a passkey, single sign-on."""
        if user.is_active and user.is_staff:
            return None
        _tell_of_failure(request=request, username=user.get_username())
        messages.error(request, "This account may not sign in here. Ask whoever runs this installation.")
        return redirect("admin:login")

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Whoever finds an open screen must not try passwords on it without end."""
        request, username = context.request, user.get_username()
        if until := lock_out.locked_until(request=request, username=username):
            raise ValidationError(lock_out.told(until), code="locked")
        if user.check_password(password):
            return True
        lock_out.note_failure(request=request, username=username)
        _tell_of_failure(request=request, username=username)
        return False

    def clean_username(self, username: str, shallow: bool = False) -> str:
        if username.strip().lower() == SYSTEM:
            raise ValidationError("This name is taken.")
        cleaned: str = super().clean_username(username, shallow=shallow)
        return cleaned


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of authenticator apps and recovery codes are encrypted with a key made of SECRET_KEY."""

    def encrypt(self, text: str) -> str:
        return _lock().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _lock().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # SECRET_KEY was changed: no code fits any more, and `reset_second_factor` helps.
            return generate_totp_secret()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Countersign"}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        return "Passkey"


def _lock() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(b"countersign second factor:" + str(key).encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(one)) for one in digests])


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """The rules stand in `sign_on`; this carries them to allauth."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        try:
            person = admit(claims=claims_of(sociallogin), sociallogin=sociallogin)
        except RefusedSignOn as refused:
            _tell_of_failure(request=request, username=refused.username)
            raise ImmediateHttpResponse(_refusal(request=request, why=str(refused))) from None
        if person is not None and not sociallogin.is_existing:
            sociallogin.connect(request, person)
        if sociallogin.is_existing:
            follow_groups(user=sociallogin.user, claims=claims_of(sociallogin))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True  # whoever may not was refused before

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True  # there is no form to sign up with

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: Any) -> Any:
        user = super().populate_user(request, sociallogin, data)
        user.is_staff = True  # may come in; what they see is their grants, and those of mapped groups
        if not claims_of(sociallogin).verified_email:
            user.email = ""
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        user = super().save_user(request, sociallogin, form)
        follow_groups(user=user, claims=claims_of(sociallogin))
        return user

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("account")

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        """A state that is not ours, a code that was used, a provider that answers wrongly."""
        _tell_of_failure(request=request, username="")
        why = (
            "The answer of the sign-in service does not belong to a sign-in that was begun in this browser, or it was used "
            "already."
        )
        raise ImmediateHttpResponse(_refusal(request=request, why=why))


def _refusal(*, request: HttpRequest, why: str) -> HttpResponse:
    told = {"title": "Not signed in", "why": why, "sign_on": provider_settings.name()}
    return render(request, "account/refused.html", told, status=403)


def _tell_of_failure(*, request: HttpRequest | None, username: str) -> None:
    user_login_failed.send(sender=__name__, credentials={"username": username}, request=request)
