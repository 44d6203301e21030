"""Items: the list, the page of one, submitting and deciding."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from unfold.forms import ActionForm

from reviews.admin.deciding import decide, number_of
from reviews.admin.item_acts import to_item
from reviews.admin.item_views import ItemPages
from reviews.admin.report_filter import FromReport, told
from reviews.admin.submit_form import SubmitForm
from workflows import intake
from workflows.access import Action, may
from workflows.admin.base import label
from workflows.admin.filters import WorkflowFilter
from workflows.admin.running import run_on_each
from workflows.admin.telling import due, reason_chips, state_chip
from workflows.errors import Refused
from workflows.models import Item
from workflows.routing import show_signal
from workflows.states import FOR_A_PERSON

REASONS_IN_LIST = 3


class ItemActionForm(ActionForm):
    reason = forms.CharField(
        label="",
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": "Reason", "aria-label": "Reason"}),
    )


@admin.register(Item)
class ItemAdmin(ItemPages):
    add_action = Action.SUBMIT
    list_display = ("title", "state_told", "workflow", "why", "signal_told", "due_told")
    list_select_related = ("workflow",)
    list_filter = (WorkflowFilter, "state", FromReport)
    list_before_template = "reviews/items_top.html"
    search_fields = ("title", "external_id")
    search_help_text = "Title or reference"
    deferred = ("values", "metadata", "note")
    list_fullwidth = True
    action_form = ItemActionForm
    actions = ("approve_items", "reject_items", "escalate_items", "send_back_items", "try_again_items")

    # The list

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        from_report = told(sent=request.GET, user=request.user)
        return super().changelist_view(request, {"from_report": from_report, **(extra_context or {})})

    @label("state", order="state")
    def state_told(self, item: Item) -> str:
        # The revision goes along with the list's form: what changed since the list was drawn is not decided unseen.
        return format_html(
            '{}<input type="hidden" name="revision-{}" value="{}">',
            state_chip(item.state),
            item.pk,
            item.revision,
        )

    @label("why it is here")
    def why(self, item: Item) -> str:
        if item.problem:
            return str(item.problem.get("happened", ""))
        return reason_chips((item.route or {}).get("reasons", []), most=REASONS_IN_LIST)

    @label("signal", order="signal")
    def signal_told(self, item: Item) -> str:
        return "–" if item.signal is None else show_signal(item.signal)

    @label("due", order="due_at")
    def due_told(self, item: Item) -> str:
        if item.due_at is None or item.state not in FOR_A_PERSON:
            return "–"
        told = due(item.due_at)
        tone = f" cs-{told.tone}" if told.tone else ""
        return format_html('<span class="cs-due{}">{}<small>{}</small></span>', tone, told.text, told.at)

    # Many at once

    def has_review_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.REVIEW) or may(request.user, Action.HANDLE_ESCALATION)

    @admin.action(description="Approve selected", permissions=["review"])
    def approve_items(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        run_on_each(
            request=request,
            rows=queryset,
            done="approved",
            act=lambda item: self._decide(request, item, "approve"),
        )

    @admin.action(description="Reject selected", permissions=["review"])
    def reject_items(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        run_on_each(
            request=request,
            rows=queryset,
            done="rejected",
            act=lambda item: self._decide(request, item, "reject"),
        )

    @admin.action(description="Escalate selected", permissions=["review"])
    def escalate_items(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        run_on_each(
            request=request,
            rows=queryset,
            done="escalated",
            act=lambda item: self._decide(request, item, "escalate"),
        )

    @admin.action(description="Send selected back", permissions=["review"])
    def send_back_items(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        run_on_each(
            request=request,
            rows=queryset,
            done="sent back",
            act=lambda item: self._decide(request, item, "back"),
        )

    @admin.action(description="Try selected again", permissions=["review"])
    def try_again_items(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        run_on_each(
            request=request,
            rows=queryset,
            done="given back to the worker",
            act=lambda item: self._decide(request, item, "again"),
        )

    def _decide(self, request: HttpRequest, item: Item, verb: str) -> None:
        sent = request.POST.get(f"revision-{item.pk}", "")
        decide(
            item=item,
            by=request.user,
            verb=verb,
            reason=request.POST.get("reason", ""),
            revision=number_of(sent),
        )

    # Submitting

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise Http404
        form = SubmitForm(request.POST or None, request.FILES or None, user=request.user)
        if request.method == "POST" and form.is_valid():
            try:
                submitted = intake.submit(by=request.user, channel="admin", **form.payload())
            except Refused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"{submitted.item.title}: submitted.")
                return to_item(submitted.item)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Submit work",
            "form": form,
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "reviews/submit.html", context, status=status)
