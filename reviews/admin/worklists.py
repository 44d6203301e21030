"""What the lists of work have in common: no page of their own behind a row, because the item is where it is done."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from reviews.counting import told, waiting
from workflows.admin.base import ExactChangeList, ScopedAdmin
from workflows.admin.filters import WorkflowFilter
from workflows.admin.telling import due
from workflows.models import Item

LARGE = ("item__values", "item__problem", "item__metadata", "item__note")


class ViewedList(ExactChangeList):
    """Each row knows who looks at it: what stands in a cell depends on the reader."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for row in self.result_list:
            row.viewer = request.user


class WorkList(ScopedAdmin):
    list_display_links = None
    list_fullwidth = True
    list_filter_sheet = True
    list_filter_submit = True
    list_only = True
    heading = ""
    ordering = ("due_at", "pk")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ExactChangeList]:
        return ViewedList

    def get_urls(self) -> list[URLPattern]:
        """The list alone; a subclass adds what is done from it."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        return [path("", self.admin_site.admin_view(self.changelist_view), name=name)]

    def is_list(self, request: HttpRequest) -> bool:
        return (
            request.resolver_match is not None
            and request.resolver_match.url_name == f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        counts = waiting(request) if self.is_list(request) else {}
        words = {f"{name.replace(' ', '_')}_told": told(count) for name, count in counts.items()}
        return super().changelist_view(
            request, {"title": self.heading, "waiting": counts, **words, **(extra_context or {})}
        )


class WorkflowChoice(WorkflowFilter):
    """In a sheet that is sent as a whole, "all" comes as an empty value."""

    def value(self) -> str | None:
        value: str | None = super().value()
        return value or None


def told_due(at: Any) -> SafeString:
    told = due(at)
    tone = f" cs-{told.tone}" if told.tone else ""
    icon = "error" if told.tone == "bad" else "schedule"
    return format_html(
        '<span class="cs-due cs-when{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>'
        "<span>{}<small>{}</small></span></span>",
        tone, icon, told.text, told.at,
    )  # fmt: skip


def told_item(item: Item, *, below: str) -> SafeString:
    return format_html(
        '<a class="cs-lead" href="{}">{}</a><span class="cs-below">{}</span>',
        address(item),
        item.title,
        below,
    )


def address(item: Item) -> str:
    return reverse("admin:workflows_item_change", args=[item.pk])
