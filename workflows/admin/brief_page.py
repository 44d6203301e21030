"""The page of a brief: is it worth it, in the owner's words and figures; actuals of the metric; what a look back found."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from workflows.access import Action, may, visible
from workflows.admin.brief_form import ActualForm, BriefForm, FollowUpForm, timed_of, timed_rows
from workflows.admin.launching import status_of, to_page
from workflows.briefs import (
    COLUMNS,
    brief_of,
    follow_up_due,
    record_actual,
    record_follow_up,
    write_brief,
)
from workflows.errors import Refused
from workflows.gate import currency_told
from workflows.measuring import ACTUAL_DAYS, Actual, actual_of, measured_of
from workflows.models import Brief, FollowUp, MetricActual, Workflow
from workflows.storable import storable
from workflows.worth import so_what

MOST_ACTUALS = 60
MOST_FOLLOW_UPS = 20


class BriefViews:
    """Mixed into the admin of workflows, which brings `get_object` through the one door."""

    admin_site: Any
    get_object: Any
    opts: Any

    def brief_urls(self) -> list[URLPattern]:
        guard = self.admin_site.admin_view
        return [
            path("<path:object_id>/brief/", guard(self.brief_view), name="workflows_workflow_brief"),
            path(
                "<path:object_id>/brief/actual/", guard(require_POST(self.actual_view)),
                name="workflows_workflow_actual",
            ),
            path(
                "<path:object_id>/brief/follow-up/", guard(require_POST(self.follow_up_view)),
                name="workflows_workflow_follow_up",
            ),
        ]  # fmt: skip

    def brief_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        workflow = self._managed(request, object_id)
        if request.method != "POST":
            return self._brief_page(request, workflow)
        brief = brief_of(workflow=workflow)
        form, rows = self._form(request, workflow, brief=brief), timed_rows(brief=brief, sent=request.POST)
        # Both are asked, so that everything that is wrong is told at once.
        if not all([form.is_valid(), rows.is_valid()]):
            return self._brief_page(request, workflow, form=form, rows=rows, status=422)
        columns = {name: _kept(form.cleaned_data[name]) for name in COLUMNS if name != "timed"}
        changed = write_brief(
            workflow=workflow, columns={**columns, "timed": timed_of(rows)}, by=request.user, why="Changed"
        )
        messages.success(request, "The brief was saved." if changed else "Nothing was changed.")
        return self._to_brief(workflow)

    def actual_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        workflow = self._managed(request, object_id)
        form = ActualForm(request.POST)
        if not form.is_valid():
            return self._brief_page(request, workflow, actual=form, status=422)
        try:
            row = record_actual(workflow=workflow, by=request.user, **form.cleaned_data)
        except Refused as refused:
            _place(form, refused)
            return self._brief_page(request, workflow, actual=form, status=status_of(refused))
        messages.success(request, f"{row.value.normalize():f} was entered for {row.day:%d.%m.%Y}.")
        return self._to_brief(workflow, "#actuals")

    def follow_up_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        workflow = self._managed(request, object_id)
        form = FollowUpForm(request.POST)
        if not form.is_valid():
            return self._brief_page(request, workflow, look_back=form, status=422)
        wanted = form.cleaned_data
        try:
            record_follow_up(
                workflow=workflow, findings=wanted["findings"], decision=FollowUp.Decision(wanted["decision"]),
                next_on=wanted["next_on"], by=request.user,
            )  # fmt: skip
        except Refused as refused:
            _place(form, refused)
            return self._brief_page(request, workflow, look_back=form, status=status_of(refused))
        messages.success(request, "What was found is kept.")
        return to_page(workflow)

    def _managed(self, request: HttpRequest, object_id: str) -> Workflow:
        workflow: Workflow = self.get_object(request, object_id)
        if not may(request.user, Action.MANAGE, workflow):
            raise PermissionDenied
        return workflow

    def _form(self, request: HttpRequest, workflow: Workflow, *, brief: Brief) -> BriefForm:
        sent = request.POST if request.method == "POST" and "task" in request.POST else None
        return BriefForm(sent, instance=brief, workflow=workflow, by=request.user, currency=currency_told())

    def _brief_page(
        self, request: HttpRequest, workflow: Workflow, *, form: BriefForm | None = None, rows: Any = None,
        actual: ActualForm | None = None, look_back: FollowUpForm | None = None, status: int = 200,
    ) -> HttpResponse:  # fmt: skip
        brief = brief_of(workflow=workflow)  # as it is stored; only the form shows what was typed
        user: Any = request.user
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": workflow, "workflow": workflow,
            "title": f"{workflow.name}, is it worth it", "brief": brief,
            "form": form or BriefForm(instance=brief, workflow=workflow, by=user, currency=currency_told()),
            "timed": rows or timed_rows(brief=brief),
            "so_what": so_what(brief=brief, measured=measured_of(workflow=workflow), currency=currency_told()),
            "enters_actuals": brief.metric_source == Brief.Source.ENTERED, "actual": actual or ActualForm(),
            "computed": _computed(workflow, brief=brief, user=user), "actual_days": ACTUAL_DAYS,
            "actuals": visible(user, MetricActual.objects.filter(workflow=workflow)).select_related("by").order_by("-day")[:MOST_ACTUALS],
            "follow_ups": visible(user, FollowUp.objects.filter(workflow=workflow)).select_related("by").order_by("-pk")[:MOST_FOLLOW_UPS],
            "follow_up_due": follow_up_due(workflow=workflow, brief=brief), "look_back": look_back or FollowUpForm(),
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "workflows/brief.html", context, status=status)

    def _to_brief(self, workflow: Workflow, anchor: str = "") -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:workflows_workflow_brief", args=[workflow.pk]) + anchor)


def _computed(workflow: Workflow, *, brief: Brief, user: Any) -> Actual | None:
    if brief.metric_source == Brief.Source.ENTERED:
        return None
    return actual_of(workflow=workflow, source=brief.metric_source, user=user)


def _kept(value: Any) -> Any:
    return storable(value).strip() if isinstance(value, str) else value


def _place(form: Any, refused: Refused) -> None:
    problems: dict[str, str] = getattr(refused, "problems", {})
    for name, said in problems.items():
        form.add_error(name, said)
    if not problems:
        form.add_error(None, str(refused))
