"""The source beside the fields: pages as pictures, text, and what stands there when there is neither."""

from __future__ import annotations

import io
import re
import threading
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from integrations.documents.pages import Reason, Unreadable
from integrations.documents.reader import Reader
from reviews.admin import page_pictures
from reviews.admin.page_pictures import clear_oldest, picture_of
from tests.factories import STAFF, make_item, make_run, make_user, make_workflow
from tests.integrations.documents.samples import A4, StandardEncryption, as_bytes, invoice, pdf, picture, scan
from tests.reviews.admin.conftest import signed_in
from workflows.intake import Upload, store_source
from workflows.models import FieldResult, Item, Page, Source, Workflow
from workflows.reading import content_of, save_reading, save_unreadable


@pytest.fixture(scope="module")
def reader() -> Any:
    with Reader() as warm:
        yield warm


def add_file(*, item: Item, reader: Reader, name: str, content: bytes, media_type: str = "") -> Source:
    """A file of an item, read by the real reader."""
    source = store_source(
        item=item, position=item.sources.count(), kind=Source.Kind.FILE,
        upload=Upload(name=name, content=content, media_type=media_type),
    )  # fmt: skip
    try:
        save_reading(source=source, reading=reader.read(content=content, name=name, media_type=media_type))
    except Unreadable as why:
        save_unreadable(source=source, why=why)
    return source


def point_at(*, item: Item, source: Source, quote: str, key: str = "total") -> None:
    """The value of the field stands where `quote` stands in the source."""
    page = next(one for one in source.pages.all() if quote in one.text)
    start = page.text.index(quote)
    FieldResult.objects.filter(run__item=item, key=key).update(
        evidence={
            "status": "verbatim", "quote": quote, "source": source.pk, "page": page.number, "start": start, "end": start + len(quote),
        }
    )  # fmt: skip


def page_of(client: Client, item: Item) -> str:
    answer = client.get(f"/admin/workflows/item/{item.pk}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


def address(item: Item, source: Source, number: int = 1, width: int = 1000) -> str:
    return f"/admin/workflows/item/{item.pk}/sources/{source.pk}/pages/{number}/{width}/"


def boxes_in(page: str, key: str) -> list[tuple[float, ...]]:
    found = re.findall(rf'class="cs-box[^"]*" style="([^"]+)"[^>]* data-keys="{key}"', page)
    return [tuple(float(part) for part in re.findall(r"[\d.]+", style)) for style in found]


def dark_share(picture: Image.Image, box: tuple[float, ...]) -> float:
    left, top, width, height = (part / 100 for part in box)
    cut = picture.convert("L").crop((
        int(left * picture.width), int(top * picture.height),
        int((left + width) * picture.width), int((top + height) * picture.height),
    ))  # fmt: skip
    histogram = cut.histogram()
    return sum(histogram[:128]) / sum(histogram)


def test_a_page_is_a_picture_and_the_evidence_lies_on_its_words(
    staff: Client, workflow: Workflow, reader: Reader
) -> None:
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    point_at(item=item, source=source, quote="4,182.60")
    page = page_of(staff, item)
    (box,) = boxes_in(page, "total")
    answer = staff.get(address(item, source))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    drawn = Image.open(io.BytesIO(answer.content))
    assert (drawn.width, round(drawn.width / drawn.height, 2)) == (1000, round(A4[0] / A4[1], 2))
    assert dark_share(drawn, box) > 0.1
    assert dark_share(drawn, (0, 0, 100, 100)) < 0.01


def test_a_scan_has_boxes_where_its_words_were_recognised(
    staff: Client, workflow: Workflow, reader: Reader
) -> None:
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="scan.pdf", content=scan(["Receipt", "Total 12.50 EUR"]))
    assert source.pages.get().method == "ocr"
    point_at(item=item, source=source, quote="12.50")
    (box,) = boxes_in(page_of(staff, item), "total")
    drawn = Image.open(io.BytesIO(staff.get(address(item, source)).content))
    assert dark_share(drawn, box) > 0.05
    left, top, width, height = box
    assert dark_share(drawn, (left, top + 2 * height, width, height)) == 0


