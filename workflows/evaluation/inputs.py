"""A case as an item would be read: every file in the reader's child process, attachments after them. Nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone

from integrations.documents.pages import Unreadable
from integrations.documents.plain import read_plain_text
from integrations.documents.reader import Reader, is_plain_text
from workflows.asking import reference_date
from workflows.drafting.documents import PageText
from workflows.models import Case, Page, Source
from workflows.reading import MAX_SOURCES, page_rows, pages_of


@dataclass(frozen=True, slots=True)
class Material:
    """One source of a case, without the database."""

    name: str
    media_type: str
    content: bytes
    is_text: bool = False  # pasted
    is_attachment: bool = False


@dataclass(slots=True)
class CaseInput:
    pages: list[PageText]
    counts_from: date


@dataclass(slots=True)
class _Read:
    sources: list[Source] = field(default_factory=list)
    pages: dict[int, list[Page]] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)


def material_of(*, case: Case) -> list[Material]:
    found = []
    for source in case.sources.all():
        with source.file.open("rb") as file:
            content: bytes = file.read()
        found.append(Material(source.name, source.media_type, content, is_text=not source.name))
    return found


def read_input(*, material: Sequence[Material], came_in: date, reader: Reader) -> CaseInput:
    """Raises Unreadable when a source that is no attachment cannot be read, as an item goes to attention then."""
    waiting, read = list(material), _Read()
    while waiting:
        one = waiting.pop(0)
        number = len(read.sources)
        source = Source(pk=number, name=one.name)
        read.sources.append(source)
        try:
            if one.is_text or is_plain_text(content=one.content, name=one.name, media_type=one.media_type):
                reading = read_plain_text(content=one.content)
            else:
                reading = reader.read(content=one.content, name=one.name, media_type=one.media_type)
        except Unreadable:
            if one.is_attachment:
                continue
            raise
        read.pages[number] = page_rows(source=source, reading=reading)
        read.sent.append(reading.sent_at)
        room = max(0, MAX_SOURCES - len(read.sources) - len(waiting))
        waiting += [
            Material(each.name, each.media_type, each.content, is_attachment=True)
            for each in reading.attachments[:room]
        ]
    pages = pages_of(sources=[source for source in read.sources if source.pk in read.pages], read=read.pages)
    return CaseInput(pages=pages, counts_from=reference_date(sent=read.sent, came_in=came_in))


def came_in_on(*, case: Case) -> date:
    return timezone.localdate(case.created_at)
