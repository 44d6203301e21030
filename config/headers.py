"""What browsers are told about our answers: what may run in a page, who may frame or read it, what it may ask for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponseBase
from django.utils.csp import CSP

# Nothing of ours uses any of them, so a script that got in cannot either.
UNUSED = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media", "fullscreen",
    "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment",
    "picture-in-picture", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS_POLICY = ", ".join(f"{name}=()" for name in UNUSED)

# For all that is no page: files, pictures, JSON. Opened by itself, nothing in it runs, loads or is framed.
CLOSED = {"default-src": [CSP.NONE], "frame-ancestors": [CSP.NONE], "sandbox": True}


def page_policy(*, sign_in_origins: list[str]) -> dict[str, Any]:
    """Alpine evaluates what its attributes say, and Unfold sets styles in place: those two words cannot go.

    `sign_in_origins` are where a form of ours may end after a redirect: browsers apply form-action to those as well.
    """
    return {
        "default-src": [CSP.NONE],
        "script-src": [CSP.SELF, CSP.NONCE, CSP.UNSAFE_EVAL],
        "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
        "img-src": [CSP.SELF, "data:", "blob:"],
        "font-src": [CSP.SELF],
        "connect-src": [CSP.SELF],
        "form-action": [CSP.SELF, *sign_in_origins],
        "base-uri": [CSP.SELF],
        "frame-ancestors": [CSP.NONE],
        "object-src": [CSP.NONE],
    }


def origins_of(*urls: str) -> list[str]:
    """Scheme and host of each, in their order. What is no web address is left out: one stray semicolon would open the policy."""
    found = []
    for url in urls:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", origin):
            found.append(origin)
    return list(dict.fromkeys(found))


def add_headers(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Any:
    """Inside Django's middleware for the policy, which writes what it finds on the answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        answer = get_response(request)
        answer.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        answer.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not answer.headers.get("Content-Type", "").startswith("text/html") and not hasattr(
            answer, "_csp_config"
        ):
            answer._csp_config = CLOSED  # type: ignore[attr-defined]
        return answer

    return middleware
