"""Keys of the HTTP API: who manages access sees them, rotates and revokes them, and makes keys of their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from workflows import api_keys
from workflows.access import Action, may, visible
from workflows.admin.base import ScopedAdmin, label
from workflows.admin.filters import WorkflowFilter
from workflows.admin.telling import chip
from workflows.errors import Refused
from workflows.models import ApiKey, Workflow


class NewKeyForm(forms.Form):
    workflow = forms.ModelChoiceField(label="Workflow", queryset=Workflow.objects.none())
    name = forms.CharField(label="What it is for", max_length=80)
    scope = forms.ChoiceField(label="It may", choices=ApiKey.Scope.choices, initial=ApiKey.Scope.SUBMIT_VIEW)
    days = forms.IntegerField(
        label="Days until it expires", min_value=1, max_value=api_keys.MOST_DAYS, initial=90
    )


@admin.register(ApiKey)
class ApiKeyAdmin(ScopedAdmin):
    """A key is shown once, on the page that answers the request that made it; then only its hash is here."""

    add_action = Action.ACCESS
    list_display = (
        "prefix",
        "name",
        "workflow",
        "user",
        "scope",
        "state_told",
        "expires_at",
        "last_used_told",
    )
    list_select_related = ("workflow", "user")
    list_filter = (WorkflowFilter,)
    fields = (
        "prefix", "name", "workflow", "user", "scope", "state_told", "created_at", "expires_at", "revoked_at", "last_used_told",
        "replaced_by",
    )  # fmt: skip
    readonly_fields = ("state_told", "last_used_told")
    actions = ("revoke",)
    change_form_template = "workflows/api_key.html"

    @label("state")
    def state_told(self, key: ApiKey) -> str:
        if key.revoked_at:
            return chip(text="revoked", tone="bad", icon="block")
        if key.expires_at <= timezone.now():
            return chip(text="expired", tone="", icon="event_busy")
        if key.replaced_by_id:
            return chip(text="runs out", tone="warn", icon="autorenew")
        return chip(text="in force", tone="good", icon="key")

    @label("last used", order="last_used_at")
    def last_used_told(self, key: ApiKey) -> str:
        if key.last_used_at is None:
            return "never"
        return f"{timezone.localtime(key.last_used_at):%d %b %Y, %H:%M}"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/rotate/",
                view(require_POST(never_cache(self.rotate_view))),
                name="workflows_apikey_rotate",
            ),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One's own keys alone: a key for somebody else would be a way to act as them."""
        if not self.has_add_permission(request):
            raise Http404
        form = NewKeyForm(request.POST or None)
        choices: Any = form.fields["workflow"]
        choices.queryset = visible(request.user, Workflow.objects.order_by("name"), Action.ACCESS)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                row, key = api_keys.create_api_key(
                    workflow=given["workflow"], user=request.user, by=request.user, days=given["days"],
                    name=given["name"], scope=given["scope"],
                )  # fmt: skip
            except Refused as refused:
                form.add_error(None, str(refused))
            else:
                return self._shown_once(request, row=row, key=key)
        context = {
            **self.admin_site.each_context(request),
            "title": "Make an API key",
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(request, "workflows/new_api_key.html", context)

    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.get_object(request, str(pk))
        if not may(request.user, Action.ACCESS, row) or row.user_id != request.user.pk:
            raise Http404  # whoever rotates a key reads it: another's would be a way to act as them
        try:
            new, key = api_keys.rotate_api_key(key=row, by=request.user)
        except Refused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(reverse("admin:workflows_apikey_change", args=[pk]))
        return self._shown_once(request, row=new, key=key, old=row)

    def _shown_once(
        self, request: HttpRequest, *, row: ApiKey, key: str, old: ApiKey | None = None
    ) -> HttpResponse:
        if old is not None:
            old.refresh_from_db()
        answer = TemplateResponse(
            request, "workflows/api_key_shown.html",
            {**self.admin_site.each_context(request), "title": "API key", "row": row, "key": key, "old": old, "opts": self.opts},
        )  # fmt: skip
        answer["Cache-Control"] = "no-store"
        return answer

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        rotates = row.user_id == request.user.pk and not row.replaced_by_id and row.revoked_at is None
        hours = api_keys.DEFAULT_OVERLAP_HOURS
        return super().change_view(
            request,
            str(row.pk),
            form_url,
            {"rotates": rotates and row.expires_at > timezone.now(), "hours": hours, **(extra_context or {})},
        )

    def has_access_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.ACCESS)

    @admin.action(description="Revoke", permissions=["access"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        in_force = list(queryset.filter(revoked_at=None))
        revoked = api_keys.revoke_api_keys(
            keys=ApiKey.objects.filter(pk__in=[row.pk for row in in_force]), by=request.user
        )
        for row in in_force:
            self.log_change(request, row, "Revoked")
        messages.success(
            request,
            f"{revoked} {'key' if revoked == 1 else 'keys'} revoked. Calls with them are refused from now on.",
        )
