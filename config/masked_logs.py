"""No key, password or token is in a line of a log, whoever wrote the line."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable

HIDDEN = "[hidden]"
SHORTEST = 8  # a shorter secret would hide half of every line

# Names of settings whose values are secrets.
_SECRET_NAME = re.compile(r"(?i)(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIAL)")
_NAMES = r"(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|client[_-]?secret|code|state|nonce|sessionid|csrf\w*|sig(?:nature)?)"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: Bearer abc, and the same in a dictionary's words.
    (re.compile(r"(?i)((?:proxy-)?authorization['\"]?\s*[:=]\s*['\"]?)(?:(bearer|basic|digest|token)\s+)?[^\s'\",;]+"), rf"\1\2 {HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)((?:set-)?cookie['\"]?\s*[:=]\s*['\"]?)[^'\"\r\n]+"), rf"\1{HIDDEN}"),
    # https://user:password@host
    (re.compile(r"(?i)([a-z][a-z0-9+.-]*://[^\s/@:]*):[^\s/@]+@"), rf"\1:{HIDDEN}@"),
    # ?token=abc, password='abc', "api_key": "abc"
    (re.compile(rf"(?i)([?&]{_NAMES}=)[^&\s'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b((?:pass(?:word|wd|phrase)|\w*secret|\w*token|\w*api[_-]?key)['\"]?\s*[:=]\s*)(['\"]?)[^\s'\",;&]+\2"), rf"\1{HIDDEN}"),
    # Keys of ours, and those of the usual services, wherever they stand.
    (re.compile(r"\b(?:cs_|sk-|whsec_|ghp_|xox[abprs]-)[A-Za-z0-9_\-+/=]{12,}"), HIDDEN),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), HIDDEN),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S), HIDDEN),
)  # fmt: skip


def masked(text: str, *, secrets: Iterable[str] = ()) -> str:
    """The text without what looks like a secret, and without these very ones."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def secrets_of_environment() -> list[str]:
    """The longest first, so that one which holds another goes as a whole."""
    named = {
        value for name, value in os.environ.items() if _SECRET_NAME.search(name) and len(value) >= SHORTEST
    }
    return sorted(named, key=len, reverse=True)


class MaskedFormatter(logging.Formatter):
    """The last step before a line is written, so it has the traceback too. A filter would see neither that nor what a
    handler adds."""

    def __init__(self, *args: str | None, **kwargs: str | None) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._secrets = secrets_of_environment()

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record), secrets=self._secrets)
