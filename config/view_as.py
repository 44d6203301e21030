"""Looking as somebody else, for one session: the person is put in the place of the viewer, and everything unsafe is refused.

Only screens of workflows are shown so. Whatever is somebody's own (their account, password, keys to sign in) is never opened
in their place: what is not in the list below is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from workflows import viewing

KEY = viewing.SESSION_KEY
SAFE = ("GET", "HEAD", "OPTIONS")
OPEN = frozenset({"index", "search", "help", "help_chapter", "reports", "app_list", "jsi18n"})
OPEN_APPS = ("workflows_", "reviews_")
LEAVES = frozenset({"view_as_end", "logout"})  # these two are the viewer's own
TAKES_OUT = "_export"


class ViewAsMiddleware:
    """After authentication. `request.viewing` is the look under way, `request.viewer` who it is really."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        pk = request.session.get(KEY) if hasattr(request, "session") else None
        if pk is None or not request.user.is_authenticated:
            return None
        match = request.resolver_match
        name = (match.url_name or "") if match and match.namespace == "admin" else ""
        if name in LEAVES:
            if name == "logout":
                viewing.end(pk=pk, by=request.user)
            return None
        found = viewing.eyes(pk=pk, by=request.user)
        if found is None:
            stop(request)
            messages.info(
                request,
                "You look with your own eyes again: the time was over, or you may not look so any more.",
            )
            return HttpResponseRedirect(reverse("admin:index"))
        row, person = found
        if request.method not in SAFE:
            return _refused(
                request, row, "You look as somebody else, so nothing can be done. Nothing was changed."
            )
        if not _opens(name):
            return _refused(request, row, "This page is not shown while you look as somebody else.")
        request.viewer, request.viewing, request.user = request.user, row, person  # type: ignore[attr-defined]
        return None


def _opens(name: str) -> bool:
    return name in OPEN or (name.startswith(OPEN_APPS) and not name.endswith(TAKES_OUT))


def _refused(request: HttpRequest, row: Any, said: str) -> HttpResponse:
    return render(request, "view_as_refused.html", {"said": said, "viewing": row}, status=403)


def stop(request: HttpRequest) -> None:
    """Ends the look that this session is in, if any."""
    pk = request.session.pop(KEY, None)
    if pk is not None:
        viewing.end(pk=pk, by=request.user)
