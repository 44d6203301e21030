"""The admin site: who may come in at all, and what its sidebar and search show of it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from unfold.sites import UnfoldAdminSite


class Site(UnfoldAdminSite):
    site_title = site_header = "Countersign"
    index_title = "Home"

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # Unfold reads the page's number without a look at it, and caches what it found for five minutes per user.
        if not request.GET.get("page", "1").isdecimal():
            raise Http404
        response: HttpResponse = super().search(request, extra_context)
        return response

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        # No drop-down of ours asks it, and it fails on reverse relations that anybody may name.
        raise Http404

    def has_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_staff)
