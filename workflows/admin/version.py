"""The page of a version: edit it while nothing used it, see what it changed, try it, make it active, begin the next."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe
from pydantic import ValidationError as PydanticError

from workflows.access import Action, may, visible
from workflows.admin.base import OwnPages, label
from workflows.admin.filters import WorkflowFilter
from workflows.admin.running import run_on_each
from workflows.admin.try_page import try_told
from workflows.admin.version_forms import VersionEditor
from workflows.duties import MOST_REASON, may_activate, others_who_may_activate
from workflows.errors import NotPermitted, Refused
from workflows.evaluation.running import begin_evaluation
from workflows.models import Evaluation, Stage, Try, Version, Workflow
from workflows.storable import storable
from workflows.trying import MOST_CHARACTERS, begin_try, latest_try
from workflows.version_rows import (
    activate_version,
    change_version,
    copy_version,
    make_empty_version,
    may_change,
    problems_of,
)
from workflows.version_words import (
    changes_between,
    example_lines,
    field_lines,
    limit_lines,
    rule_lines,
)

EVALUATIONS_SHOWN = 5


@admin.register(Version)
class VersionAdmin(OwnPages):
    """Read-only once an item used it. A change is a new version."""

    hidden = ("profile",)
    change_action = Action.MANAGE
    add_action = Action.MANAGE
    list_display = ("__str__", "workflow", "author", "active_told", "used_told", "created_at")
    list_select_related = ("workflow", "author")
    list_filter = (WorkflowFilter,)
    actions = ("evaluate",)
    deferred = ("instructions", "examples", "profile")

    @label("active")
    def active_told(self, version: Version) -> str:
        return "Active" if version.workflow.version_id == version.pk else "–"

    @label("used since", order="used_at")
    def used_told(self, version: Version) -> Any:
        return version.used_at or "Not yet"

    def get_urls(self) -> list[URLPattern]:
        def own(route: str, view: Any, name: str) -> URLPattern:
            route = f"<path:object_id>/{route}"
            return path(route, self.admin_site.admin_view(view), name=f"workflows_version_{name}")

        return [
            own("copy/", require_POST(self.copy_view), "copy"),
            own("activate/", require_POST(self.activate_view), "activate"),
            own("evaluate/", require_POST(self.evaluate_view), "evaluate"),
            own("try/", require_POST(self.try_view), "try"),
            own("tries/<int:try_id>/", require_safe(self.try_result_view), "try_result"),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_change(version=obj))

    # One version

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:  # fmt: skip
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        version = self._version(request, object_id)
        may_edit = self.has_change_permission(request, version)
        if request.method != "POST":
            return self._page(request, version, editor=VersionEditor(version=version) if may_edit else None)
        if not may_edit:
            raise PermissionDenied
        editor = VersionEditor(version=version, data=request.POST)
        valid = editor.is_valid()
        if editor.is_stale():
            said = (
                "This version was changed while your tab was open, so nothing was saved. What you typed still stands below. "
                "Look at the stored one in another tab, then save again to put yours in its place."
            )
            editor.accept_stored()
            return self._page(request, version, editor=editor, said=said, status=409)
        if not valid or editor.part is None:
            said = (
                "Some of it cannot be saved yet. Nothing was changed, and what you typed still stands below."
            )
            return self._page(request, version, editor=editor, said=said, status=422)
        try:
            change_version(version=version, part=editor.part, by=request.user)
        except Refused as refused:
            return self._page(
                request, self._version(request, object_id), editor=None, said=str(refused), status=409
            )
        messages.success(request, f"Version {version.number} was saved.")
        return to_version(version)

    def _version(self, request: HttpRequest, object_id: str) -> Version:
        version: Version = self.get_object(request, object_id)
        return version

    def _page(
        self, request: HttpRequest, version: Version, *, editor: VersionEditor | None, said: str = "", status: int = 200,
        tried: str = "", reason: str = "",
    ) -> HttpResponse:  # fmt: skip
        workflow = version.workflow
        manages = may(request.user, Action.MANAGE, version)
        before = _compared_with(version)
        # Fields and rules are asked for by every part of the page.
        prefetch_related_objects([one for one in (version, before) if one], "fields", "rules")
        row = latest_try(version=version, by=request.user) if manages else None
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": version, "version": version,
            "title": f"{workflow.name}, version {version.number}", "workflow": workflow, "said": said, "editor": editor,
            "manages": manages, "is_active": workflow.version_id == version.pk, "before": before,
            "changes": changes_between(before=before, after=version), "problems": problems_of(version),
            "in_setup": workflow.stage == Stage.SETUP, "reason": reason, "tried": tried or (row.text if row else ""), "most": MOST_CHARACTERS,
            **_glass_told(version=version, by=request.user, asked=manages and workflow.version_id != version.pk),
            "try": try_told(row=row, version=version) if row else None, "read": _read(version),
            "evaluations": visible(request.user, Evaluation.objects.filter(version=version))[:EVALUATIONS_SHOWN],
            "case_count": workflow.cases.filter(active=True).count() if manages else 0,
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "workflows/version.html", context, status=status)

    def copy_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._managed(request, object_id)
        made = copy_version(version=version, by=request.user)
        messages.success(
            request,
            f"Version {made.number} was made. It says what version {version.number} says, until you change it.",
        )
        return to_version(made)

    def activate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._managed(request, object_id)
        reason = storable(request.POST.get("reason", ""))[: MOST_REASON + 1]
        try:
            workflow = activate_version(
                version=version, by=request.user, reason=reason, start_trial="start_trial" in request.POST
            )
        except Refused as refused:
            return self._after_refusal(request, version, refused, reason=reason)
        takes = (
            "New items are drafted with it from now on."
            if workflow.takes_work
            else f"The workflow takes no work yet: it is at the stage “{workflow.get_stage_display()}”."
        )
        messages.success(request, f"Version {version.number} is active. {takes}")
        return HttpResponseRedirect(reverse("admin:workflows_workflow_change", args=[workflow.pk]))

    def evaluate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._managed(request, object_id)
        try:
            row = begin_evaluation(version=version, by=request.user)
        except Refused as refused:
            return self._after_refusal(request, version, refused)
        return HttpResponseRedirect(reverse("admin:workflows_evaluation_change", args=[row.pk]))

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.MANAGE)

    @admin.action(description="Run an evaluation", permissions=["manage"])
    def evaluate(self, request: HttpRequest, queryset: QuerySet[Version]) -> None:
        run_on_each(
            request=request, rows=queryset, act=lambda row: begin_evaluation(version=row, by=request.user),
            done="given to be evaluated; “Evaluations” shows how far it is",
        )  # fmt: skip

    def try_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._managed(request, object_id)
        text = request.POST.get("text", "")
        try:
            begin_try(version=version, by=request.user, text=text)
        except Refused as refused:
            return self._after_refusal(request, version, refused, tried=text)
        return HttpResponseRedirect(f"{to_version(version).url}#try")

    def try_result_view(self, request: HttpRequest, object_id: str, try_id: int) -> HttpResponse:
        """What the page asks for every two seconds while a try runs."""
        version = self._managed(request, object_id)
        mine = visible(request.user, Try.objects.filter(version=version, by_id=request.user.pk))
        row = get_object_or_404(mine, pk=try_id)
        context = {"try": try_told(row=row, version=version), "version": version}
        return TemplateResponse(request, "workflows/_try_result.html", context)

    def _managed(self, request: HttpRequest, object_id: str) -> Version:
        version = self._version(request, object_id)
        if not may(request.user, Action.MANAGE, version):
            raise PermissionDenied
        return version

    def _after_refusal(
        self, request: HttpRequest, version: Version, refused: Refused, *, tried: str = "", reason: str = ""
    ) -> HttpResponse:
        editor = VersionEditor(version=version) if self.has_change_permission(request, version) else None
        status = 403 if isinstance(refused, NotPermitted) else 409
        return self._page(
            request, version, editor=editor, said=str(refused), status=status, tried=tried, reason=reason
        )

    # A new one

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Choose the workflow; the new version begins as its active one does."""
        if not self.has_add_permission(request):
            raise Http404
        workflows = visible(request.user, Workflow.objects.order_by("name"), Action.MANAGE)
        if request.method == "POST":
            chosen = request.POST.get("workflow", "")
            workflow = get_object_or_404(
                workflows, pk=chosen if chosen.isdecimal() and len(chosen) < 19 else 0
            )
            if workflow.version is None:
                return to_version(make_empty_version(workflow=workflow, by=request.user))
            return to_version(copy_version(version=workflow.version, by=request.user))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "New version", "workflows": workflows,
            "chosen": request.GET.get("workflow", ""),
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "workflows/new_version.html", context)


def _compared_with(version: Version) -> Version | None:
    """The one with the number before; for those who activate it, the words say what changes."""
    return version.workflow.versions.filter(number__lt=version.number).order_by("-number").first()


def _glass_told(*, version: Version, by: Any, asked: bool) -> dict[str, Any]:
    """Whether this person would break the glass, and who could do it without."""
    breaks = asked and not may_activate(version=version, workflow=version.workflow, by=by)
    others = others_who_may_activate(version=version, workflow=version.workflow) if breaks else []
    return {"breaks_glass": breaks, "others": others, "most_reason": MOST_REASON}


def _read(version: Version) -> dict[str, list[str]]:
    """For those who only look, or when it was used."""
    try:
        specs = version.specs()
    except PydanticError:
        return {}
    return {
        "Fields": [line for spec in specs for line in field_lines(spec)],
        "Rules": rule_lines(rules=version.rules.all(), specs=specs),
        "Examples": example_lines(version),
        "Model and limits": limit_lines(version),
    }


def to_version(version: Version) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:workflows_version_change", args=[version.pk]))
