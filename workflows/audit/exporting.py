"""The log as JSON Lines, in the form that verify_file.py reads without anything else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import batched
from typing import Any

from django.utils import timezone

from workflows.audit.recording import HEAD, told_of, written
from workflows.audit.verify_file import FORMAT, START, canonical
from workflows.models import AuditContent, AuditEvent, AuditHead, Workflow

CHUNK = 2_000


def export_lines(
    *, workflow: Workflow | None = None, since: datetime | None = None, with_content: bool = False
) -> Iterator[bytes]:
    """Up to where the log ends now. Content is personal and comes only when it is asked for."""
    head = AuditHead.objects.filter(pk=HEAD).first() or AuditHead(sequence=0, hash=START)
    yield canonical(
        {
            "format": FORMAT, "workflow": workflow.slug if workflow else "", "since": written(since) if since else "",
            "exported_at": written(timezone.now()),
        }
    )  # fmt: skip
    # Sequence and time may differ by the length of a transaction: the first event in time decides where it begins.
    events = AuditEvent.objects.filter(sequence__lte=head.sequence).order_by("sequence")
    if since is not None:
        first = events.filter(at__gte=since).values_list("sequence", flat=True).first()
        events = events.filter(sequence__gte=first) if first is not None else events.none()
    if workflow is not None:
        events = events.filter(workflow_id=workflow.pk)
    count = 0
    for some in batched(events.iterator(chunk_size=CHUNK), CHUNK):
        contents = _contents(some) if with_content else {}
        for event in some:
            count += 1
            told = told_of(event)
            if event.sequence in contents:
                told["content"] = contents[event.sequence]
            yield canonical(told)
    yield canonical({"events": count, "sequence": head.sequence, "hash": head.hash})


def _contents(events: tuple[AuditEvent, ...]) -> dict[int, Any]:
    rows = AuditContent.objects.filter(event_sequence__in=[one.sequence for one in events])
    return {one.event_sequence: {"salt": one.salt, "body": one.body} for one in rows}
