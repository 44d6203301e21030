"""The sources of an item become pages of text. What cannot be read is kept, with the reason and the next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from integrations.documents.pages import Reading, Unreadable
from integrations.documents.plain import read_plain_text
from integrations.documents.reader import is_plain_text
from workflows.drafting.documents import PageText
from workflows.intake import Upload, store_source
from workflows.models import Page, Source
from workflows.storable import storable, storable_json

MAX_SOURCES = 40  # files of one item, attachments of attachments included


@dataclass(frozen=True, slots=True)
class ToRead:
    """A source that needs the child process. Its bytes stay on the disk until its turn comes: items have many files."""

    source_id: int
    name: str
    media_type: str


def read_plain_sources(*, sources: Sequence[Source]) -> tuple[list[ToRead], dict[int, list[Page]]]:
    """Read what is plain text here and now. Returns what has to be read in a child process, and the pages just read."""
    elsewhere = []
    pages: dict[int, list[Page]] = {}
    for source in sources:
        if source.read_at is not None:
            continue
        content = content_of(source=source)
        if source.kind == Source.Kind.TEXT or is_plain_text(
            content=content, name=source.name, media_type=source.media_type
        ):
            try:
                pages[source.pk] = save_reading(source=source, reading=read_plain_text(content=content))
            except Unreadable as why:
                save_unreadable(source=source, why=why)
        else:
            elsewhere.append(ToRead(source.pk, source.name, source.media_type))
    return elsewhere, pages


def content_of(*, source: Source) -> bytes:
    with source.file.open("rb") as file:
        content: bytes = file.read()
    return content


def save_reading(*, source: Source, reading: Reading) -> list[Page]:
    """Store the pages, and each attachment as a source of its own, to be read next."""
    with transaction.atomic():
        if source.reading:  # read before
            Page.objects.filter(source=source).delete()
        pages = page_rows(source=source, reading=reading)
        Page.objects.bulk_create(pages)
        source.read_at = timezone.now()
        source.unreadable = None
        there = Source.objects.filter(item=source.item_id).count() if reading.attachments else 0
        attachments = reading.attachments[: max(0, MAX_SOURCES - there)]
        notes = list(reading.notes)
        if left_out := len(reading.attachments) - len(attachments):
            notes.append(
                f"{left_out} {'attachment was' if left_out == 1 else 'attachments were'} left out: "
                f"an item holds at most {MAX_SOURCES} files."
            )
        source.reading = storable_json({
            "kind": reading.kind, "title": reading.title, "sent_at": reading.sent_at,
            "newest_end": reading.newest_end, "notes": notes,
        })  # fmt: skip
        source.save(update_fields=["read_at", "reading", "unreadable"])
        for position, attachment in enumerate(attachments, start=there + 1):
            store_source(
                item=source.item, position=position, kind=Source.Kind.ATTACHMENT,
                upload=Upload(name=attachment.name, content=attachment.content, media_type=attachment.media_type),
            )  # fmt: skip
    return pages


def page_rows(*, source: Source, reading: Reading) -> list[Page]:
    """Not saved yet: a case of an evaluation is read in the same way and keeps none."""
    return [
        Page(
            source=source, number=page.number, text=storable(page.text), width=page.width,
            height=page.height, method=page.method,
            pieces=[[one.start, one.end, *one.box, one.confidence] for one in page.pieces],
        )
        for page in reading.pages
    ]  # fmt: skip


def save_unreadable(*, source: Source, why: Unreadable) -> None:
    source.read_at = timezone.now()
    source.unreadable = storable_json(
        {"reason": str(why.reason), "message": why.message, "next_step": why.next_step}
    )
    source.save(update_fields=["read_at", "unreadable"])


def pages_of(*, sources: Sequence[Source], read: dict[int, list[Page]]) -> list[PageText]:
    """The pages of the sources in their order, as drafting reads them; those just `read` are not asked for again."""
    pages = dict(read)
    if others := [source.pk for source in sources if source.pk not in read]:
        for page in Page.objects.filter(source__in=others).order_by("source", "number"):
            pages.setdefault(page.source_id, []).append(page)
    return [
        PageText(
            source=source.pk, source_name=source.name, number=page.number, text=page.text,
            pieces=[
                {"start": start, "end": end, "box": box, "confidence": confidence}
                for start, end, *box, confidence in page.pieces
            ],
        )
        for source in sources
        for page in pages.get(source.pk, ())
    ]  # fmt: skip


def notes_of(*, sources: Sequence[Source]) -> list[str]:
    """What a reviewer must know of the sources: what was left out, and attachments that could not be read."""
    notes = []
    for source in sources:
        notes += source.reading.get("notes", [])
        if source.unreadable and source.kind == Source.Kind.ATTACHMENT:
            if source.media_type.startswith("image/") and source.unreadable["reason"] == "no_text":
                continue  # a logo or a signature: nothing is missing
            notes.append(f"attachment {source.name}: {source.unreadable['message']}")
    return notes
