"""The sidebar: what one may open, in the order of the work."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

WORK = (
    ("Items", "inbox", "workflows", "item"),
    ("Reviews", "checklist", "reviews", "review"),
    ("Register", "table", "workflows", "registerentry"),
    ("Deliveries", "outbox", "workflows", "delivery"),
)
SET_UP = (
    ("Workflows", "account_tree", "workflows", "workflow"),
    ("Versions", "history_edu", "workflows", "version"),
    ("Destinations", "output", "workflows", "destination"),
    ("API keys", "key", "workflows", "apikey"),
    ("Runs", "smart_toy", "workflows", "run"),
)
INSTALLATION = (
    ("Users", "person", "auth", "user"),
    ("Groups", "group", "auth", "group"),
    ("Tasks done", "task_alt", "django_q", "success"),
    ("Tasks failed", "error", "django_q", "failure"),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's groups. A screen that one may not open is not named."""
    home = {
        "title": "Home",
        "icon": "home",
        "link": reverse("admin:index"),
        "active": request.path == reverse("admin:index"),
    }
    groups: tuple[tuple[str, tuple[tuple[str, str, str, str], ...], list[dict[str, Any]]], ...] = (
        ("Work", WORK, [home]),
        ("Set up", SET_UP, []),
        ("Installation", INSTALLATION, []),
    )
    listed = [
        {
            "title": title,
            "separator": title != "Work",
            "items": first + _items(request=request, screens=screens),
        }
        for title, screens, first in groups
    ]
    return [group for group in listed if group["items"]]


def _items(*, request: HttpRequest, screens: tuple[tuple[str, str, str, str], ...]) -> list[dict[str, Any]]:
    registered = {
        (model._meta.app_label, model._meta.model_name): one for model, one in admin.site._registry.items()
    }
    items = []
    for title, icon, app, model in screens:
        screen = registered.get((app, model))
        if screen is None or not screen.has_module_permission(request):
            continue
        link = reverse(f"admin:{app}_{model}_changelist")
        # Unfold's own test, "is contained in", would light up several.
        shown = f"{link}?state__exact=open" if model == "review" else link
        items.append({"title": title, "icon": icon, "link": shown, "active": request.path.startswith(link)})
    return items
