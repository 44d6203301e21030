"""What waits for people, most urgent first."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from reviews.models import Review
from workflows.admin.base import ScopedAdmin, label
from workflows.admin.filters import WorkflowFilter
from workflows.admin.telling import due


@admin.register(Review)
class ReviewAdmin(ScopedAdmin):
    list_display = ("item_link", "workflow", "kind", "state", "group", "reason", "due_told")
    list_display_links = None  # the item is where the work is done
    list_fullwidth = True
    list_select_related = ("item", "workflow", "group")
    list_filter = (WorkflowFilter, "state", "kind")
    deferred = ("item__values", "item__route", "item__problem", "item__metadata", "item__note")
    ordering = ("due_at", "pk")
    fields = (
        "item_link",
        "workflow",
        "kind",
        "state",
        "group",
        "reason",
        "asked_by",
        "opened_at",
        "due_at",
        "closed_at",
        "decision",
    )
    readonly_fields = ("item_link",)

    @label("item", order="item__title")
    def item_link(self, review: Review) -> str:
        return format_html(
            '<a class="cs-lead" href="{}">{}</a>',
            reverse("admin:workflows_item_change", args=[review.item_id]),
            review.item.title,
        )

    @label("due", order="due_at")
    def due_told(self, review: Review) -> str:
        if review.state != Review.State.OPEN:
            return "–"
        told = due(review.due_at)
        tone = f" cs-{told.tone}" if told.tone else ""
        return format_html('<span class="cs-due{}">{}<small>{}</small></span>', tone, told.text, told.at)
