"""Is it alive, and is it ready to take and do work."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from workflows import beats

OLDEST_TICK_SECONDS = 30.0


@require_safe
def healthz(_: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of anything else, so that a slow database restarts no web server."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(_: HttpRequest) -> JsonResponse:
    """200 when the database answers, a worker showed a sign of life and files can be stored; else 503 and which does not."""
    checks = {"database": _database, "workers": _workers, "storage": _storage}
    answers = {name: _ask(check) for name, check in checks.items()}
    return JsonResponse(answers, status=200 if set(answers.values()) == {"ok"} else 503)


def _ask(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:
        # The kind alone: this page is open to everybody, and messages name hosts and folders.
        return f"failed: {type(error).__name__}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _workers() -> str:
    age = beats.age(name=beats.TICK)
    if age is None:
        return "no sign of life yet"
    return "ok" if age < OLDEST_TICK_SECONDS else f"last sign of life {age:.0f} s ago"


def _storage() -> str:
    name = default_storage.save(f"ready-{uuid.uuid4().hex}", ContentFile(b"ready"))
    default_storage.delete(name)
    return "ok"
