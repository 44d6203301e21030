"""Events are collected while a transaction lasts, and written as the last of it under the one lock there is."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from workflows.audit.verify_file import START, digest_of, hash_of
from workflows.models import AuditContent, AuditEvent, AuditHead
from workflows.storable import storable

HEAD = 1  # the key of its one row


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to come. `facts` hold nothing personal; `content` is what may have to be erased: it is kept apart, and
    the event carries a salted digest of it alone. `person` is whom the content tells of, else who acted."""

    kind: str
    by: Any  # None: the command line, or nobody who signed in
    workflow: Any = None
    item: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Any] | None = None
    person: Any = None


@dataclass(frozen=True, slots=True)
class _Collected:
    told: dict[str, Any]  # as it is hashed, but for its place in the chain
    body: Any
    item_id: int | None
    person_id: int | None


def record(
    *,
    kind: str,
    by: Any,
    workflow: Any = None,
    item: Any = None,
    facts: Mapping[str, Any] | None = None,
    content: Mapping[str, Any] | None = None,
    person: Any = None,
) -> None:
    """Write one event, in the transaction of what it records. Outside of one it is a transaction of its own."""
    record_many(
        [
            Entry(
                kind=kind,
                by=by,
                workflow=workflow,
                item=item,
                facts=facts or {},
                content=content,
                person=person,
            )
        ]
    )


def record_many(entries: Sequence[Entry]) -> None:
    """Several at the cost of one lock and one insert."""
    if not entries:
        return
    # What cannot be stored or hashed fails here, where it is recorded, and not at the commit.
    collected = [_collected(one) for one in entries]
    wrapper: Any = connection
    with transaction.atomic(savepoint=False):
        for one in collected:
            wrapper.collect(one=one, write=_write)


def _collected(entry: Entry) -> _Collected:
    item, by = entry.item, entry.by
    workflow = entry.workflow or (item.workflow if item is not None else None)
    person = entry.person if entry.person is not None else by
    told = {
        "at": written(timezone.now()),
        "kind": str(entry.kind)[:40],
        "actor_id": by.pk if by is not None else None,
        "actor": storable(by.get_username()) if by is not None else "",
        "workflow_id": workflow.pk if workflow is not None else None,
        "workflow": workflow.slug if workflow is not None else "",
        "item": str(item.public_id) if item is not None else None,
        "facts": plain(entry.facts),
    }
    return _Collected(
        told=told,
        body=plain(entry.content) if entry.content else None,
        item_id=item.pk if item is not None else None,
        person_id=person.pk if person is not None else None,
    )


def plain(value: Any) -> Any:
    """As JSON that every database gives back as it was: PostgreSQL writes numbers with a point in a way of its own, so
    those are kept as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return storable(str(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float | Decimal | UUID):
        return str(value)
    if isinstance(value, datetime):
        return written(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {storable(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in (sorted(value) if isinstance(value, set | frozenset) else value)]
    raise TypeError(f"An audit event cannot hold a {type(value).__name__}.")


def written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _write(collected: list[_Collected]) -> None:
    """Called as the last of the transaction. From here to its end nobody else writes events."""
    head = hold_head()
    events, contents = [], []
    for one in collected:
        salt = secrets.token_hex(32) if one.body is not None else ""
        told = {
            **one.told, "sequence": head.sequence + 1, "previous": head.hash,
            "content_digest": digest_of(salt=salt, body=one.body) if salt else "",
        }  # fmt: skip
        head.sequence, head.hash = told["sequence"], hash_of(told)
        events.append(_event(told=told, hash=head.hash))
        if salt:
            contents.append(
                AuditContent(
                    event_sequence=head.sequence, item_id=one.item_id, person_id=one.person_id, salt=salt, body=one.body
                )
            )  # fmt: skip
    AuditEvent.objects.bulk_create(events)
    AuditContent.objects.bulk_create(contents)
    AuditHead.objects.filter(pk=HEAD).update(sequence=head.sequence, hash=head.hash)


def _event(*, told: dict[str, Any], hash: str) -> AuditEvent:
    return AuditEvent(
        sequence=told["sequence"], at=datetime.fromisoformat(told["at"]), kind=told["kind"], actor_id=told["actor_id"],
        actor=told["actor"], workflow_id=told["workflow_id"], workflow_slug=told["workflow"], item=told["item"],
        facts=told["facts"], content_digest=told["content_digest"], previous=told["previous"], hash=hash,
    )  # fmt: skip


def told_of(event: AuditEvent) -> dict[str, Any]:
    """The event as it was hashed, and its hash: a line of an export."""
    return {
        "sequence": event.sequence, "at": written(event.at), "kind": event.kind, "actor_id": event.actor_id,
        "actor": event.actor, "workflow_id": event.workflow_id, "workflow": event.workflow_slug,
        "item": str(event.item) if event.item is not None else None, "facts": event.facts,
        "content_digest": event.content_digest, "previous": event.previous, "hash": event.hash,
    }  # fmt: skip


def hold_head() -> AuditHead:
    """The end of the chain, ours to the end of the transaction. Where its row is gone the events themselves say where they end;
    verification tells of it."""
    head = AuditHead.objects.select_for_update().filter(pk=HEAD).first()
    if head is None:
        AuditHead.objects.bulk_create([AuditHead(pk=HEAD, sequence=0, hash=START)], ignore_conflicts=True)
        head = AuditHead.objects.select_for_update().get(pk=HEAD)
    if head.sequence == 0 and (last := AuditEvent.objects.first()) is not None:
        head.sequence, head.hash = last.sequence, last.hash
    return head
