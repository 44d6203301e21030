"""A source by its own addresses: the file to take home, its pages as pictures, and where words stand on them."""

from __future__ import annotations

import re
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from integrations.documents.pages import Unreadable
from reviews.admin.page_pictures import MEDIA_TYPE, WIDTHS, Busy, picture_of, picture_tag
from reviews.admin.source_boxes import boxes_of
from reviews.admin.source_panel import ratio_of, shown_numbers
from workflows.access import visible
from workflows.admin.base import ScopedAdmin
from workflows.admin.taking_home import as_file, close
from workflows.masking import hides_material
from workflows.models import Item, Page, Source

MOST_FOUND = 200
MOST_SOUGHT = 100  # characters


class SourceViews(ScopedAdmin):
    def _source(self, request: HttpRequest, object_id: str, source_id: int) -> Source:
        item: Item = self.get_object(request, object_id)
        if hides_material(user=request.user, item=item):
            raise Http404
        return get_object_or_404(visible(request.user, Source.objects.filter(item=item)), pk=source_id)

    def source_view(self, request: HttpRequest, object_id: str, source_id: int) -> FileResponse:
        source = self._source(request, object_id, source_id)
        return as_file(stored=source.file, name=source.name)

    def picture_view(
        self, request: HttpRequest, object_id: str, source_id: int, number: int, width: int
    ) -> HttpResponse:
        """Permission is asked before the browser's own copy counts. Of widths only our steps: each is a file we keep."""
        source = self._source(request, object_id, source_id)
        if width not in WIDTHS or number not in shown_numbers(
            source=source, pages=source.pages.only("number")
        ):
            raise Http404
        etag = quote_etag(picture_tag(source=source, number=number, width=width))
        answer = get_conditional_response(request, etag=etag)
        if answer is None:
            try:
                picture = picture_of(source=source, number=number, width=width, asked_by=request.user.pk or 0)
            except Busy as why:
                return _told(why.message, status=503, headers={"Retry-After": str(why.seconds)})
            except Unreadable as why:
                return _told(f"{why.message} {why.next_step}", status=422)
            answer = HttpResponse(picture, content_type=MEDIA_TYPE)
        answer["ETag"] = etag
        answer["Cache-Control"] = "private, max-age=86400, immutable"
        close(answer)
        return answer

    def find_view(self, request: HttpRequest, object_id: str, source_id: int) -> JsonResponse:
        """{"found": [{"page", "boxes"}], "more"}: where the words of `text` stand on the pictures, in the text's order."""
        source = self._source(request, object_id, source_id)
        sought = _pattern(request.GET.get("text", ""))
        found: list[dict[str, Any]] = []
        if sought:
            pages = [page for page in source.pages.defer("pieces") if sought.search(page.text)]
            pieces = dict(Page.objects.filter(pk__in=[page.pk for page in pages]).values_list("pk", "pieces"))
            for page in pages:
                for match in sought.finditer(page.text):
                    boxes = boxes_of(
                        pieces=pieces[page.pk], start=match.start(), end=match.end(), ratio=ratio_of(page)
                    )
                    found.append({"page": page.number, "boxes": boxes})
                    if len(found) > MOST_FOUND:
                        return JsonResponse({"found": found[:MOST_FOUND], "more": True})
        return JsonResponse({"found": found, "more": False})


def _pattern(text: str) -> re.Pattern[str] | None:
    """Words in their order with any white space between them, in small or capital letters."""
    words = text[:MOST_SOUGHT].split()
    return re.compile(r"\s+".join(re.escape(word) for word in words), re.IGNORECASE) if words else None


def _told(message: str, *, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    answer = HttpResponse(message, status=status, content_type="text/plain; charset=utf-8", headers=headers)
    answer["Cache-Control"] = "no-store"
    close(answer)
    return answer
