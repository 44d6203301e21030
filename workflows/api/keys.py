"""Who calls: a key in the header, and how often it may."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja.errors import Throttled
from ninja.security import HttpBearer

from workflows import tallies
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
    """So many calls in the minute that the first one began; counted for every web process together."""
    tally = tallies.count(name=f"api-requests:{key.pk}", seconds=WINDOW_SECONDS)
    if tally.count > settings.API_REQUESTS_PER_MINUTE:
        left = (tally.ends_at - timezone.now()).total_seconds()
        raise Throttled(wait=max(0, int(left)) + 1)


def _check_size(*, request: HttpRequest) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > settings.MAX_REQUEST_BYTES:
        raise TooLarge(
            f"The request is larger than {settings.MAX_REQUEST_BYTES // 2**20} MB. Nothing was kept. Send it as several items."
        )
