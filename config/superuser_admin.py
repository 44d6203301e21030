"""Screens of the installation. Those of the libraries below us are for superusers alone: a task's result may carry what
an item says. Prices are for whoever holds the model permission."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.signing_in.people import disable_user, told_of
from workflows.admin.base import ScopedAdmin
from workflows.models import Price


class ForSuperusers:
    """Model permissions open nothing here, so that a grant made elsewhere by habit cannot either."""

    writable = True

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """A person, a group or a task that is there and one that is not look the same to everybody else: Django's 403 and
        its way back to the start would tell them apart."""
        if not _is_superuser(request):
            raise Http404
        found = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        if found is None:
            raise Http404
        return found

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.writable and _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.writable and _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # People are deactivated: what they did keeps their name.
        return False


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


class UserAdmin(ForSuperusers, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            messages.info(request, f"{obj} is out: {told_of(disable_user(user=obj, by=request.user))}")


class GroupAdmin(ForSuperusers, DjangoGroupAdmin, ModelAdmin):
    pass


class TaskAdmin(ForSuperusers, ModelAdmin):
    """What the queue ran, to look at. The rows of the work itself say what is to be done."""

    writable = False
    list_display = ("name", "func", "started", "stopped", "success")
    show_full_result_count = False


class PriceAdmin(ScopedAdmin):
    """An installation's own prices. They belong to no workflow, so the model permission is what counts."""

    list_display = ("model", "prompt", "completion", "cached")
    search_fields = ("model",)
    search_help_text = "Name of the model"
    fields = ("model", "prompt", "completion", "cached")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        return Price.objects.all() if self.has_view_permission(request) else Price.objects.none()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        unit = f"{settings.CURRENCY} for 1,000,000 tokens"
        kwargs["labels"] = {
            "model": "Name of the model",
            "prompt": "Prompt",
            "completion": "Answer",
            "cached": "Prompt that was kept",
        }
        kwargs["help_texts"] = {
            "prompt": f"{unit}. 0 where it costs nothing.", "completion": f"{unit}.",
            "cached": f"{unit}. Tokens of a prompt that the server had kept. Empty: as the rest of the prompt.",
        }  # fmt: skip
        return super().get_form(request, obj, change, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _holds(request, "view") or _holds(request, "change")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _holds(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _holds(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _holds(request, "delete")


def _holds(request: HttpRequest, act: str) -> bool:
    return bool(request.user.has_perm(f"workflows.{act}_price"))


def keep_for_superusers() -> None:
    ours = (User, Group, Success, Failure, Schedule, OrmQ)
    allauths = (
        EmailAddress,
        EmailConfirmation,
        Authenticator,
        SocialAccount,
        SocialApp,
        SocialToken,
        UserSession,
    )
    for model in (*ours, *allauths):
        if admin.site.is_registered(model):
            admin.site.unregister(model)
    admin.site.register(User, UserAdmin)
    admin.site.register(Group, GroupAdmin)
    admin.site.register(Price, PriceAdmin)
    admin.site.register([Success, Failure], TaskAdmin)
