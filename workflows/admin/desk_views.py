"""The permission desk beside the table: who can be named, why somebody sees or does not, grants that may go."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from workflows.access import Action, may, visible
from workflows.admin.people_field import found
from workflows.admin.workflow_form import people_around
from workflows.errors import InvalidInput, Refused
from workflows.models import Item, ViewAs, Workflow
from workflows.stale_grants import DAYS, stale_grants
from workflows.storable import storable
from workflows.viewing import MOST_MINUTES, SESSION_KEY, begin, refusal
from workflows.why import account_told, why

VIEWINGS_SHOWN = 20


class DeskViews:
    """Mixed into the admin of workflows, which brings `get_object` through the one door."""

    admin_site: Any
    get_object: Any

    def desk_urls(self) -> list[URLPattern]:
        def own(place: str, view: Any) -> URLPattern:
            name = f"workflows_workflow_{place.replace('-', '_')}"
            return path(f"<path:object_id>/{place}/", self.admin_site.admin_view(view), name=name)

        return [
            own("people", require_safe(self.people_view)),
            own("why", require_safe(self.why_view)),
            own("stale", require_safe(self.stale_view)),
            own("view-as", require_POST(self.view_as_view)),
        ]

    def _given_access(self, request: HttpRequest, object_id: str) -> Workflow:
        workflow: Workflow = self.get_object(request, object_id)
        if not may(request.user, Action.ACCESS, workflow):
            raise PermissionDenied
        return workflow

    def why_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._why_page(request, self._given_access(request, object_id))

    def _why_page(
        self, request: HttpRequest, workflow: Workflow, *, name: str = "", said: str = "", status: int = 200
    ) -> HttpResponse:
        name = name or storable(request.GET.get("person", "")).strip()[:150]
        person = get_user_model().objects.filter(username=name).first() if name else None
        if name and person is None:
            said = said or f"There is nobody with the user name “{name}”."
        context = {
            **self.admin_site.each_context(request), "opts": Workflow._meta, "title": f"{workflow.name}: why", "workflow": workflow,
            "name": name, "person": person, "said": said, "item": self._item(request, workflow),
            "answers": why(person=person, workflow=workflow) if person else [],
            "account": account_told(person) if person else [],
            "may_view_as": person is not None and not refusal(by=request.user, person=person, workflow=workflow),
            "minutes": MOST_MINUTES,
            "viewings": ViewAs.objects.filter(workflow=workflow).select_related("by", "person")[:VIEWINGS_SHOWN],
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "workflows/why.html", context, status=status)

    def _item(self, request: HttpRequest, workflow: Workflow) -> Item | None:
        """The one that was asked about, where the one who asks sees it: its workflow decides, so the answer is the same."""
        pk = request.GET.get("item", "")
        items = visible(request.user, Item.objects.filter(workflow=workflow)).only("title", "state")
        return items.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None

    def stale_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        workflow = self._given_access(request, object_id)
        typed = request.GET.get("days", "")
        days = min(int(typed), 3650) if typed.isdecimal() and len(typed) < 5 and int(typed) else DAYS
        context = {
            **self.admin_site.each_context(request), "opts": Workflow._meta, "title": f"{workflow.name}: grants that may go",
            "workflow": workflow, "days": days, "rows": stale_grants(workflow=workflow, days=days),
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "workflows/stale.html", context)

    def view_as_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        workflow = self._given_access(request, object_id)
        name = storable(request.POST.get("person", "")).strip()[:150]
        person = get_user_model().objects.filter(username=name).first()
        try:
            if person is None:
                raise InvalidInput(f"There is nobody with the user name “{name}”. Nothing was begun.")
            row = begin(by=request.user, person=person, workflow=workflow)
        except Refused as refused:
            return self._why_page(request, workflow, name=name, said=str(refused), status=422)
        request.session[SESSION_KEY] = row.pk
        return HttpResponseRedirect(reverse("admin:index"))

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
