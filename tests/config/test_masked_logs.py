from __future__ import annotations

import io
import logging
import logging.config
from typing import Any

import pytest
from django.conf import settings

from config.masked_logs import HIDDEN, MaskedFormatter, masked

SECRETS = (
    ("Authorization: Bearer CANARY-abc.def", "Authorization: Bearer"),
    ("{'Authorization': 'Bearer CANARYabcdef'}", "{'Authorization': 'Bearer"),
    ("{'authorization': 'CANARYabcdef', 'host': 'a'}", "'host': 'a'}"),
    ("Proxy-Authorization: Basic Q0FOQVJZCANARY==", "Basic"),
    ("sent with bearer CANARY0123456789", "sent with bearer"),
    ("Cookie: sessionid=CANARY; csrftoken=CANARY", "Cookie:"),
    ("connecting to postgres://app:CANARY@db:5432/x", "@db:5432/x"),
    ("redis://:CANARY@cache:6379", "@cache:6379"),
    ("GET /hook?token=CANARY&page=2", "&page=2"),
    ("GET /oidc/callback?code=CANARY&state=CANARY", "/oidc/callback"),
    ("password=CANARY failed", "failed"),
    ("{'password': 'CANARY', 'user': 'x'}", "'user': 'x'}"),
    ('{"api_key": "CANARY", "model": "m"}', '"model": "m"}'),
    ("OPENAI_API_KEY=CANARY", "OPENAI_API_KEY="),
    ("client_secret: CANARY", "client_secret:"),
    ("a key cs_CANARYabcdefghijklmnop was used", "a key"),
    ("Incorrect API key provided: sk-CANARYproj-0123456789abcdef.", "Incorrect API key provided"),
    ("whsec_CANARYMfKQ9r8GKYqrTwjU", ""),
    ("eyJhbGciOiJIUzI1NiJ9.eyJDQU5BUlkiCANARY.c2lnbmF0dXJl", ""),
    ("-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----", ""),
)  # fmt: skip


@pytest.mark.parametrize(("line", "kept"), SECRETS)
def test_a_secret_is_masked_and_what_is_around_it_is_kept(line: str, kept: str) -> None:
    said = masked(line)
    assert "CANARY" not in said
    assert HIDDEN in said
    assert kept in said


@pytest.mark.parametrize(
    "line",
    [
        "12 items left, 3 tokens of a kind, 512 prompt tokens",
        "GET /admin/workflows/item/?state__exact=in_review 200",
        "The secretary wrote; the password policy is in docs/operations.md",
        "https://example.com:8443/path",
        "basic rules apply",
    ],
)
def test_what_is_none_stays_as_it_is(line: str) -> None:
    assert masked(line) == line


def test_the_handler_of_every_process_masks_messages_and_tracebacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_WEBHOOK_SECRET", "CANARY of a shape that nobody foresees")
    given: dict[str, Any] = settings.LOGGING["formatters"]["line"]
    assert given["()"] == "config.masked_logs.MaskedFormatter"
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(MaskedFormatter(given["format"]))
    log = logging.Logger("of this test")
    log.addHandler(handler)
    try:
        raise ValueError("refused: Authorization: Bearer CANARYCANARY")
    except ValueError:
        log.exception("sent %s", "CANARY of a shape that nobody foresees")
    said = stream.getvalue()
    assert "CANARY" not in said
    assert "Traceback" in said
    assert said.count(HIDDEN) == 3  # the line that was raised, its message, and what was logged
