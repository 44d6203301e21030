"""Where results go: the list, the form, and the test that is really sent."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from integrations.connectors.base import connector, parse_config
from workflows.access import Action, may, visible
from workflows.admin.base import OwnPages, label
from workflows.admin.destination_form import DestinationForm, kind_told
from workflows.admin.filters import WorkflowFilter
from workflows.destination_test import send_test
from workflows.errors import Refused
from workflows.models import Destination, Workflow
from workflows.outbox import REGISTER


@admin.register(Destination)
class DestinationAdmin(OwnPages):
    hidden = ("config",)
    change_action = Action.MANAGE
    add_action = Action.MANAGE
    list_display = ("name", "kind_told", "workflow", "leads_to", "active")
    list_select_related = ("workflow",)
    list_filter = (WorkflowFilter, "active")

    @label("kind", order="kind")
    def kind_told(self, destination: Destination) -> str:
        return kind_told(destination.kind)

    @label("leads to")
    def leads_to(self, destination: Destination) -> str:
        return leads_to(destination)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.test_view))
        return [path("<path:object_id>/test/", view, name="workflows_destination_test"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:  # fmt: skip
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        destination: Destination = self.get_object(request, object_id)
        manages = self.has_change_permission(request, destination)
        if request.method == "POST" and not manages:
            raise PermissionDenied
        # The address of a webhook may be a secret in itself: only those who manage it read its settings.
        form = DestinationForm(request.POST or None, instance=destination) if manages else None
        return self._form_page(request, destination=destination, form=form)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise Http404
        form = DestinationForm(
            request.POST or None, initial={"workflow": request.GET.get("workflow"), "active": True}
        )
        choice: Any = form.fields["workflow"]
        choice.queryset = visible(request.user, Workflow.objects.order_by("name"), Action.MANAGE)
        choice.empty_label = "Choose a workflow"
        return self._form_page(request, destination=None, form=form)

    def _form_page(
        self, request: HttpRequest, *, destination: Destination | None, form: DestinationForm | None
    ) -> HttpResponse:
        if form is not None and form.is_bound and form.is_valid():
            saved: Destination = form.save()
            messages.success(request, f"{saved.name} was saved. Send a test to see whether it arrives.")
            return HttpResponseRedirect(reverse("admin:workflows_destination_change", args=[saved.pk]))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": destination, "form": form,
            "title": destination.name if destination else "New destination", "destination": destination,
            "kind": kind_told(destination.kind) if destination else "", "leads_to": leads_to(destination) if destination else "",
        }  # fmt: skip
        request.current_app = self.admin_site.name
        status = 422 if form is not None and form.errors else 200
        return TemplateResponse(request, "workflows/destination.html", context, status=status)

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        destination: Destination = self.get_object(request, object_id)
        if not may(request.user, Action.MANAGE, destination):
            raise PermissionDenied
        try:
            tested = send_test(destination=destination, by=request.user)
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            (messages.success if tested.arrived else messages.error)(request, tested.said)
        if "from_workflow" in request.POST:
            back = reverse("admin:workflows_workflow_change", args=[destination.workflow_id])
            return HttpResponseRedirect(f"{back}#destinations")
        return HttpResponseRedirect(reverse("admin:workflows_destination_change", args=[destination.pk]))


def leads_to(destination: Destination) -> str:
    """Free of secrets."""
    if destination.kind == REGISTER:
        return "The register, here"
    try:
        config = parse_config(kind=destination.kind, config=destination.config)
    except (ValueError, LookupError):
        return "Its settings cannot be read. Ask whoever manages the workflow."
    return connector(destination.kind).describe(config)
