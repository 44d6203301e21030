from __future__ import annotations

import pytest

from integrations.documents.pages import Attachment, Page, Reading
from tests.factories import make_item, make_workflow
from workflows.intake import Upload, store_source
from workflows.models import Item, Source
from workflows.reading import MAX_SOURCES, content_of, notes_of, read_plain_sources, save_reading
from workflows.states import State

pytestmark = pytest.mark.django_db


def mail_of(item: Item) -> Source:
    return store_source(
        item=item, position=1, kind=Source.Kind.FILE, upload=Upload(name="a.eml", content=b"mail")
    )


def test_a_subject_with_characters_that_no_database_keeps_is_kept_without_them() -> None:
    source = mail_of(make_item(workflow=make_workflow(), state=State.RECEIVED))
    save_reading(
        source=source,
        reading=Reading(
            kind="mail", media_type="message/rfc822", title="Offer\x00 \udcff", notes=("a\x00b",),
            pages=(Page(number=1, text="Dear\x00 all \ud800"),),
        ),
    )  # fmt: skip
    source.refresh_from_db()
    assert (source.reading["title"], source.reading["notes"]) == ("Offer \ufffd", ["ab"])
    assert source.pages.get().text == "Dear all \ufffd"


def test_attachments_beyond_the_limit_are_not_left_out_silently() -> None:
    item = make_item(workflow=make_workflow(), state=State.RECEIVED)
    source = mail_of(item)
    attachments = tuple(
        Attachment(name=f"{number}.txt", content=str(number).encode(), media_type="text/plain")
        for number in range(MAX_SOURCES + 3)
    )
    save_reading(
        source=source,
        reading=Reading(
            kind="mail", media_type="message/rfc822", pages=(Page(number=1, text="See below"),), attachments=attachments
        ),
    )  # fmt: skip
    assert item.sources.count() == MAX_SOURCES
    [note] = notes_of(sources=[source])
    assert "5 attachments were left out" in note


def test_what_a_child_has_to_read_is_not_held_in_memory_meanwhile() -> None:
    item = make_item(workflow=make_workflow(), state=State.RECEIVED)
    source = store_source(
        item=item, position=1, kind=Source.Kind.FILE, upload=Upload(name="a.pdf", content=b"%PDF-1.7 \x00\x01")
    )  # fmt: skip
    [one], _ = read_plain_sources(sources=[source])
    assert one.source_id == source.pk
    assert not any(isinstance(getattr(one, name), bytes) for name in one.__slots__)
    assert content_of(source=source) == b"%PDF-1.7 \x00\x01"
