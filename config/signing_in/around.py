"""The pages of one's own account are allauth's views in our templates: this gives them what the admin puts around a page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse


def admin_around_account(request: HttpRequest) -> dict[str, Any]:
    if not request.path.startswith(reverse("account")) or request.resolver_match is None:
        return {}
    if getattr(request.resolver_match, "app_name", "") == "admin":
        return {}  # the site gave it already
    return {"title": "Your account", **admin.site.each_context(request)}
