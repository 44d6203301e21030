import io

import numpy as np
import pytest
from PIL import Image

from integrations.documents.pages import Page, Reason, Unreadable
from integrations.documents.reader import Reader
from tests.integrations.documents.samples import A4, INVOICE_ROWS, StandardEncryption, invoice, pdf, scan


def boxes_of(page: Page, quote: str) -> list[tuple[float, float, float, float]]:
    start = page.text.index(quote)
    return [piece.box for piece in page.pieces if piece.start < start + len(quote) and piece.end > start]


def test_a_label_and_its_value_stand_on_one_line_whatever_the_order_of_drawing(reader: Reader) -> None:
    reading = reader.read(content=pdf(invoice), name="invoice.pdf")
    lines = reading.pages[0].text.split("\n")
    for label, value in INVOICE_ROWS:
        assert f"{label}   {value}" in lines
    assert lines[0] == "Brightwater Pumps Ltd"
    assert reading.pages[0].method == "text"


def test_boxes_are_fractions_of_the_page_from_its_top_left(reader: Reader) -> None:
    page = reader.read(content=pdf(invoice), name="invoice.pdf").pages[0]
    ((x0, y0, x1, y1),) = boxes_of(page, "4,182.60")
    width, height = A4
    assert x1 == pytest.approx(520 / width, abs=0.01)
    assert y0 < (height - 364) / height < y1
    assert 0 < x0 < x1 < 1


def test_pieces_follow_the_text_and_do_not_overlap(reader: Reader) -> None:
    page = reader.read(content=pdf(invoice), name="invoice.pdf").pages[0]
    assert [page.text[piece.start : piece.end] for piece in page.pieces] == page.text.split()
    assert all(one.end <= next_one.start for one, next_one in zip(page.pieces, page.pieces[1:], strict=False))


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_with_a_rotation_reads_and_shows_the_same_way(reader: Reader, turn: int) -> None:
    def draw(canvas):
        canvas.setPageRotation(turn)
        canvas.setFillColorRGB(1, 0, 0)
        canvas.rect(60, 400, 60, 30, fill=1, stroke=0)
        canvas.setFillColorRGB(0, 0, 0)
        canvas.drawString(60, 400, "Purchase order 4471 for Brightwater Pumps")

    content = pdf(draw)
    page = reader.read(content=content, name="turned.pdf").pages[0]
    assert page.text == "Purchase order 4471 for Brightwater Pumps"
    shown = Image.open(io.BytesIO(reader.render(content=content, number=1, width_px=600)))
    x0, y0, x1, y1 = page.pieces[0].box
    middle = int((x0 + x1) / 2 * shown.width), int((y0 + y1) / 2 * shown.height)
    around = np.asarray(shown.crop((middle[0] - 5, middle[1] - 5, middle[0] + 6, middle[1] + 6)))
    assert ((around[..., 0] > 200) & (around[..., 1] < 80)).any(), "the box must lie on the word's red ground"


def test_text_drawn_sideways_is_read_as_a_line(reader: Reader) -> None:
    def draw(canvas):
        canvas.drawString(60, 700, "The page itself stands upright and says this")
        canvas.rotate(90)
        canvas.drawString(100, -550, "Delivery note 88 stands in the margin")

    page = reader.read(content=pdf(draw), name="margin.pdf").pages[0]
    assert page.text.split("\n")[0] == "The page itself stands upright and says this"
    assert "Delivery note 88 stands in the margin" in page.text.split("\n")


def test_running_text_in_two_columns_is_read_column_by_column(reader: Reader) -> None:
    def draw(canvas):
        for row in range(10):
            canvas.drawString(60, 700 - 14 * row, f"left column line {row} has some words")
            canvas.drawString(320, 700 - 14 * row, f"right column line {row} has other words")

    lines = reader.read(content=pdf(draw), name="leaflet.pdf").pages[0].text.split("\n")
    assert lines[0] == "left column line 0 has some words"
    assert lines.index("left column line 9 has some words") < lines.index(
        "right column line 0 has other words"
    )


