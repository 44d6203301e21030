"""Where no mail server is set up, each mail is a file in the data folder: those that carried a result go as well."""

from __future__ import annotations

import os
from collections.abc import Sequence
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from django.conf import settings

from workflows.models import Delivery

HEADER = "X-Countersign-Key"
_END = b"-" * 79 + b"\n"  # what the file backend writes after each mail


def erase_mails(items: Sequence[int]) -> int:
    """Returns how many mails were taken out of the folder."""
    folder = _folder()
    keys = {str(key) for key in Delivery.objects.filter(item__in=items).values_list("key", flat=True)}
    if folder is None or not keys:
        return 0
    return sum(_clean(file=file, keys=keys) for file in sorted(folder.glob("*.log")))


def _folder() -> Path | None:
    mailer: dict[str, Any] = settings.MAILERS["default"]
    path = mailer.get("OPTIONS", {}).get("file_path")
    return Path(path) if path and Path(path).is_dir() else None


def _clean(*, file: Path, keys: set[str]) -> int:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return 0
    mails = [mail for mail in content.split(_END) if mail.strip()]
    kept = [mail for mail in mails if BytesHeaderParser().parsebytes(mail)[HEADER] not in keys]
    if len(kept) == len(mails):
        return 0
    if not kept:
        file.unlink(missing_ok=True)
    else:
        part = file.with_suffix(".part")
        part.write_bytes(b"".join(mail + _END for mail in kept))
        os.replace(part, file)
    return len(mails) - len(kept)