def test_a_picture_is_for_those_who_may_see_the_item(workflow: Workflow, reader: Reader) -> None:
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    elsewhere = make_item(workflow=make_workflow("hidden"))
    insider = signed_in(make_user(can=STAFF, on=workflow))
    outsider = signed_in(make_user(can=STAFF, on=elsewhere.workflow))
    found = f"/admin/workflows/item/{item.pk}/sources/{source.pk}/find/?text=total"
    assert insider.get(address(item, source)).status_code == 200
    assert insider.get(found).status_code == 200
    for client in (outsider, signed_in(make_user())):
        assert client.get(address(item, source)).status_code == 404
        assert client.get(found).status_code == 404
    assert Client().get(address(item, source)).status_code == 302
    # Nor by way of an item that one may see.
    assert outsider.get(address(elsewhere, source)).status_code == 404
    assert insider.post(address(item, source)).status_code == 405


def test_a_picture_that_was_taken_away_is_not_confirmed_to_the_browser(
    workflow: Workflow, reader: Reader
) -> None:
    from guardian.shortcuts import remove_perm

    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    person = make_user(can=STAFF, on=workflow)
    etag = signed_in(person).get(address(item, source))["ETag"]
    remove_perm("view_workflow", person, workflow)
    assert signed_in(person).get(address(item, source), headers={"If-None-Match": etag}).status_code == 404


@pytest.mark.parametrize(("number", "width"), [(0, 1000), (2, 1000), (999, 1000), (1, 999), (1, 100_000)])
def test_there_are_only_the_pages_and_widths_there_are(
    staff: Client, workflow: Workflow, reader: Reader, number: int, width: int
) -> None:
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    assert staff.get(address(item, source, number, width)).status_code == 404


