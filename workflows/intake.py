"""Work comes in: a payload becomes an item, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from workflows import audit
from workflows.access import Action, may
from workflows.errors import Conflict, InvalidInput, NotPermitted, Refused, TooLarge
from workflows.file_locks import keep_from_deletion
from workflows.models import SUBMITTED, CaseSource, IdempotencyKey, Item, Source, Workflow
from workflows.people import acting
from workflows.states import State
from workflows.storable import storable, storable_json
from workflows.transitions import move
from workflows.waking import wake

CAME_IN = {
    "admin": "Submitted by the form", "api": "Came in by the API", "command": "Came in by the command line",
    "demo": "Came in with the demo",
}  # fmt: skip
MAX_METADATA_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    content: bytes
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Submitted:
    item: Item
    created: bool  # False: a repeat; nothing new was made


class NotTaking(Refused):
    """The workflow takes no work at this stage."""


class KeyReused(InvalidInput):
    """The same idempotency key came with another request."""


def submit(
    *,
    workflow: Workflow,
    by: Any,
    channel: str,
    text: str = "",
    files: Sequence[Upload] = (),
    title: str = "",
    external_id: str = "",
    metadata: dict[str, Any] | None = None,
    idempotency_key: str = "",
    priority: int = SUBMITTED,
) -> Submitted:
    """Take one piece of work in. A repeat gives the same item; the same content under no name is kept and skipped.

    Raises NotPermitted, NotTaking, InvalidInput (TooLarge, KeyReused) or Conflict; then nothing was kept.
    """
    if not may(by, Action.SUBMIT, workflow):
        raise NotPermitted(f"You may not submit items to {workflow.name}. Ask whoever manages its access.")
    metadata = storable_json(metadata or {})
    text, title, external_id = (storable(part) for part in (text, title, external_id))
    _check(workflow=workflow, text=text, files=files, title=title, external_id=external_id, metadata=metadata,
           idempotency_key=idempotency_key)  # fmt: skip
    content = _hash_content(text=text, files=files)
    request = _hash_request(content=content, title=title, external_id=external_id, metadata=metadata)
    try:
        with transaction.atomic():
            if repeat := _repeat(workflow=workflow, by=by, key=idempotency_key, request=request,
                                 external_id=external_id, content=content):  # fmt: skip
                return Submitted(item=repeat, created=False)
            item = _create(
                workflow=workflow, by=by, channel=channel, text=text, files=files, title=title, priority=priority,
                external_id=external_id, metadata=metadata, content=content,
            )  # fmt: skip
            if idempotency_key:
                IdempotencyKey.objects.create(
                    workflow=workflow, user=by, key=idempotency_key, request_hash=request, item=item
                )
            return Submitted(item=item, created=True)
    except IntegrityError:
        # Another request with the same key or external id was first; its row is there now.
        if repeat := _repeat(workflow=workflow, by=by, key=idempotency_key, request=request,
                             external_id=external_id, content=content):  # fmt: skip
            return Submitted(item=repeat, created=False)
        raise


def check_takes_work(*, workflow: Workflow) -> None:
    if not workflow.takes_work:
        raise NotTaking(
            f"{workflow.name} takes no work now: it is {workflow.get_stage_display().lower()}"
            f"{'' if workflow.version_id else ' and has no active version'}. Nothing was kept. "
            "Its owner can open it."
        )


def _check(
    *, workflow: Workflow, text: str, files: Sequence[Upload], title: str, external_id: str, metadata: dict[str, Any],
    idempotency_key: str,
) -> None:  # fmt: skip
    check_takes_work(workflow=workflow)
    if not text.strip() and not files:
        raise InvalidInput(
            "Nothing was submitted. Paste a text or add a file.",
            problems={"text": "Paste a text or add a file."},
        )
    if len(text) > settings.MAX_TEXT_CHARACTERS:
        raise TooLarge(
            f"The text has {len(text):,} characters; {settings.MAX_TEXT_CHARACTERS:,} can be taken. Nothing was kept. "
            "Send it as a file, or in parts."
        )
    if len(files) > settings.MAX_FILES_PER_ITEM:
        raise TooLarge(
            f"{len(files)} files came in one item; {settings.MAX_FILES_PER_ITEM} can be taken. Nothing was kept. "
            "Submit them as several items."
        )
    for file in files:
        if len(file.content) > settings.MAX_FILE_BYTES:
            raise TooLarge(
                f"“{file.name}” is larger than {settings.MAX_FILE_BYTES // 2**20} MB. Nothing was kept. "
                "Send a smaller copy of it."
            )
    too_long = {
        "title": (title, 200), "external_id": (external_id, 200), "idempotency key": (idempotency_key, 255)
    }  # fmt: skip
    problems = {
        name: f"At most {limit} characters; this has {len(value)}."
        for name, (value, limit) in too_long.items()
        if len(value) > limit
    }
    if len(json.dumps(metadata)) > MAX_METADATA_CHARACTERS:
        problems["metadata"] = f"At most {MAX_METADATA_CHARACTERS:,} characters."
    if problems:
        raise InvalidInput("Some of it is too long. Nothing was kept.", problems=problems)


def _hash_content(*, text: str, files: Sequence[Upload]) -> str:
    return hash_of(text=text, digests=[hashlib.sha256(file.content).digest() for file in files])


def hash_of(*, text: str, digests: Sequence[bytes]) -> str:
    """Of what there is to read, in its order; names and titles do not make a content another one."""
    digest = hashlib.sha256(" ".join(text.split()).encode())
    for one in digests:
        digest.update(one)
    return digest.hexdigest()


def _hash_request(*, content: str, title: str, external_id: str, metadata: dict[str, Any]) -> str:
    whole = json.dumps([content, title, external_id, metadata], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _repeat(
    *, workflow: Workflow, by: Any, key: str, request: str, external_id: str, content: str
) -> Item | None:
    if key:
        known = (
            IdempotencyKey.objects.select_related("item").filter(workflow=workflow, user=by, key=key).first()
        )
        if known:
            if known.request_hash != request:
                raise KeyReused(
                    "This idempotency key came before with another request. Nothing was kept. "
                    "Use a new key for a new item, or repeat the first request as it was."
                )
            return known.item
    if external_id:
        same = Item.objects.filter(workflow=workflow, external_id=external_id).first()
        if same:
            if same.content_hash != content:
                raise Conflict(
                    f"An item with the external id “{external_id}” is here already, with other content. "
                    "It was left as it is. Submit the new content under another id."
                )
            return same
    return None


def _create(
    *, workflow: Workflow, by: Any, channel: str, text: str, files: Sequence[Upload], title: str, priority: int,
    external_id: str, metadata: dict[str, Any], content: str,
) -> Item:  # fmt: skip
    item = Item(
        workflow=workflow, version_id=workflow.version_id, title=(title or _title(text=text, files=files))[:200],
        channel=channel, submitted_by=by, external_id=external_id, metadata=metadata, content_hash=content,
        priority=priority,
    )  # fmt: skip
    with acting(by=by, why=CAME_IN.get(channel, f"Came in by {channel}"), on=item):
        item.save(force_insert=True)
    if text.strip():
        store_source(
            item=item,
            position=0,
            kind=Source.Kind.TEXT,
            upload=Upload(name="", content=text.encode(), media_type="text/plain"),
        )
    for position, file in enumerate(files, start=1):
        store_source(item=item, position=position, kind=Source.Kind.FILE, upload=file)
    audit.record(
        kind=audit.Kind.ITEM_RECEIVED, by=by, item=item,
        facts={"channel": channel, "version": item.version_id, "files": len(files), "text": bool(text.strip())},
        content={"title": item.title, "external_id": external_id, "files": [file.name for file in files]},
    )  # fmt: skip
    # One after the other from here to the commit, or two that come in at once do not see each other.
    Workflow.objects.select_for_update(no_key=True).only("pk").get(pk=workflow.pk)
    same = Item.objects.filter(workflow=workflow, content_hash=content).exclude(pk=item.pk)
    if (before := same.order_by("pk").first()) is not None:
        return move(
            item=item, to=State.SKIPPED, by=by, why="The same content came in before",
            problem={
                "happened": f"The same content came in before, as “{before.title}”.",
                "kept": "This copy and its files are kept.",
                "next_step": "Nothing, unless it is meant to be done twice: then reopen it.",
                "item": str(before.public_id),
            },
        )  # fmt: skip
    wake(task="workflows.tasks.work")
    return item


def _title(*, text: str, files: Sequence[Upload]) -> str:
    if files:
        return storable(files[0].name) or "Unnamed file"
    line = next((line.strip() for line in text.splitlines() if line.strip()), "Pasted text")
    return line if len(line) <= 80 else line[:77].rstrip() + "…"


def store_source(*, item: Item, position: int, kind: Source.Kind, upload: Upload) -> Source:
    digest = hashlib.sha256(upload.content).hexdigest()
    source = Source(
        item=item, position=position, kind=kind, name=storable(upload.name)[-200:],
        media_type=storable(upload.media_type)[:120], sha256=digest, size=len(upload.content),
    )  # fmt: skip
    keep_file(source=source, content=upload.content)
    source.save(force_insert=True)
    return source


def keep_file(*, source: Source | CaseSource, content: bytes) -> None:
    """Store the bytes under their own hash, and name that place in the unsaved row. Save it in the same transaction."""
    keep_from_deletion(sha256=source.sha256)
    path = source.file.field.generate_filename(source, source.sha256)
    # The same bytes are stored once, whichever item they came with. A file of another size was cut off while it was
    # written (a full disk, a killed process), or is being written: it is not these bytes.
    if default_storage.exists(path) and default_storage.size(path) != len(content):
        default_storage.delete(path)
    if not default_storage.exists(path):
        path = default_storage.save(path, ContentFile(content))
    source.file.name = path
