"""The acts of a workflow's page that lead to live and away from it: POST alone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from workflows.access import Action, may
from workflows.briefs import look_through_access
from workflows.errors import Conflict, NotPermitted, Refused
from workflows.models import Stage, Workflow
from workflows.stages import set_stage

STATUS: tuple[tuple[type[Refused], int], ...] = ((NotPermitted, 403), (Conflict, 409), (Refused, 422))


class LaunchViews:
    """Mixed into the admin of workflows, which brings `get_object` through the one door and `_page`."""

    admin_site: Any
    get_object: Any
    _page: Any

    def launch_urls(self) -> list[URLPattern]:
        return [
            path(
                f"<path:object_id>/{place}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"workflows_workflow_{name}",
            )
            for place, name, view in (
                ("stage", "stage", self.stage_view),
                ("access-reviewed", "access_reviewed", self.access_reviewed_view),
            )
        ]

    def stage_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        workflow: Workflow = self.get_object(request, object_id)
        if not may(request.user, Action.MANAGE, workflow):
            raise PermissionDenied
        wanted, reason = request.POST.get("stage", ""), request.POST.get("reason", "")
        if request.POST.get("stage_before", workflow.stage) != workflow.stage:
            said = (
                f"The stage was changed to “{workflow.get_stage_display()}” while your tab was open. "
                "Nothing was changed by you: choose again."
            )
            return self._page(request, workflow, said=said, reason=reason, status=409)
        if wanted not in Stage.values:
            said = "There is no such stage. Nothing was changed: choose one of the buttons."
            return self._page(request, workflow, said=said, status=422)
        try:
            workflow = set_stage(
                workflow=workflow, stage=Stage(wanted), by=request.user, reason=reason, way="admin"
            )
        except Refused as refused:
            return self._page(request, workflow, said=str(refused), reason=reason, status=status_of(refused))
        messages.success(request, f"{workflow.name}: {workflow.get_stage_display().lower()}.")
        return to_page(workflow)

    def access_reviewed_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        workflow: Workflow = self.get_object(request, object_id)
        if not may(request.user, Action.ACCESS, workflow):
            raise PermissionDenied
        look_through_access(workflow=workflow, by=request.user)
        messages.success(request, "It is on record that you looked through who may do what.")
        return to_page(workflow, "#access")


def status_of(refused: Refused) -> int:
    return next(status for kind, status in STATUS if isinstance(refused, kind))


def to_page(workflow: Workflow, anchor: str = "") -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:workflows_workflow_change", args=[workflow.pk]) + anchor)
