"""The forms in which somebody proves who they are. Each asks the lock-out first and tells it what failed."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from config.signing_in import lock_out


class SignInForm(AuthenticationForm):
    """Name and password, on the admin's own page."""

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username", "")
        _refuse_while_locked(request=self.request, username=username)
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            # The failure that brought the lock says so.
            _refuse_while_locked(request=self.request, username=username)
            raise
        return cleaned

    def get_invalid_login_error(self) -> ValidationError:
        error: ValidationError = super().get_invalid_login_error()
        if not settings.PASSWORD_SIGN_IN:
            return ValidationError(
                "Name and password do not match, or are not for you: only superusers sign in with a password here.",
                code="invalid_login",
            )
        return error


class _Code:
    """What the forms for a one-time code or a recovery code have in common."""

    user: Any
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]
        field.label = "Code"
        field.widget.attrs = {
            "autocomplete": "one-time-code",
            "autofocus": True,
            "class": " ".join(BASE_INPUT_CLASSES),
            "spellcheck": "false",
        }

    def clean_code(self) -> str:
        username = self.user.get_username()
        _refuse_while_locked(request=context.request, username=username)
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError:
            lock_out.note_failure(request=context.request, username=username)
            user_login_failed.send(
                sender=__name__, credentials={"username": username, "code": "***"}, request=context.request
            )
            _refuse_while_locked(request=context.request, username=username)
            raise ValidationError(
                "This is not the code. A code is valid for half a minute and once: wait for the next one.",
                code="incorrect_code",
            ) from None
        return code


class CodeForm(_Code, AuthenticateForm):
    pass


class CodeAgainForm(_Code, ReauthenticateForm):
    pass


class FirstCodeForm(_Code, ActivateTOTPForm):
    pass


def _refuse_while_locked(*, request: Any, username: str) -> None:
    if until := lock_out.locked_until(request=request, username=username):
        raise ValidationError(lock_out.told(until), code="locked")
