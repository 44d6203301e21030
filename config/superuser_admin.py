"""Screens of the libraries below us. Only superusers see them: a task's result may carry what an item says."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm


class ForSuperusers:
    """Model permissions open nothing here, so that a grant made elsewhere by habit cannot either."""

    writable = True

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


class GroupAdmin(ForSuperusers, DjangoGroupAdmin, ModelAdmin):
    pass


class TaskAdmin(ForSuperusers, ModelAdmin):
    """What the queue ran, to look at. The rows of the work itself say what is to be done."""

    writable = False
    list_display = ("name", "func", "started", "stopped", "success")
    show_full_result_count = False


def keep_for_superusers() -> None:
    for model in (User, Group, Success, Failure, Schedule, OrmQ):
        if admin.site.is_registered(model):
            admin.site.unregister(model)
    admin.site.register(User, UserAdmin)
    admin.site.register(Group, GroupAdmin)
    admin.site.register([Success, Failure], TaskAdmin)