def test_values_filled_into_a_form_are_read_beside_their_labels(reader: Reader) -> None:
    def draw(canvas):
        canvas.drawString(60, 700, "Customer number")
        canvas.acroForm.textfield(name="customer", value="BW-20931", x=200, y=692, width=200, height=20)

    page = reader.read(content=pdf(draw), name="form.pdf").pages[0]
    assert page.text.split() == ["Customer", "number", "BW-20931"]
    assert boxes_of(page, "BW-20931")


def test_text_outside_the_page_is_not_read(reader: Reader) -> None:
    def draw(canvas):
        canvas.drawString(60, 700, "Everybody can see this sentence")
        canvas.drawString(60, 5000, "Nobody can see this sentence")

    assert reader.read(content=pdf(draw), name="a.pdf").pages[0].text == "Everybody can see this sentence"


def test_a_scan_is_recognised_with_boxes_and_confidence(reader: Reader) -> None:
    reading = reader.read(content=scan(["INVOICE 2024-118", "Total due 4,182.60 EUR"]), name="scan.pdf")
    page = reading.pages[0]
    assert page.method == "ocr"
    assert "2024-118" in page.text
    assert "4,182.60" in page.text
    assert all(piece.confidence is not None and 0.5 < piece.confidence <= 1 for piece in page.pieces)
    assert all(0.5 > piece.box[1] > 0 for piece in page.pieces), "the picture is in the upper half"


def test_a_locked_pdf_asks_for_a_copy_without_a_password(reader: Reader) -> None:
    content = pdf(invoice, encrypt=StandardEncryption("user-secret", ownerPassword="owner", strength=128))
    with pytest.raises(Unreadable) as refusal:
        reader.read(content=content, name="locked.pdf")
    assert refusal.value.reason is Reason.NEEDS_PASSWORD
    assert "without a password" in refusal.value.next_step


def test_a_pdf_whose_password_only_forbids_printing_is_read(reader: Reader) -> None:
    content = pdf(invoice, encrypt=StandardEncryption("", ownerPassword="owner", strength=128, canPrint=0))
    assert "4,182.60" in reader.read(content=content, name="protected.pdf").pages[0].text


@pytest.mark.parametrize("keep", [40, 300])
def test_a_truncated_pdf_is_called_damaged(reader: Reader, keep: int) -> None:
    with pytest.raises(Unreadable) as refusal:
        reader.read(content=pdf(invoice)[:keep], name="cut.pdf")
    assert refusal.value.reason is Reason.BROKEN


def test_pages_beyond_the_limit_are_left_out_with_a_note() -> None:
    from integrations.documents.limits import Limits

    def draw(canvas):
        for number in range(1, 5):
            canvas.drawString(60, 700, f"This is what page {number} says")
            canvas.showPage()
        canvas.drawString(60, 700, "This is the last page of all")

    with Reader(limits=Limits(max_pages=2)) as strict:
        reading = strict.read(content=pdf(draw), name="long.pdf")
    assert [page.text for page in reading.pages] == ["This is what page 1 says", "This is what page 2 says"]
    assert reading.notes == ("Only the first 2 of 5 pages were read.",)


def test_a_page_is_rendered_in_the_asked_form(reader: Reader) -> None:
    for form in ("PNG", "WEBP"):
        content = reader.render(content=pdf(invoice), number=1, width_px=400, form=form)
        assert Image.open(io.BytesIO(content)).format == form


def test_a_page_is_rendered_in_the_asked_width(reader: Reader) -> None:
    shown = Image.open(io.BytesIO(reader.render(content=pdf(invoice), number=1, width_px=400)))
    assert shown.format == "PNG"
    assert shown.width == pytest.approx(400, abs=2)
    with pytest.raises(Unreadable):
        reader.render(content=pdf(invoice), number=9, width_px=400)
