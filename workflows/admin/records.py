"""What the system wrote, to look at: deliveries and runs. The register and the keys have files of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from workflows.access import Action, may
from workflows.admin.base import ScopedAdmin, ScopedInline, label
from workflows.admin.filters import ItemsWorkflowFilter
from workflows.admin.running import run_on_each
from workflows.admin.telling import as_text, chip, told_values
from workflows.handoff import mark_arrived, resend
from workflows.masking import MASK, hides_material, keys_of, masked, telling_hidden
from workflows.models import Delivery, DeliveryAttempt, Item, Run
from workflows.money import told_cost


class AttemptInline(ScopedInline):
    model = DeliveryAttempt
    verbose_name_plural = "tries"
    show_title = False
    fields = readonly_fields = ("started_at", "ended_at", "result_told", "detail")

    @label("result")
    def result_told(self, attempt: DeliveryAttempt) -> str:
        return attempt.result or "never came back"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


TONES = {
    Delivery.State.WAITING: ("", "schedule"), Delivery.State.SENDING: ("info", "send"), Delivery.State.DELIVERED: ("good", "done_all"),
    Delivery.State.UNCERTAIN: ("warn", "help"), Delivery.State.DEAD: ("bad", "error"), Delivery.State.CANCELLED: ("", "cancel"),
}  # fmt: skip


def link_to_item(item: Item) -> str:
    return format_html(
        '<a class="text-link" href="{}">{}</a>',
        reverse("admin:workflows_item_change", args=[item.pk]),
        item.title,
    )


@admin.register(Delivery)
class DeliveryAdmin(ScopedAdmin):
    list_display = ("item", "destination", "state_told", "tries", "due_at", "error_told")
    list_fullwidth = True
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
        "item_link", "destination", "state_told", "error_told", "tries", "due_at", "delivered_at", "reference", "told", "resend_of",
        "key_told",
    )  # fmt: skip
    readonly_fields = ("item_link", "state_told", "error_told", "told", "key_told")
    inlines = (AttemptInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return telling_hidden(super().get_queryset(request), user=request.user, path="item__workflow")

    actions = ("send_again", "mark_as_arrived")

    @label("item")
    def item_link(self, delivery: Delivery) -> str:
        return link_to_item(delivery.item)

    @label("state", order="state")
    def state_told(self, delivery: Delivery) -> str:
        tone, icon = TONES[Delivery.State(delivery.state)]
        return chip(text=delivery.get_state_display(), tone=tone, icon=icon)

    @label("what went wrong")
    def error_told(self, delivery: Delivery) -> str:
        # Once it has arrived, what an earlier try met stands with that try.
        return "–" if delivery.state == Delivery.State.DELIVERED else delivery.error or "–"

    @label("what is handed over")
    def told(self, delivery: Delivery) -> str:
        version = delivery.item.version
        values = delivery.payload.get("values") if isinstance(delivery.payload, dict) else None
        specs = version.specs() if version else ()
        hides = getattr(delivery, "hides_sensitive", True)
        return told_values(values=masked(values, keys_of(specs, hides=hides)), specs=specs)

    @label("key of this delivery")
    def key_told(self, delivery: Delivery) -> str:
        return str(delivery.key)

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
        "cost_told",
        "seconds_told",
        "prompt_tokens",
        "completion_tokens",
        "started_at",
    )
    list_select_related = ("item", "version")
    list_filter = (ItemsWorkflowFilter, "outcome")
    deferred = ("prompt", "raw_text", "draft", "calls", "item__values", "item__route", "item__problem", "item__metadata",
                "version__instructions", "version__examples", "version__profile")  # fmt: skip
    fields = (
        "item", "version", "outcome", "model", "profile", "error", "prompt_told", "raw_told", "draft_told", "calls_told",
        "prompt_tokens", "completion_tokens", "cost_told", "seconds_told", "cpu_seconds_told", "started_at", "ended_at",
    )  # fmt: skip
    readonly_fields = (
        "prompt_told",
        "raw_told",
        "draft_told",
        "calls_told",
        "cost_told",
        "seconds_told",
        "cpu_seconds_told",
    )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        run = super().get_object(request, object_id, from_field)
        run.withheld = hides_material(user=request.user, item=run.item)
        return run

    @label("raw text")
    def raw_told(self, run: Run) -> str:
        return MASK if _withheld(run) else run.raw_text

    @label("cost", order="cost")
    def cost_told(self, run: Run) -> str:
        return told_cost(cost=run.cost, cpu_seconds=run.cpu_seconds) if run.outcome else "–"

    @label("seconds", order="seconds")
    def seconds_told(self, run: Run) -> str:
        return "–" if run.seconds is None else f"{run.seconds:.1f}"

    @label("CPU seconds")
    def cpu_seconds_told(self, run: Run) -> str:
        return "–" if run.cpu_seconds is None else f"{run.cpu_seconds:.1f}"

    @label("prompt")
    def prompt_told(self, run: Run) -> str:
        if _withheld(run):
            return MASK
        said = ((one.get("role", ""), one.get("content", "")) for one in run.prompt or [])
        return format_html_join(
            "", '<p><strong>{}</strong></p><pre class="cs-pre" tabindex="0">{}</pre>', said
        )

    @label("draft")
    def draft_told(self, run: Run) -> str:
        return MASK if _withheld(run) else as_text(run.draft)

    @label("calls")
    def calls_told(self, run: Run) -> str:
        return MASK if _withheld(run) else as_text(run.calls)


def _withheld(run: Run) -> bool:
    return bool(getattr(run, "withheld", True))
