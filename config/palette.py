"""What the command palette (Ctrl-K) finds: screens, and the rows that the person may see at this moment."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from config.help import CHAPTERS
from config.sidebar import navigation
from workflows.access import visible
from workflows.models import Item, Workflow
from workflows.states import LABELS, State

SHORTEST, LONGEST = 2, 100
MOST = 8  # of each kind: who does not find it among eight types another letter


def find(*, request: HttpRequest, term: str) -> list[SearchResult]:
    term = term.strip()[:LONGEST]
    if len(term) < SHORTEST or "\x00" in term:
        return []
    return [*_screens(request, term), *_workflows(request.user, term), *_items(request.user, term)]


def _screens(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    # The sidebar names only what one may open.
    for group in navigation(request):
        for screen in group["items"]:
            if term.casefold() in screen["title"].casefold():
                yield _result(
                    title=screen["title"], description="Screen", link=screen["link"], icon=screen["icon"]
                )
    for chapter in CHAPTERS:
        if term.casefold() in f"help {chapter.title}".casefold():
            link = reverse("admin:help_chapter", args=[chapter.slug])
            yield _result(title=chapter.title, description="Help", link=link, icon="help")


def _workflows(user: Any, term: str) -> Iterator[SearchResult]:
    found = visible(user, Workflow.objects.filter(Q(name__icontains=term) | Q(slug=term))).order_by("name")
    for workflow in found.only("name", "stage")[:MOST]:
        yield _result(
            title=workflow.name, description=f"Workflow, {workflow.get_stage_display().lower()}", icon="account_tree",
            link=reverse("admin:workflows_workflow_change", args=[workflow.pk]),
        )  # fmt: skip


def _items(user: Any, term: str) -> Iterator[SearchResult]:
    matches = Q(title__icontains=term) | Q(external_id=term)
    with contextlib.suppress(ValueError):
        matches |= Q(public_id=uuid.UUID(term))
    if term.isdecimal() and len(term) < 16:
        matches |= Q(pk=int(term))
    found = (
        visible(user, Item.objects.filter(matches)).order_by("-created_at", "-pk").select_related("workflow")
    )
    for item in found.only("title", "state", "workflow__name")[:MOST]:
        yield _result(
            title=item.title, description=f"{item.workflow.name}, {LABELS[State(item.state)].lower()}", icon="inbox",
            link=reverse("admin:workflows_item_change", args=[item.pk]),
        )  # fmt: skip


def _result(*, title: str, description: str, link: str, icon: str) -> SearchResult:
    return SearchResult(title=title, description=description, link=link, icon=icon)
