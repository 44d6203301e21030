"""Cases: the list, one case with what is right about it, and the import. Of a held-out case nothing is shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.documents.pages import Unreadable
from integrations.documents.plain import read_plain_text
from integrations.documents.reader import is_plain_text
from workflows.access import Action, may, visible
from workflows.admin.base import OwnPages, label
from workflows.admin.case_form import CaseImportForm
from workflows.admin.filters import WorkflowFilter
from workflows.admin.taking_home import as_file
from workflows.admin.telling import chip, told_value
from workflows.errors import Refused
from workflows.evaluation.cases import import_cases, set_active
from workflows.evaluation.labels import gold_of, specs_of
from workflows.evaluation.summary import is_right
from workflows.models import Case, CaseResult, CaseSource

RESULTS_SHOWN = 10
MOST_SHOWN = 20_000  # characters of a text on the page; the whole of it is a file to take home
HELD_OUT = "Held out: nothing may be written from it, so neither its text nor its values are shown."


class MessyFilter(SimpleListFilter):
    title = "messy"
    parameter_name = "messy"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Messy"), ("no", "Not messy")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.exclude(messy=[])
        return queryset.filter(messy=[]) if self.value() == "no" else queryset


@admin.register(Case)
class CaseAdmin(OwnPages):
    add_action = Action.MANAGE
    list_display = ("name", "workflow", "expect_told", "messy_told", "held_out_told", "gold_told", "use_told")
    list_select_related = ("workflow",)
    list_filter = (WorkflowFilter, MessyFilter, "held_out", "active")
    search_fields = ("name",)
    search_help_text = "Name"
    empty_word = "case"
    empty_title = "No cases yet."
    empty_text = (
        "A case is one input and what a careful person would make of it. Import a YAML or CSV file of them, "
        "then run a version over them."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(gold_count=Count("labels"))

    @label("expected", order="expect")
    def expect_told(self, case: Case) -> str:
        return case.get_expect_display()

    @label("messy")
    def messy_told(self, case: Case) -> str:
        return ", ".join(case.messy) or "–"

    @label("held out", order="held_out")
    def held_out_told(self, case: Case) -> str:
        return chip(text="Held out", tone="info", icon="lock") if case.held_out else "–"

    @label("gold values")
    def gold_told(self, case: Any) -> str:
        return str(case.gold_count)

    @label("in evaluations", order="active")
    def use_told(self, case: Case) -> str:
        return "Yes" if case.active else "Left out"

    def get_urls(self) -> list[URLPattern]:
        def own(route: str, view: Any, name: str) -> URLPattern:
            return path(
                f"<path:object_id>/{route}", self.admin_site.admin_view(view), name=f"workflows_case_{name}"
            )

        return [
            own("active/", require_POST(self.active_view), "active"),
            own("source/<int:source_id>/", require_safe(self.source_view), "source"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:  # fmt: skip
        case: Case = self.get_object(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": case, "case": case,
            "title": case.name, "held_out_told": HELD_OUT, "results": _results(request, case),
            "sources": [] if case.held_out else [_source(one) for one in case.sources.all()],
            "gold": [] if case.held_out else _gold(case),
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "workflows/case.html", context)

    def active_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        case: Case = self.get_object(request, object_id)
        active = request.POST.get("active") == "1"
        try:
            set_active(case=case, active=active, by=request.user)
        except Refused:
            raise PermissionDenied from None
        done = "is part of evaluations from now on" if active else "is left out of evaluations from now on"
        messages.success(request, f"{case.name} {done}.")
        return HttpResponseRedirect(reverse("admin:workflows_case_change", args=[case.pk]))

    def source_view(self, request: HttpRequest, object_id: str, source_id: int) -> FileResponse:
        """Always as an attachment: what a stranger sent is never opened in our pages."""
        case: Case = self.get_object(request, object_id)
        if case.held_out:
            raise Http404
        source = get_object_or_404(visible(request.user, case.sources.all()), pk=source_id)
        return as_file(stored=source.file, name=source.name)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Import a file."""
        if not self.has_add_permission(request):
            raise Http404
        status, said = 200, ""
        form = CaseImportForm(initial={"workflow": request.GET.get("workflow")}, user=request.user)
        if request.method == "POST":
            form = CaseImportForm(request.POST, request.FILES, user=request.user)
            status = 422
            if form.is_valid():
                workflow, (text, format) = form.cleaned_data["workflow"], form.cleaned_data["file"]
                try:
                    imported = import_cases(
                        workflow=workflow, text=text, format=format, by=request.user, find=form.find
                    )
                except Refused as refused:
                    said = str(refused)
                else:
                    messages.success(request, f"Cases of {workflow.name}: {imported}.")
                    place = reverse("admin:workflows_case_changelist")
                    return HttpResponseRedirect(f"{place}?workflow__id__exact={workflow.pk}")
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "Import cases", "form": form,
            "said": said,
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "workflows/case_import.html", context, status=status)


def _source(source: CaseSource) -> dict[str, Any]:
    """`text` None: it is no plain text, and is there to take home."""
    text: str | None = None
    try:
        with source.file.open("rb") as file:
            content = file.read(4 * MOST_SHOWN)
        if not source.name or is_plain_text(content=content, name=source.name, media_type=source.media_type):
            text = read_plain_text(content=content).pages[0].text[:MOST_SHOWN]
    except (OSError, Unreadable):
        text = None
    return {"row": source, "text": text}


def _gold(case: Case) -> list[tuple[str, str]]:
    gold, specs = gold_of(case=case), specs_of(workflow=case.workflow)
    return [
        (spec.label, told_value(value=gold[key], spec=spec)) for key, spec in specs.items() if key in gold
    ]


def _results(request: HttpRequest, case: Case) -> list[dict[str, Any]]:
    rows = visible(
        request.user, CaseResult.objects.filter(case=case).select_related("case", "evaluation__version")
    )
    return [{"row": one, "right": is_right(one)} for one in rows.order_by("-pk")[:RESULTS_SHOWN]]


def may_see_values(*, request: HttpRequest, case: Case) -> bool:
    """Drafted and gold values may be sensitive, and of a held-out case nobody writes anything."""
    return not case.held_out and may(request.user, Action.MANAGE, case)
