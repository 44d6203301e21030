"""The pages for what may not be seen or done: they say whom to ask, and nothing about what is there."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from workflows.access import Ask, whom_to_ask

MOST = 6


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", {"asks": _asks(request)}, status=404)


def not_permitted(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"asks": _asks(request)}, status=403)


def _asks(request: HttpRequest) -> list[Ask]:
    """Of the person's own workflows only: who manages a hidden one would say that it is there."""
    user: Any = getattr(request, "user", None)
    if user is None:
        return []
    try:
        return whom_to_ask(user=user)[:MOST] if user.is_authenticated and user.is_staff else []
    except DatabaseError:
        return []  # the page must come even when the database does not
