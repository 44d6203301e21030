"""The permission desk beside the table: who can be named, why somebody sees or does not, grants that may go."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from workflows.access import Action, may
from workflows.admin.people_field import found
from workflows.admin.workflow_form import people_around
from workflows.models import Workflow


class DeskViews:
    """Mixed into the admin of workflows, which brings `get_object` through the one door."""

    admin_site: Any
    get_object: Any

    def desk_urls(self) -> list[URLPattern]:
        def own(place: str, view: Any) -> URLPattern:
            name = f"workflows_workflow_{place.replace('-', '_')}"
            return path(f"<path:object_id>/{place}/", self.admin_site.admin_view(view), name=name)

        return [own("people", require_safe(self.people_view))]

    def people_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Whoever gives access finds every active person; who manages finds those that have to do with it."""
        workflow: Workflow = self.get_object(request, object_id)
        if request.GET.get("for") in ("owner", "deputy"):
            if not may(request.user, Action.MANAGE, workflow):
                raise PermissionDenied
            people = people_around(workflow=workflow, by=request.user)
        else:
            if not may(request.user, Action.ACCESS, workflow):
                raise PermissionDenied
            people = get_user_model().objects.filter(is_active=True)
        return JsonResponse({"people": found(people=people, term=request.GET.get("q", ""))})