def test_what_is_no_pdf_or_image_has_no_picture(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    assert staff.get(address(item, item.sources.get())).status_code == 404


def test_a_picture_is_drawn_once_kept_and_never_stored_by_others(
    staff: Client, workflow: Workflow, reader: Reader
) -> None:
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    first = staff.get(address(item, source))
    assert first["Cache-Control"] == "private, max-age=86400, immutable"
    assert first["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in first["Content-Security-Policy"]
    assert staff.get(address(item, source), headers={"If-None-Match": first["ETag"]}).status_code == 304
    source.file.delete(save=False)  # so it could not be drawn again
    again = staff.get(address(item, source))
    assert (again.status_code, again.content) == (200, first.content)
    assert staff.get(address(item, source, width=1600)).status_code == 422


def test_the_oldest_pictures_make_room(workflow: Workflow, reader: Reader) -> None:
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    small = picture_of(source=source, number=1, width=300, asked_by=1)
    large = picture_of(source=source, number=1, width=1000, asked_by=1)
    assert clear_oldest(most_bytes=len(small) + len(large)) == 0
    assert clear_oldest(most_bytes=len(large)) == 1
    assert clear_oldest(most_bytes=0) == 1


def test_a_page_that_cannot_be_drawn_says_why_in_words_and_is_not_tried_again(
    staff: Client, workflow: Workflow
) -> None:
    item = make_item(workflow=workflow)
    source = store_source(
        item=item, position=1, kind=Source.Kind.FILE, upload=Upload(name="a.pdf", content=b"%PDF-1.4 broken", media_type="")
    )  # fmt: skip
    source.pages.create(number=1, text="Read by an older reader", method="text")
    Source.objects.filter(pk=source.pk).update(reading={"kind": "pdf"}, read_at=timezone.now())
    answer = staff.get(address(item, source))
    assert answer.status_code == 422
    assert "damaged" in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    source.file.storage.delete(source.file.name)
    source.file.storage.save(source.file.name, io.BytesIO(pdf(invoice)))
    assert staff.get(address(item, source)).status_code == 422
    assert "Read by an older reader" in page_of(staff, item)


def test_nobody_waits_for_ever_for_a_picture(
    staff: Client, workflow: Workflow, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    monkeypatch.setattr(page_pictures, "_WAIT_SECONDS", 0.05)
    with page_pictures._drawing:  # another page takes long
        answer = staff.get(address(item, source))
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert staff.get(address(item, source)).status_code == 200
    monkeypatch.setattr(page_pictures, "_PLACE_SECONDS", 0.05)
    places = [page_pictures._waiting.acquire(blocking=False) for _ in range(page_pictures._MOST_WAITING)]
    try:
        assert all(places)
        assert staff.get(address(item, source, width=300)).status_code == 503
        assert staff.get(address(item, source)).status_code == 200  # kept: it needs no place
    finally:
        for _ in places:
            page_pictures._waiting.release()


def test_pages_are_drawn_at_a_bounded_rate_for_one_person(
    staff: Client, workflow: Workflow, reader: Reader, settings: Any
) -> None:
    settings.PICTURES_DRAWN_PER_MINUTE = 1
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    assert staff.get(address(item, source)).status_code == 200
    assert staff.get(address(item, source)).status_code == 200  # kept: not counted
    refused = staff.get(address(item, source, width=300))
    assert (refused.status_code, int(refused["Retry-After"]) > 0) == (503, True)
    other = signed_in(make_user(can=STAFF, on=workflow))
    assert other.get(address(item, source, width=300)).status_code == 200


@pytest.mark.django_db(transaction=True)  # each thread has a connection of its own, and counts there
def test_the_same_picture_asked_for_twice_at_once_is_drawn_once(workflow: Workflow, reader: Reader) -> None:
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    got: list[bytes] = []
    with page_pictures._drawing:
        threads = [
            threading.Thread(target=lambda: got.append(picture_of(source=source, number=1, width=300, asked_by=1)))
            for _ in range(2)
        ]  # fmt: skip
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(got) == 2
    assert got[0] == got[1]


def test_search_finds_words_over_line_ends_and_tells_where_they_stand(
    staff: Client, workflow: Workflow, reader: Reader
) -> None:
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    find = f"/admin/workflows/item/{item.pk}/sources/{source.pk}/find/"
    (hit,) = staff.get(find, {"text": "TOTAL due   4,182"}).json()["found"]
    assert hit["page"] == 1
    assert len(hit["boxes"]) == 2  # the label and, in a far column, its value
    over_lines = staff.get(find, {"text": "697.10 total"}).json()["found"]
    assert len(over_lines) == 1
    for nothing in ("", "   ", ".*", "nowhere"):
        assert staff.get(find, {"text": nothing}).json() == {"found": [], "more": False}


def test_search_stops_at_its_bound_and_says_so(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow, text="a " * 300)
    find = f"/admin/workflows/item/{item.pk}/sources/{item.sources.get().pk}/find/"
    answer = staff.get(find, {"text": "a"}).json()
    assert (len(answer["found"]), answer["more"]) == (200, True)


def test_several_sources_are_named_and_the_unreadable_say_why(
    staff: Client, workflow: Workflow, reader: Reader
) -> None:
    item = make_item(workflow=workflow, text="See the files.")
    locked = pdf(invoice, encrypt=StandardEncryption("secret"))
    add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    add_file(item=item, reader=reader, name="locked.pdf", content=locked)
    add_file(item=item, reader=reader, name="broken.pdf", content=b"%PDF-1.7\nnothing")
    blank = add_file(item=item, reader=reader, name="blank.png", content=as_bytes(picture([])))
    page = page_of(staff, item)
    for name in ("Pasted text", "invoice.pdf", "locked.pdf", "broken.pdf", "blank.png"):
        assert f"<span>{name}</span></a>" in page
    assert "This PDF needs a password" in page
    assert "This PDF is damaged" in page
    assert "No text was found in this file" in page
    # A person may see what recognition did not.
    assert staff.get(address(item, blank)).status_code == 200
    assert staff.get(address(item, blank, number=2)).status_code == 404
    assert staff.get(address(item, item.sources.get(name="locked.pdf"))).status_code == 404


def test_a_mail_folds_its_older_mails_and_marks_open_in_them(
    staff: Client, workflow: Workflow, reader: Reader
) -> None:
    mail = (
        b"From: Ines <ines@a.example>\r\nTo: us@b.example\r\nDate: Thu, 19 Nov 2026 11:32:48 +0000\r\nSubject: <b>Two</b> pumps\r\n"
        b"Message-ID: <1@a.example>\r\nMIME-Version: 1.0\r\n\r\nPlease send two.\r\n\r\n"
        b"On Tue, 3 Nov 2026 at 16:05, Us <us@b.example> wrote:\r\n\r\n> They cost 12.50 EUR each.\r\n> <script>alert(1)</script>\r\n"
    )
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="mail.eml", content=mail)
    point_at(item=item, source=source, quote="12.50 EUR")
    page = page_of(staff, item)
    head, older = page.split("<details><summary>Older mails, 4 lines, 1 mark</summary>")
    assert "Please send two." in head
    assert "Please send two." not in older
    assert 'data-keys="total" data-names="Total">12.50 EUR</mark>' in older
    assert '<th scope="row"><span data-text>Subject: </span></th>' in head
    assert "<script>alert(1)" not in page
    assert "<b>Two</b>" not in page


HOSTILE = '</span></mark><script>alert(1)</script><img src=x onerror=alert(1)>" onmouseover="alert(1)'


@pytest.mark.parametrize(
    "text",
    [HOSTILE, f"Ann: {HOSTILE}\nBob: no\nAnn: x\nBob: y\n", f"From: {HOSTILE}\nTo: b\n\nhello", f"{HOSTILE}: a | b: {HOSTILE}\n"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["text", "csv", "email", "docx"])
def test_hostile_text_stays_text_in_every_layout(
    staff: Client, workflow: Workflow, text: str, kind: str
) -> None:
    item = make_item(workflow=workflow, text=text)
    Source.objects.filter(item=item).update(reading={"kind": kind}, name=HOSTILE[:100])
    FieldResult.objects.filter(run__item=item, key="name").update(
        evidence={"status": "verbatim", "source": item.sources.get().pk, "page": 1, "start": 0, "end": 12}
    )
    page = page_of(staff, item)
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert '" onmouseover="alert(1)' not in page
    assert HOSTILE in unescape(re.sub(r"</?(?:span|mark)[^>]*>", "", page))


def test_only_so_much_text_is_shown_and_the_rest_is_said(
    staff: Client, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reviews.admin import source_panel

    monkeypatch.setattr(source_panel, "MOST_CHARACTERS", 20)
    item = make_item(workflow=workflow, text="123456789 " * 2)
    assert "There is more. Download the file" not in page_of(staff, item)
    item = make_item(workflow=workflow, text="123456789 " * 2 + "left out")
    page = page_of(staff, item)
    assert "There is more. Download the file" in page
    assert "left out" not in page


def test_an_empty_page_between_others_is_shown_empty(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    source = item.sources.get()
    for number, text in ((2, ""), (3, "  \n"), (4, "after it")):
        source.pages.create(number=number, text=text, method="text")
    assert "after it" in page_of(staff, item)


def test_a_page_takes_the_same_number_of_queries_for_any_number_of_sources_pages_and_marks(
    staff: Client, workflow: Workflow
) -> None:
    item = make_item(workflow=workflow)

    def more(files: int, pages: int) -> None:
        run = make_run(item=item)
        for _ in range(files):
            source = store_source(
                item=item, position=item.sources.count(), kind=Source.Kind.FILE, upload=Upload(name="a.pdf", content=b"%PDF", media_type="")
            )  # fmt: skip
            Source.objects.filter(pk=source.pk).update(reading={"kind": "pdf"}, read_at=timezone.now())
            for number in range(1, pages + 1):
                Page.objects.create(
                    source=source, number=number, text="12.50 EUR", method="text", width=595, height=842, pieces=[[0, 9, 0.1, 0.1, 0.2, 0.12, None]]
                )  # fmt: skip
            for number, key in enumerate(("name", "total", "due"), start=1):
                FieldResult.objects.filter(run=run, key=key).update(
                    evidence={"status": "verbatim", "source": source.pk, "page": min(number, pages), "start": 0, "end": 9}
                )  # fmt: skip

    def queries() -> int:
        with CaptureQueriesContext(connection) as told:
            page = page_of(staff, item)
        assert "cs-box" in page
        return len(told)

    more(1, 1)
    page_of(staff, item)
    few = queries()
    more(3, 8)
    assert queries() == few


def test_every_reason_of_a_file_that_cannot_be_read_has_a_title() -> None:
    from reviews.admin.source_panel import _TITLES

    assert set(_TITLES) == {reason.value for reason in Reason}


def test_a_file_is_read_from_the_disk_only_to_be_drawn(
    staff: Client, workflow: Workflow, reader: Reader
) -> None:
    item = make_item(workflow=workflow)
    source = add_file(item=item, reader=reader, name="invoice.pdf", content=pdf(invoice))
    assert content_of(source=source).startswith(b"%PDF")
    source.file.delete(save=False)
    assert "4,182.60" in page_of(staff, item)
