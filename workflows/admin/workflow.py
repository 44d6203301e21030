"""The page of a workflow: its settings, its versions, where its results go, and who may do what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from workflows.access import Action, forget, grant, may, people_who_may
from workflows.admin.access_matrix import matrix_told, read_wanted
from workflows.admin.base import OwnPages
from workflows.admin.brief_page import BriefViews
from workflows.admin.budget import budget_view, money_told
from workflows.admin.desk_views import DeskViews
from workflows.admin.destination import leads_to
from workflows.admin.destination_form import kind_told
from workflows.admin.erasure import kept_told, workflow_hold_view
from workflows.admin.launching import LaunchViews, status_of
from workflows.admin.version import to_version
from workflows.admin.workflow_form import WorkflowForm, save_settings
from workflows.admin.worth_told import worth_told
from workflows.duties import broken_lately
from workflows.errors import Conflict, InvalidInput, NotPermitted, Refused
from workflows.models import TAKES_WORK, Stage, Workflow
from workflows.permission_matrix import look, save
from workflows.stages import reason_told
from workflows.version_rows import make_empty_version

VERSIONS_SHOWN = 10


@admin.register(Workflow)
class WorkflowAdmin(LaunchViews, DeskViews, BriefViews, OwnPages):
    change_action = Action.MANAGE
    list_display = ("name", "purpose", "stage", "owner", "version")
    list_select_related = ("owner", "version")
    list_filter = ("stage",)
    search_fields = ("name", "slug")
    search_help_text = "Name"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or self.has_add_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        # The one model permission that counts: there is no workflow yet on which to hold another.
        return bool(request.user.has_perm("workflows.add_workflow"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.access_view))
        return [
            path("<path:object_id>/access/", view, name="workflows_workflow_access"),
            path("<path:object_id>/budget/", self.admin_site.admin_view(self.budget_view), name="workflows_workflow_budget"),
            path("<path:object_id>/hold/", self.admin_site.admin_view(require_POST(self.hold_view)), name="workflows_workflow_hold"),
            *self.launch_urls(),
            *self.desk_urls(),
            *self.brief_urls(),
            *super().get_urls(),
        ]  # fmt: skip

    def budget_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return budget_view(request=request, workflow=self.get_object(request, object_id), screen=self)

    def hold_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        workflow: Workflow = self.get_object(request, object_id)
        if not may(request.user, Action.MANAGE, workflow):
            raise PermissionDenied
        try:
            workflow_hold_view(request=request, workflow=workflow)
        except Refused as refused:
            return self._page(request, workflow, said=str(refused), status=status_of(refused))
        return HttpResponseRedirect(f"{to_workflow(workflow).url}#kept")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:  # fmt: skip
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        workflow: Workflow = self.get_object(request, object_id)
        if request.method != "POST":
            return self._page(request, workflow)
        if not self.has_change_permission(request, workflow):
            raise PermissionDenied
        form = WorkflowForm(request.POST, instance=workflow, by=request.user)
        if not form.is_valid():
            # The page shows what is stored; the form alone shows what was typed.
            return self._page(request, self.get_object(request, object_id), form=form, status=422)
        try:
            save_settings(form=form, by=request.user)
        except InvalidInput as refused:
            form.add_error("owner", str(refused))
            return self._page(request, self.get_object(request, object_id), form=form, status=422)
        messages.success(request, f"{workflow.name} was saved.")
        return to_workflow(workflow)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise Http404
        form = WorkflowForm(request.POST or None, by=request.user)
        if request.method == "POST" and form.is_valid():
            with transaction.atomic():
                workflow: Workflow = form.save()
                # Whoever makes it manages it, and decides who else does anything.
                for action in (Action.VIEW, Action.MANAGE, Action.ACCESS):
                    grant(action=action, workflow=workflow, to=request.user, by=request.user)  # type: ignore[arg-type]
                forget(request.user)
                version = make_empty_version(workflow=workflow, by=request.user)
            messages.success(
                request, f"{workflow.name} was made. Next: say what version 1 asks for, then make it active."
            )
            return to_version(version)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "New workflow", "form": form,
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, "workflows/new_workflow.html", context, status=422 if form.errors else 200
        )

    def access_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """`look`: what the ticks would do, in words. `add`: one more row. `save`: what was read is done."""
        workflow: Workflow = self.get_object(request, object_id)
        if not may(request.user, Action.ACCESS, workflow):
            raise PermissionDenied
        user: Any = request.user
        wanted, problems = read_wanted(typed=request.POST, workflow=workflow)
        verb = request.POST.get("verb", "look")
        if verb == "save" and not problems:
            try:
                effect = save(workflow=workflow, wanted=wanted, by=user, seal=request.POST.get("seal", ""))
            except Refused as refused:
                status = (
                    403
                    if isinstance(refused, NotPermitted)
                    else 409
                    if isinstance(refused, Conflict)
                    else 422
                )
                problems, verb = [str(refused)], "look"
                return self._page(request, workflow, wanted=wanted, problems=problems, status=status)
            messages.success(request, " ".join(["Saved.", *effect.sentences]))
            if not may(user, Action.VIEW, workflow):
                return HttpResponseRedirect(reverse("admin:workflows_workflow_changelist"))
            return HttpResponseRedirect(f"{to_workflow(workflow).url}#access")
        if request.headers.get("HX-Request"):
            context = {
                "workflow": workflow,
                "effect": look(workflow=workflow, wanted=wanted, by=user),
                "problems": problems,
            }
            return TemplateResponse(request, "workflows/_access_effect.html", context)
        return self._page(
            request, workflow, wanted=wanted, problems=problems, status=422 if problems else 200
        )

    def _page(
        self, request: HttpRequest, workflow: Workflow, *, form: WorkflowForm | None = None, wanted: Any = None,
        problems: list[str] | None = None, said: str = "", reason: str = "", status: int = 200,
    ) -> HttpResponse:  # fmt: skip
        user: Any = request.user
        manages, gives_access = may(user, Action.MANAGE, workflow), may(user, Action.ACCESS, workflow)
        if manages and form is None:
            form = WorkflowForm(instance=workflow, by=user)
        matrix = None
        if gives_access:
            effect = look(workflow=workflow, wanted=wanted, by=user) if wanted is not None else None
            matrix = matrix_told(
                workflow=workflow, wanted=wanted, effect=effect, who=request.GET.get("who", "")
            )
        context = {
            **self.admin_site.each_context(request), **worth_told(workflow=workflow, user=user),
            "opts": self.opts, "original": workflow, "workflow": workflow, "said": said, "reason": reason,
            "title": workflow.name, "form": form if manages else None, "manages": manages, "matrix": matrix,
            "money": money_told(workflow=workflow, user=user), "problems": problems or [],
            "broken_glass": broken_lately(workflow=workflow), "stage_reason": reason_told(workflow),
            "keeping": kept_told(workflow=workflow, user=user), "missing": _missing(workflow), "takes_work": workflow.takes_work,
            "versions": workflow.versions.select_related("author").order_by("-number")[:VERSIONS_SHOWN],
            "destinations": [
                {"row": one, "kind": kind_told(one.kind), "leads_to": leads_to(one)} for one in workflow.destinations.all()
            ],
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "workflows/workflow.html", context, status=status)


def _missing(workflow: Workflow) -> list[str]:
    """What keeps it from working, each with what to do. What it needs before it goes live is the gate's."""
    missing = []
    if workflow.version_id is None:
        missing.append("It has no active version. Open a version below and make it active.")
    if workflow.stage not in TAKES_WORK:
        todo = (
            "Begin the trial: results then go to the register alone."
            if workflow.stage == Stage.SETUP
            else "Choose another stage above."
        )
        missing.append(f"It takes no work at the stage “{workflow.get_stage_display()}”. {todo}")
    for action, who in ((Action.REVIEW, "can review"), (Action.HANDLE_ESCALATION, "can take escalations")):
        if not people_who_may(action=action, workflow=workflow).exists():
            missing.append(f"Nobody {who}. Give a group the permission under “Who may do what”.")
    if not people_who_may(action=Action.SUBMIT, workflow=workflow).exists():
        missing.append("Nobody can submit items. Give a group the permission under “Who may do what”.")
    return missing


def to_workflow(workflow: Workflow) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:workflows_workflow_change", args=[workflow.pk]))
