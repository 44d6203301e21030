"""Escalations: what is late, and who waits on whom."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from reviews.admin.list_filters import SeenWorkflowDropdown, ShownTab
from reviews.admin.why import question_of
from reviews.admin.worklists import LARGE, WorkList, address, told_due, told_item
from reviews.claims import holder, name_of
from reviews.counting import on_me, open_escalations
from reviews.models import Escalation
from reviews.reminding import may_remind, remind
from workflows.admin.base import label
from workflows.errors import Refused


@admin.register(Escalation)
class EscalationAdmin(WorkList):
    heading = "Escalations"
    list_display = ("due_told", "item_told", "who", "question", "acts")
    list_select_related = ("item", "workflow", "group", "asked_by", "claimed_by")
    list_filter = (ShownTab, SeenWorkflowDropdown)
    list_before_template = "reviews/escalations_top.html"
    deferred = (*LARGE, "item__route")
    empty_title = "No escalation waits"
    empty_text = "What somebody hands to the people who answer escalations appears here."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.remind_view))
        return [path("<int:pk>/remind/", view, name="reviews_escalation_remind"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = open_escalations(user=request.user)
        match request.GET.get("show") if self.is_list(request) else None:
            case "me":
                return rows.filter(pk__in=on_me(user=request.user).values("pk"))
            case "asked":
                return rows.filter(asked_by=request.user.pk)
        return rows

    def remind_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        escalation = self.get_object(request, str(pk))
        try:
            messages.success(request, f"{escalation.item}: {remind(review=escalation, by=request.user)}")
        except Refused as refused:
            messages.error(request, f"{escalation.item}: {refused}")
        return HttpResponseRedirect(reverse("admin:reviews_escalation_changelist"))

    @label("answer due", order="due_at")
    def due_told(self, row: Escalation) -> str:
        return told_due(row.due_at)

    @label("item", order="item__title")
    def item_told(self, row: Escalation) -> str:
        return told_item(row.item, below=row.workflow.name)

    @label("who waits on whom")
    def who(self, row: Escalation) -> str:
        viewer = row.viewer  # type: ignore[attr-defined]
        asked = "A rule" if row.asked_by is None else _told(row.asked_by, viewer)
        group = row.group.name if row.group else "whoever answers escalations"
        has = holder(review=row)
        if has is None:
            below = format_html('<span class="cs-below cs-warn">{}</span>', "nobody has taken it")
        else:
            below = format_html(
                '<span class="cs-below">{} {} it</span>', _told(has, viewer), _have(has, viewer)
            )
        return format_html(
            '{} <span class="material-symbols-outlined cs-arrow" aria-hidden="true">arrow_forward</span>'
            '<span class="cs-unseen"> waits on </span> <strong>{}</strong>{}',
            asked, group, below,
        )  # fmt: skip

    @label("question")
    def question(self, row: Escalation) -> str:
        return question_of(row) or "–"

    @label("next step")
    def acts(self, row: Escalation) -> str:
        open_it = format_html('<a class="cs-button cs-slim" href="{}">Open</a>', address(row.item))
        if not may_remind(review=row, by=row.viewer):  # type: ignore[attr-defined]
            return format_html('<span class="cs-acts">{}</span>', open_it)
        sent = ""
        if row.reminded_at is not None:
            at = timezone.localtime(row.reminded_at)
            sent = format_html(
                '<span class="cs-below">reminded {} {}</span>', f"{at.day} {at:%b}", f"{at:%H:%M}"
            )
        return format_html(
            '<span class="cs-acts">{}<button class="cs-button cs-slim" form="remind" formaction="{}" aria-label="{}">Remind</button></span>{}',
            open_it, reverse("admin:reviews_escalation_remind", args=[row.pk]), f"Remind: {row.item}", sent,
        )  # fmt: skip


def _told(person: Any, viewer: Any) -> str:
    return "You" if person.pk == viewer.pk else name_of(person)


def _have(person: Any, viewer: Any) -> str:
    return "have" if person.pk == viewer.pk else "has"
