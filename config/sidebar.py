"""The sidebar: what one may open, in the order of the work, with how much waits there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from reviews.counting import short, waiting
from workflows.access import Action, may, may_count

Screen = tuple[str, str, str, str]  # title, icon, app, model
WORK: tuple[Screen, ...] = (
    ("Review list", "checklist", "reviews", "review"),
    ("Escalations", "forward_to_inbox", "reviews", "escalation"),
    ("Needs attention", "build", "reviews", "stuck"),
)
ITEMS: tuple[Screen, ...] = (("All items", "inbox", "workflows", "item"),)
RESULTS: tuple[Screen, ...] = (
    ("Register", "table", "workflows", "registerentry"),
    ("Deliveries", "outbox", "workflows", "delivery"),
)
SET_UP: tuple[Screen, ...] = (
    ("Workflows", "account_tree", "workflows", "workflow"),
    ("Versions", "history_edu", "workflows", "version"),
    ("Cases", "fact_check", "workflows", "case"),
    ("Evaluations", "speed", "workflows", "evaluation"),
    ("Destinations", "output", "workflows", "destination"),
    ("API keys", "key", "workflows", "apikey"),
    ("Runs", "smart_toy", "workflows", "run"),
    ("Exports", "download", "workflows", "registerexport"),
    ("Audit log", "verified_user", "workflows", "auditevent"),
    ("Erasures", "ink_eraser", "workflows", "erasure"),
)
INSTALLATION: tuple[Screen, ...] = (
    ("Users", "person", "auth", "user"),
    ("Groups", "group", "auth", "group"),
    ("Prices of models", "payments", "workflows", "price"),
    ("Tasks done", "task_alt", "django_q", "success"),
    ("Tasks failed", "error", "django_q", "failure"),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's groups. A screen that one may not open is not named."""
    home = _link(request=request, title="Home", icon="home", link=reverse("admin:index"), exact=True)
    work = [home, *_items(request=request, screens=WORK)]
    if may(request.user, Action.SUBMIT):
        add = reverse("admin:workflows_item_add")
        work.append(_link(request=request, title="Submit an item", icon="upload_file", link=add, exact=True))
    work += _items(request=request, screens=ITEMS)
    results = _items(request=request, screens=RESULTS)
    if may_count(request.user):
        results.append(
            _link(request=request, title="Reports", icon="monitoring", link=reverse("admin:reports"))
        )
    groups = (
        ("Work", work),
        ("Results", results),
        ("Set up", _items(request=request, screens=SET_UP)),
        ("Installation", _items(request=request, screens=INSTALLATION)),
        ("", [_link(request=request, title="Help", icon="help", link=reverse("admin:help"))]),
    )
    return [
        {"title": title, "separator": title != "Work", "items": items} for title, items in groups if items
    ]


def _items(*, request: HttpRequest, screens: tuple[Screen, ...]) -> list[dict[str, Any]]:
    registered = {
        (model._meta.app_label, model._meta.model_name): one for model, one in admin.site._registry.items()
    }
    items = []
    for title, icon, app, model in screens:
        screen = registered.get((app, model))
        if screen is None or not screen.has_module_permission(request) or not _has_work(request, model):
            continue
        link = reverse(f"admin:{app}_{model}_changelist")
        item = _link(request=request, title=title, icon=icon, link=link)
        if badge := _badge(request, model):
            item |= {"badge": badge[0], "badge_variant": badge[1]}
        items.append(item)
    return items


def _link(*, request: HttpRequest, title: str, icon: str, link: str, exact: bool = False) -> dict[str, Any]:
    # Unfold's own test, "is contained in", would light up several.
    active = request.path == link if exact else request.path.startswith(link)
    if link == reverse("admin:workflows_item_changelist"):
        active = active and request.path != reverse("admin:workflows_item_add")
    return {"title": title, "icon": icon, "link": link, "active": active}


def _has_work(request: HttpRequest, model: str) -> bool:
    """A review list would stay empty for ever for whoever reviews nothing."""
    return model != "review" or may(request.user, Action.REVIEW)


def _badge(request: HttpRequest, model: str) -> tuple[str, str] | None:
    """What waits, and its tone; nothing where nothing waits."""
    if model not in ("review", "escalation", "stuck"):
        return None
    counts = waiting(request)
    if model == "escalation":
        if late := counts["escalations late"]:
            return f"{short(late)} late", "danger"
        return (short(counts["escalations"]), "default") if counts["escalations"] else None
    count = counts["mine" if model == "review" else "attention"]
    return (short(count), "default" if model == "review" else "warning") if count else None
