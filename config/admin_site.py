"""The admin site: who may come in at all, and what its sidebar and search show of it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe
from unfold.sites import UnfoldAdminSite


class Site(UnfoldAdminSite):
    site_title = site_header = "Countersign"
    index_title = "Home"

    def get_urls(self) -> list[Any]:
        return [
            path("view-as/end/", self.admin_view(require_POST(self.view_as_end)), name="view_as_end"),
            path("help/", self.admin_view(self.help_view), name="help"),
            path("help/<slug:slug>/", self.admin_view(self.help_view), name="help_chapter"),
            path("reports/", self.admin_view(require_safe(self.report_view)), name="reports"),
            path(
                "reports/export/", self.admin_view(require_safe(self.report_file_view)), name="reports_export"
            ),
            *super().get_urls(),
        ]

    def view_as_end(self, request: HttpRequest) -> HttpResponse:
        from config.view_as import stop  # needs the apps to be there

        stop(request)
        return HttpResponseRedirect(reverse("admin:index"))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from config.signing_in.front_door import FrontDoor

        return FrontDoor.as_view(extra_context=extra_context)(request)

    def help_view(self, request: HttpRequest, slug: str = "") -> HttpResponse:
        from config.help_views import help_chapter, help_index  # needs the apps to be there

        context = self.each_context(request)
        return help_chapter(request, context, slug) if slug else help_index(request, context)

    def report_view(self, request: HttpRequest) -> HttpResponse:
        from reviews.admin.reports import report_page

        return report_page(request, self.each_context(request))

    def report_file_view(self, request: HttpRequest) -> HttpResponseBase:
        from reviews.admin.reports import report_file

        return report_file(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # Unfold's own keeps what it found for five minutes per user: a grant that is revoked must close at once.
        from config.palette import find

        term = request.GET.get("s", "")
        if not request.GET.get("page", "1").isdecimal():
            raise Http404
        page = Paginator(results := find(request=request, term=term), max(1, len(results)))
        context = {
            "search_term": term, "results": page.page(1), "page_obj": page, "page_counter": 0,
            "command_show_history": False,
        }  # fmt: skip
        answer = TemplateResponse(request, "unfold/helpers/command_results.html", context)
        answer["HX-Trigger"] = "search"
        return answer

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        # No drop-down of ours asks it, and it fails on reverse relations that anybody may name.
        raise Http404

    def has_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_staff)
