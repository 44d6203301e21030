"""What the system wrote, to look at: deliveries, runs, the register, keys."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from workflows.access import Action, may
from workflows.admin.base import ScopedAdmin, ScopedInline, label
from workflows.admin.filters import ItemsWorkflowFilter, WorkflowFilter
from workflows.admin.running import run_on_each
from workflows.handoff import mark_arrived, resend
from workflows.models import ApiKey, Delivery, DeliveryAttempt, RegisterEntry, Run


class AttemptInline(ScopedInline):
    model = DeliveryAttempt
    fields = readonly_fields = ("started_at", "ended_at", "result", "detail")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(ScopedAdmin):
    list_display = ("item", "destination", "state", "tries", "due_at", "error")
    list_select_related = ("item", "destination")
    list_filter = (ItemsWorkflowFilter, "state")
    deferred = (
        "payload",
        "item__values",
        "item__route",
        "item__problem",
        "item__metadata",
        "destination__config",
    )
    fields = (
        "item", "destination", "state", "key", "resend_of", "due_at", "tries", "error", "reference", "delivered_at", "told",
    )  # fmt: skip
    readonly_fields = ("told", "key")
    inlines = (AttemptInline,)
    actions = ("send_again", "mark_as_arrived")

    @label("what is handed over")
    def told(self, delivery: Delivery) -> str:
        return as_text(delivery.payload)

    def has_review_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.REVIEW)

    @admin.action(description="Send again", permissions=["review"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        run_on_each(
            request=request,
            rows=queryset,
            act=lambda row: resend(delivery=row, by=request.user),
            done="sent again",
        )

    @admin.action(description="Mark as arrived", permissions=["review"])
    def mark_as_arrived(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        run_on_each(
            request=request, rows=queryset, done="marked as arrived",
            act=lambda row: mark_arrived(delivery=row, by=request.user, why="looked up there"),
        )  # fmt: skip


@admin.register(Run)
class RunAdmin(ScopedAdmin):
    """Prompts and raw answers: for those who may see model logs, and nobody else."""

    list_display = (
        "item",
        "version",
        "outcome",
        "model",
        "seconds",
        "prompt_tokens",
        "completion_tokens",
        "started_at",
    )
    list_select_related = ("item", "version")
    list_filter = (ItemsWorkflowFilter, "outcome")
    deferred = ("prompt", "raw_text", "draft", "calls", "item__values", "item__route", "item__problem", "item__metadata",
                "version__instructions", "version__examples", "version__profile")  # fmt: skip
    fields = (
        "item", "version", "outcome", "model", "profile", "error", "prompt_told", "raw_text", "draft_told", "calls_told",
        "prompt_tokens", "completion_tokens", "cost", "seconds", "cpu_seconds", "started_at", "ended_at",
    )  # fmt: skip
    readonly_fields = ("prompt_told", "draft_told", "calls_told")

    @label("prompt")
    def prompt_told(self, run: Run) -> str:
        return as_text(run.prompt)

    @label("draft")
    def draft_told(self, run: Run) -> str:
        return as_text(run.draft)

    @label("calls")
    def calls_told(self, run: Run) -> str:
        return as_text(run.calls)


@admin.register(RegisterEntry)
class RegisterEntryAdmin(ScopedAdmin):
    list_display = ("title", "workflow", "accepted_at")
    list_select_related = ("workflow",)
    list_filter = (WorkflowFilter,)
    search_fields = ("title",)
    deferred = ("values",)
    fields = ("title", "workflow", "item", "accepted_at", "values_told")
    readonly_fields = ("values_told",)

    @label("values")
    def values_told(self, entry: RegisterEntry) -> str:
        return as_text(entry.values)


@admin.register(ApiKey)
class ApiKeyAdmin(ScopedAdmin):
    """Keys are made on the command line, which shows them once. Here they are seen and revoked."""

    list_display = (
        "prefix",
        "name",
        "workflow",
        "user",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_select_related = ("workflow", "user")
    list_filter = (WorkflowFilter,)
    fields = ("prefix", "name", "workflow", "user", "created_at", "expires_at", "revoked_at", "last_used_at")
    actions = ("revoke",)

    def has_access_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.ACCESS)

    @admin.action(description="Revoke", permissions=["access"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        for key in queryset:
            self.log_change(request, key, "Revoked")
        messages.success(
            request,
            f"{revoked} {'key' if revoked == 1 else 'keys'} revoked. Calls with them are refused from now on.",
        )


def as_text(value: Any) -> str:
    """JSON to read, escaped: it may carry what a document says."""
    told = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', told)
