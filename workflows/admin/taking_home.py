"""A file that somebody sent, to take home: never opened in our pages."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, Http404, HttpResponseBase

_CLOSED = "default-src 'none'; sandbox"


def close(answer: HttpResponseBase) -> None:
    """A browser that shows it all the same runs nothing of it."""
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = _CLOSED


def as_file(*, stored: Any, name: str) -> FileResponse:
    """Always an attachment, whatever its name says it is. `stored` is the field of a row that this person may see."""
    try:
        file = stored.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    answer = FileResponse(
        file, as_attachment=True, filename=name or "text.txt", content_type="application/octet-stream"
    )
    close(answer)
    return answer
