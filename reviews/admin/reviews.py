"""The review list: what this person may decide, most urgent first."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import RangeNumericFilter

from reviews.admin.item_acts import to_item
from reviews.admin.list_filters import (
    ClaimFilter,
    DueFilter,
    ReasonFilter,
    RiskFilter,
    ShownTab,
    WorkflowDropdown,
)
from reviews.admin.worklists import LARGE, WorkList, told_due, told_item
from reviews.claims import claim_next, holder, name_of, to_decide
from reviews.models import Review
from workflows.access import Action, may
from workflows.admin.base import ScopedAdmin, label
from workflows.admin.telling import reason_chips

REASONS_IN_LIST = 3
RISKS = {
    Review.Risk.HIGH: ("keyboard_double_arrow_up", "bad"),
    Review.Risk.MEDIUM: ("drag_handle", ""),
    Review.Risk.LOW: ("keyboard_arrow_down", ""),
}


@admin.register(Review)
class ReviewAdmin(WorkList):
    heading = "Review list"
    list_only = False
    list_display = ("due_told", "item_told", "why", "risk_told", "amount_told", "claimed_told")
    list_select_related = ("item", "workflow", "claimed_by")
    list_filter = (
        ShownTab, WorkflowDropdown, ReasonFilter, RiskFilter, DueFilter, ("amount", RangeNumericFilter), ClaimFilter,
    )  # fmt: skip
    list_before_template = "reviews/list_top.html"
    list_after_template = "reviews/list_end.html"
    # Titles and references alone: a search through values or sources would read every one of them.
    search_fields = ("item__title", "item__external_id")
    search_help_text = "Title or reference"
    deferred = LARGE
    empty_title = "Nothing to review"
    empty_text = "Every item you may review is decided. New ones appear here by themselves."
    fields = (
        "item_told", "workflow", "kind", "state", "group", "reason", "asked_by", "opened_at", "due_at", "closed_at", "decision",
    )  # fmt: skip
    readonly_fields = ("item_told",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.next_view))
        return [path("next/", view, name="reviews_review_next"), *ScopedAdmin.get_urls(self)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        if not self.is_list(request):
            return super().get_queryset(request)
        rows = to_decide(user=request.user)
        now = timezone.now()
        match request.GET.get("show"):
            case "late":
                return rows.filter(due_at__lt=now)
            case "high":
                return rows.filter(risk=Review.Risk.HIGH)
            case "claimed":
                return rows.filter(claimed_by=request.user.pk, claimed_until__gte=now)
        return rows

    def next_view(self, request: HttpRequest) -> HttpResponse:
        """Claim the most urgent item that nobody else has, and go there."""
        if not may(request.user, Action.REVIEW):
            raise Http404
        claimed = claim_next(user=request.user)
        if claimed is not None:
            return to_item(claimed.item)
        messages.info(request, "Nothing is free to review: every item is decided or claimed by a colleague.")
        return HttpResponseRedirect(reverse("admin:reviews_review_changelist"))

    @label("due", order="due_at")
    def due_told(self, review: Review) -> str:
        return told_due(review.due_at) if review.state == Review.State.OPEN else "–"

    @label("item", order="item__title")
    def item_told(self, review: Review) -> str:
        below = [review.workflow.name, review.item.external_id]
        return told_item(review.item, below=" · ".join(part for part in below if part))

    @label("why it is here")
    def why(self, review: Review) -> str:
        reasons = (review.item.route or {}).get("reasons", [])
        return reason_chips(reasons, most=REASONS_IN_LIST) if reasons else review.reason

    @label("risk", order="risk")
    def risk_told(self, review: Review) -> str:
        risk = Review.Risk(review.risk)
        icon, tone = RISKS[risk]
        return format_html(
            '<span class="cs-risk{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
            f" cs-risk-{tone}" if tone else "", icon, risk.label,
        )  # fmt: skip

    @label("amount", order="amount")
    def amount_told(self, review: Review) -> str:
        return "–" if review.amount is None else f"{review.amount:,.2f} {review.currency}".strip()

    @label("claimed by")
    def claimed_told(self, review: Review) -> str:
        has = holder(review=review)
        if has is None or review.claimed_until is None:
            return format_html('<span class="cs-nobody">{}</span>', "Nobody")
        mine = has.pk == review.viewer.pk  # type: ignore[attr-defined]
        return format_html(
            '<span class="cs-holder"><span class="material-symbols-outlined" aria-hidden="true">{}</span>'
            "<span>{}<small>until {}</small></span></span>",
            "person" if mine else "lock_person", "You" if mine else name_of(has),
            f"{timezone.localtime(review.claimed_until):%H:%M}",
        )  # fmt: skip
