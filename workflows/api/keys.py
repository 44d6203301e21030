"""Who calls: a key in the header, and how often it may."""

from __future__ import annotations

import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from ninja.errors import Throttled
from ninja.security import HttpBearer

from workflows.api_keys import find_api_key
from workflows.errors import TooLarge
from workflows.models import ApiKey

WINDOW_SECONDS = 60


class BearerKey(HttpBearer):
    """`Authorization: Bearer KEY`. Asked, like the size of the request, before a byte of its body is read."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = find_api_key(key=token.strip())
        if key is None:
            return None
        _count(key=key)
        _check_size(request=request)
        return key


def _count(*, key: ApiKey) -> None:
    """Fixed windows of a minute. The cache counts: for every web process with Redis, for each one without."""
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    name = f"api-requests:{key.pk}:{window}"
    cache.add(name, 0, timeout=2 * WINDOW_SECONDS)
    try:
        made = cache.incr(name)
    except ValueError:  # evicted between the two
        return
    if made > settings.API_REQUESTS_PER_MINUTE:
        raise Throttled(wait=int((window + 1) * WINDOW_SECONDS - now) + 1)


def _check_size(*, request: HttpRequest) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > settings.MAX_REQUEST_BYTES:
        raise TooLarge(
            f"The request is larger than {settings.MAX_REQUEST_BYTES // 2**20} MB. Nothing was kept. Send it as several items."
        )
