"""Evaluations: the list, the progress of one that runs, what it came to, and two of them side by side."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from workflows.access import Action, may, visible
from workflows.admin.base import OwnPages, label
from workflows.admin.evaluation_told import comparison_told, evaluation_told, percent
from workflows.admin.filters import WorkflowFilter
from workflows.admin.telling import chip
from workflows.errors import Refused
from workflows.evaluation.comparing import compare
from workflows.evaluation.running import stop_evaluation
from workflows.models import Evaluation

OTHERS_OFFERED = 20


class VersionsWorkflowFilter(WorkflowFilter):
    path = "version__workflow"


@admin.register(Evaluation)
class EvaluationAdmin(OwnPages):
    list_display = (
        "number_told",
        "workflow_told",
        "version",
        "state_told",
        "fields_told",
        "reused_told",
        "model",
        "by",
        "asked_at",
    )
    list_display_links = ("number_told",)
    list_select_related = ("version__workflow", "by")
    list_filter = (VersionsWorkflowFilter,)
    empty_title = "No evaluation yet."
    empty_text = (
        "Import cases, then open a version and choose “Run evaluation”: it says how many fields are right."
    )
    deferred = ("version__instructions", "version__examples", "version__profile")

    @label("evaluation", order="pk")
    def number_told(self, row: Evaluation) -> str:
        return f"Evaluation {row.pk}"

    @label("workflow")
    def workflow_told(self, row: Evaluation) -> str:
        return row.version.workflow.name

    @label("state")
    def state_told(self, row: Evaluation) -> str:
        if row.ended_at is None:
            return chip(text=f"{row.done} of {row.total} cases", tone="info", icon="hourglass_top")
        if row.said:
            return chip(text=f"Ended early, {row.done} of {row.total}", tone="warn", icon="warning")
        return chip(text=f"{row.total} {'case' if row.total == 1 else 'cases'}", tone="good", icon="check")

    @label("fields right")
    def fields_told(self, row: Evaluation) -> str:
        return f"{row.right} of {row.due}, {percent(row.right / row.due)}" if row.due else "–"

    @label("from stored runs", order="reused")
    def reused_told(self, row: Evaluation) -> str:
        return f"{row.reused} of {row.done}" if row.done else "–"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.progress_view))
        stop = self.admin_site.admin_view(require_POST(self.stop_view))
        return [
            path("<path:object_id>/stop/", stop, name="workflows_evaluation_stop"),
            path("<path:object_id>/progress/", view, name="workflows_evaluation_progress"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:  # fmt: skip
        row: Evaluation = self.get_object(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        others = self._others(request, row)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": row, "evaluation": row,
            "title": _title(row), "workflow": row.version.workflow, "is_fullwidth": "1",
            "stops": row.ended_at is None and may(request.user, Action.MANAGE, row), "others": others.order_by("-pk")[:OTHERS_OFFERED],
        }  # fmt: skip
        request.current_app = self.admin_site.name
        if "with" in request.GET:
            chosen = request.GET["with"]
            if not chosen.isdecimal() or len(chosen) > 18:
                raise Http404
            first = get_object_or_404(others, pk=chosen)
            context |= {
                "told": comparison_told(told=compare(first=first, second=row), request=request),
                "first": first,
            }
            return TemplateResponse(request, "workflows/evaluation_compare.html", context)
        context["told"] = evaluation_told(row=row, request=request)
        return TemplateResponse(request, "workflows/evaluation.html", context)

    def stop_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: Evaluation = self.get_object(request, object_id)
        if not may(request.user, Action.MANAGE, row):
            raise PermissionDenied
        try:
            stopped = stop_evaluation(evaluation=row, by=request.user)
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(
                request, f"Evaluation {row.pk} was stopped. {stopped.done} of {stopped.total} cases are kept."
            )
        return HttpResponseRedirect(reverse("admin:workflows_evaluation_change", args=[row.pk]))

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the page asks for every two seconds while it runs; at the end the page is loaded again."""
        row: Evaluation = self.get_object(request, object_id)
        answer = TemplateResponse(request, "workflows/_evaluation_progress.html", {"evaluation": row})
        if row.ended_at is not None:
            answer["HX-Refresh"] = "true"
        return answer

    def _others(self, request: HttpRequest, row: Evaluation) -> QuerySet[Evaluation]:
        same = Evaluation.objects.filter(version__workflow=row.version.workflow_id).exclude(ended_at=None)
        return visible(request.user, same.exclude(pk=row.pk).select_related("version__workflow"))


def _title(row: Evaluation) -> str:
    return f"Evaluation {row.pk}: {row.version.workflow.name}, version {row.version.number}"
