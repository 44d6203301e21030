"""The pages of the help. They hold nothing of any workflow but whom to ask about one's own."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from config.help import BY_SLUG, chapters_for, headings, rendered
from workflows.access import whom_to_ask


def help_index(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    mine, others = chapters_for(user=request.user)
    return TemplateResponse(
        request, "help/index.html",
        {**context, "title": "Help", "mine": [_with_headings(one) for one in mine], "others": [_with_headings(one) for one in others],
         "asks": whom_to_ask(user=request.user)},
    )  # fmt: skip


def help_chapter(request: HttpRequest, context: dict[str, Any], slug: str) -> HttpResponse:
    if slug not in BY_SLUG:
        raise Http404
    chapter = BY_SLUG[slug]
    return TemplateResponse(
        request, "help/chapter.html",
        {**context, "title": chapter.title, "chapter": chapter, "body": rendered(slug=slug), "headings": headings(slug=slug)},
    )  # fmt: skip


def _with_headings(chapter: Any) -> tuple[Any, list[tuple[str, str]]]:
    return chapter, list(headings(slug=chapter.slug))
