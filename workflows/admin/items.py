"""Items: the list, the page of one, submitting and deciding."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe
from unfold.forms import ActionForm

from workflows import decisions, handoff, intake
from workflows.access import Action, may, visible
from workflows.admin.base import ScopedAdmin, label
from workflows.admin.filters import WorkflowFilter
from workflows.admin.item_page import item_page
from workflows.admin.running import run_on_each
from workflows.admin.submit_form import SubmitForm
from workflows.admin.telling import due, reason_chips, state_chip
from workflows.admin.typed_values import read_typed
from workflows.errors import Conflict, InvalidInput, NotPermitted, Refused
from workflows.models import Decision, Delivery, Item, Source
from workflows.routing import show_signal
from workflows.states import FOR_A_PERSON
from workflows.transitions import InvalidTransition

DONE = {
    "approve": "Approved.", "edit": "Approved with edits.", "reject": "Rejected.", "escalate": "Escalated.",
    "back": "Sent back; it is drafted again with your note.", "again": "It is tried again.", "close": "Closed without review.",
    "complete": "Completed by hand and approved.",
}  # fmt: skip


TYPED = ("approve", "edit", "complete")  # verbs that take what stands in the fields
REASONS_IN_LIST = 3


class ItemActionForm(ActionForm):
    reason = forms.CharField(
        label="",
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": "Reason", "aria-label": "Reason"}),
    )


@admin.register(Item)
class ItemAdmin(ScopedAdmin):
    add_action = Action.SUBMIT
    list_display = ("title", "state_told", "workflow", "why", "signal_told", "due_told")
    list_select_related = ("workflow",)
    list_filter = (WorkflowFilter, "state")
    search_fields = ("title", "external_id")
    deferred = ("values", "metadata", "note")
    list_fullwidth = True
    action_form = ItemActionForm
    actions = ("approve_items", "reject_items", "escalate_items", "send_back_items", "try_again_items")

    # The list

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
            revision=_number(sent),
        )

    # One item

    def get_urls(self) -> list[URLPattern]:
        def own(route: str, view: Any, name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"workflows_item_{name}")

        return [
            own("<path:object_id>/decide/", require_POST(self.decide_view), "decide"),
            own(
                "<path:object_id>/deliveries/<int:delivery_id>/", require_POST(self.delivery_view), "delivery"
            ),
            own("<path:object_id>/sources/<int:source_id>/", require_safe(self.source_view), "source"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self._page(request, self.get_object(request, object_id))

    def _page(
        self, request: HttpRequest, item: Item, *, typed: QueryDict | None = None, problems: dict[str, str] | None = None,
        said: str = "", status: int = 200,
    ) -> HttpResponse:  # fmt: skip
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": item.title, "original": item,
            **item_page(item=item, user=request.user, typed=typed, problems=problems), "said": said,
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "workflows/item.html", context, status=status)

    def decide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item: Item = self.get_object(request, object_id)
        verb, typed = request.POST.get("verb", ""), request.POST
        if verb not in DONE:
            return self._page(
                request,
                item,
                typed=typed,
                said="This is not a decision there is. Nothing was changed.",
                status=422,
            )
        try:
            # What stands in the fields is what is approved: an edit is never dropped because of the button.
            values = _typed_values(item=item, typed=typed) if verb in TYPED else None
            revision = _number(typed.get("revision", ""))
            if revision is None:
                raise Conflict(
                    "It is not known which state of the item you saw. Nothing of yours was sent. Look again and decide."
                )
            decision = decide(
                item=item,
                by=request.user,
                verb=verb,
                values=values,
                reason=typed.get("reason", ""),
                revision=revision,
            )
        except InvalidInput as refused:
            return self._page(
                request, item, typed=typed, problems=refused.problems, said=str(refused), status=422
            )
        except NotPermitted as refused:
            return self._page(request, item, typed=typed, said=str(refused), status=403)
        except (Refused, InvalidTransition) as refused:
            # What was typed stays on the page, beside the item as it is now.
            fresh = self.get_object(request, object_id)
            return self._page(
                request, fresh, typed=typed, said=f"{refused} What you typed still stands below.", status=409
            )
        edited = verb == "approve" and decision is not None and decision.kind == Decision.Kind.EDIT
        said = DONE["edit" if edited else verb]
        messages.success(request, f"{item.title}: {said}")
        return _to_item(item)

    def delivery_view(self, request: HttpRequest, object_id: str, delivery_id: int) -> HttpResponse:
        item: Item = self.get_object(request, object_id)
        delivery = get_object_or_404(
            visible(request.user, Delivery.objects.filter(item=item)), pk=delivery_id
        )
        reason = request.POST.get("reason", "").strip()
        try:
            match request.POST.get("verb"):
                case "send again":
                    handoff.resend(delivery=delivery, by=request.user)
                    messages.success(request, "It is sent again.")
                case "arrived" if reason:
                    handoff.mark_arrived(delivery=delivery, by=request.user, why=reason)
                    messages.success(request, "Marked as arrived.")
                case "arrived":
                    messages.error(
                        request, "Say how you know that it arrived, in a few words. Nothing was changed."
                    )
                case _:
                    messages.error(request, "There is no such act. Nothing was changed.")
        except (Refused, InvalidTransition) as refused:
            messages.error(request, str(refused))
        return _to_item(item)

    def source_view(self, request: HttpRequest, object_id: str, source_id: int) -> FileResponse:
        """Always as an attachment: what a stranger sent is never opened in our pages."""
        item: Item = self.get_object(request, object_id)
        source = get_object_or_404(visible(request.user, Source.objects.filter(item=item)), pk=source_id)
        try:
            file = source.file.open("rb")
        except FileNotFoundError:
            raise Http404 from None
        answer = FileResponse(
            file,
            as_attachment=True,
            filename=source.name or "text.txt",
            content_type="application/octet-stream",
        )
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return answer

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
                return _to_item(submitted.item)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Submit work",
            "form": form,
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "workflows/submit.html", context, status=status)


def decide(
    *,
    item: Item,
    by: Any,
    verb: str,
    reason: str,
    values: dict[str, Any] | None = None,
    revision: int | None = None,
) -> Decision | None:
    """One of the verbs in `DONE`; trying again decides nothing. Raises what `workflows.decisions` raises."""
    match verb:
        case "approve" | "edit":
            return decisions.approve(item=item, by=by, values=values, reason=reason, revision=revision)
        case "complete":
            return decisions.complete(item=item, by=by, values=values or {}, reason=reason, revision=revision)
        case "reject":
            return decisions.reject(item=item, by=by, reason=reason, revision=revision)
        case "escalate":
            return decisions.escalate(item=item, by=by, reason=reason, revision=revision)
        case "back":
            return decisions.send_back(item=item, by=by, note=reason, revision=revision)
        case "close":
            return decisions.close(item=item, by=by, reason=reason, revision=revision)
    decisions.try_again(item=item, by=by, revision=revision)
    return None


def _typed_values(*, item: Item, typed: QueryDict) -> dict[str, Any]:
    version = item.version or item.workflow.version
    values, problems = read_typed(fields=version.specs() if version else (), typed=typed)
    if problems:
        raise InvalidInput(
            "Some values cannot be read. Nothing was changed, and what you typed still stands below.",
            problems=problems,
        )
    return values


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _to_item(item: Item) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:workflows_item_change", args=[item.pk]))
