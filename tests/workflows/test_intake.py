from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from tests.factories import STAFF, make_user, make_workflow
from workflows.intake import Upload, submit
from workflows.models import Item, Source
from workflows.reading import content_of


@pytest.mark.django_db
def test_a_file_that_was_cut_off_by_a_full_disk_is_not_taken_for_the_whole() -> None:
    workflow = make_workflow()
    by = make_user(can=STAFF, on=workflow)
    whole = Upload(name="a.txt", content=b"Invoice 17: 1,250.00 EUR")
    first = submit(workflow=workflow, by=by, channel="api", files=[whole]).item.sources.get()
    path = first.file.name
    default_storage.delete(path)
    default_storage.save(path, ContentFile(whole.content[:9]))  # what a write leaves that ended half-way
    again = submit(workflow=workflow, by=by, channel="api", files=[whole], external_id="again")
    assert content_of(source=again.item.sources.get()) == whole.content


@pytest.mark.django_db
def test_the_same_bytes_are_stored_once() -> None:
    workflow = make_workflow()
    by = make_user(can=STAFF, on=workflow)
    for name in ("a.txt", "b.txt"):
        submit(workflow=workflow, by=by, channel="api", files=[Upload(name=name, content=b"the same")])
    assert len(set(Source.objects.values_list("file", flat=True))) == 1


@pytest.mark.django_db
def test_characters_that_no_database_keeps_refuse_nothing() -> None:
    workflow = make_workflow()
    by = make_user(can=STAFF, on=workflow)
    broken = b"caf\xe9\x00".decode("utf-8", errors="surrogateescape")  # as a command line gives it
    item = submit(
        workflow=workflow, by=by, channel="command", text=f"From the {broken}", external_id=broken,
        files=[Upload(name=f"{broken}.txt", content=b"Some text", media_type=f"text/{broken}")],
        metadata={broken: [broken]},
    ).item  # fmt: skip
    item.refresh_from_db()
    kept = "caf\ufffd"
    assert (item.title, item.external_id, item.metadata) == (f"{kept}.txt", kept, {kept: [kept]})
    assert item.sources.get(kind="file").media_type == f"text/{kept}"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("sqlite" in str(connection.settings_dict.get("ENGINE")), reason="SQLite has one writer")
def test_of_two_that_come_in_at_once_with_the_same_content_one_is_skipped() -> None:
    workflow = make_workflow()
    by = make_user(can=STAFF, on=workflow)
    start = threading.Barrier(6)

    def give() -> None:
        try:
            start.wait(10)
            submit(workflow=workflow, by=by, channel="api", text="The same letter")
        finally:
            connection.close()

    threads = [threading.Thread(target=give) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    states: Any = list(Item.objects.values_list("state", flat=True))
    assert sorted(states) == ["received", *["skipped"] * 5]
