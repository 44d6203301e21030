"""The end of the chain, written down where whoever rewrites the database does not reach: a file that is only added to,
and a webhook where one is set. Each line carries the hash of the line before it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.connectors.base import DeliveryFailed
from integrations.connectors.webhook.config import WebhookConfig
from integrations.connectors.webhook.send import send_body
from workflows.audit.recording import written
from workflows.audit.verify_file import START, canonical, read_anchors
from workflows.models import AuditCheck

log = logging.getLogger(__name__)
ANCHOR = "anchor"
SECRET = "AUDIT_ANCHOR_SECRET"  # noqa: S105 - the name of an environment variable


def anchors() -> dict[int, str]:
    """Hashes by sequence number. Raises Broken when the lines themselves were changed."""
    path = Path(settings.AUDIT_ANCHORS)
    return read_anchors(str(path)) if path.exists() else {}


def last_line() -> bytes:
    path = Path(settings.AUDIT_ANCHORS)
    lines = path.read_bytes().splitlines() if path.exists() else []
    return next((line for line in reversed(lines) if line.strip()), b"")


def write_anchor(*, sequence: int, hash: str) -> bool:
    """Anchor a point that was just verified. False when it is anchored already."""
    told = _write(sequence=sequence, hash=hash)
    if told is None:
        return False
    # Outside of the transaction: a receiver may take its time.
    sent = _post(told)
    words = f"Event {sequence:,} was anchored in {Path(settings.AUDIT_ANCHORS).name}{sent}."
    AuditCheck.objects.filter(name=ANCHOR, sequence=sequence).update(words=words)
    return True


def _write(*, sequence: int, hash: str) -> dict[str, Any] | None:
    """One at a time: each line carries the hash of the line before it."""
    AuditCheck.objects.get_or_create(name=ANCHOR, defaults={"at": timezone.now()})
    with transaction.atomic():
        row = AuditCheck.objects.select_for_update().get(name=ANCHOR)
        if row.sequence >= sequence:
            return None
        before = last_line()
        told: dict[str, Any] = {
            "at": written(timezone.now()), "hash": hash, "sequence": sequence,
            "previous": hashlib.sha256(before).hexdigest() if before else START,
        }  # fmt: skip
        line = canonical(told)
        descriptor = os.open(settings.AUDIT_ANCHORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        row.at, row.sequence, row.hash = timezone.now(), sequence, hashlib.sha256(line).hexdigest()
        row.save()
    return told


def _post(told: dict[str, Any]) -> str:
    """What is added to the words. A receiver that is away holds nothing up: the next anchor covers this one too."""
    if not settings.AUDIT_ANCHOR_URL:
        return ""
    try:
        send_body(
            body=json.dumps(
                {"type": "audit.anchor", "timestamp": told["at"], "data": told}, separators=(",", ":")
            ),
            key=f"anchor-{told['sequence']}-{told['hash'][:16]}",
            config=WebhookConfig(url=settings.AUDIT_ANCHOR_URL, secret_env=SECRET),
            secret=os.environ.get(SECRET, ""),
            allowed_private_hosts=settings.ALLOWED_PRIVATE_HOSTS,
        )
    except (DeliveryFailed, ValueError) as error:
        log.warning("The anchor of the audit log was not taken at its second place: %s", error)
        return ", and was not taken at AUDIT_ANCHOR_URL"
    return ", and sent to AUDIT_ANCHOR_URL"
