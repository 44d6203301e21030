import pytest
from PIL import Image, ImageOps

from integrations.documents.pages import Reason, Unreadable
from integrations.documents.reader import Reader
from tests.integrations.documents.samples import as_bytes, picture, png_that_claims

LINES = [
    "Receipt number 55821 of the garden shop",
    "Two bags of potting soil 18.40",
    "One watering can with a rose 23.10",
    "Total paid in cash 41.50",
]


def test_a_photo_is_read_line_by_line(reader: Reader) -> None:
    reading = reader.read(content=as_bytes(picture(LINES), "JPEG"), name="receipt.jpg")
    assert reading.kind == "image"
    assert reading.media_type == "image/jpeg"
    lines = reading.pages[0].text.replace(" ", "").split("\n")
    assert [line for line in lines if line] == [line.replace(" ", "") for line in LINES]
    assert (reading.pages[0].width, reading.pages[0].height) == (1000, 500)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_laid_on_the_scanner_the_wrong_way_is_read_in_its_own_direction(
    reader: Reader, turn: int
) -> None:
    turned = picture(LINES).rotate(-turn, expand=True)
    page = reader.read(content=as_bytes(turned), name="turned.png").pages[0]
    text = page.text.replace(" ", "")
    assert text.index("55821") < text.index("18.40") < text.index("23.10") < text.index("41.50")
    x0, y0, x1, y1 = page.pieces[0].box
    assert ((x1 - x0) * turned.width > (y1 - y0) * turned.height) == (turn == 180), (
        "boxes are of the page as given"
    )
    first_line_is_near = {90: x0 > 0.5, 180: y0 > 0.5, 270: x1 < 0.5}
    assert first_line_is_near[turn]


def test_a_camera_that_notes_how_it_was_held_is_believed(reader: Reader) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # The picture must be turned clockwise to stand upright.
    content = as_bytes(picture(LINES).rotate(90, expand=True), "JPEG", exif=exif)
    page = reader.read(content=content, name="photo.jpg").pages[0]
    assert (page.width, page.height) == (1000, 500)
    assert page.text.replace(" ", "").startswith("Receiptnumber55821")


def test_each_page_of_a_tiff_is_a_page(reader: Reader) -> None:
    first, second = picture(["Page one says apples"]), picture(["Page two says pears"])
    content = as_bytes(first, "TIFF", save_all=True, append_images=[second])
    reading = reader.read(content=content, name="fax.tif")
    assert [page.number for page in reading.pages] == [1, 2]
    assert "apples" in reading.pages[0].text
    assert "pears" in reading.pages[1].text


def test_a_drawing_without_background_is_read_as_on_white_paper(reader: Reader) -> None:
    ink = ImageOps.invert(picture(["Black on nothing 7731"]).convert("L"))
    drawn = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    drawn.putalpha(ink)
    assert "7731" in reader.read(content=as_bytes(drawn), name="drawing.png").pages[0].text


def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_unpacked(reader: Reader) -> None:
    with pytest.raises(Unreadable) as refusal:
        reader.read(content=png_that_claims(60_000, 60_000), name="bomb.png")
    assert refusal.value.reason is Reason.TOO_LARGE


def test_half_a_photo_is_called_damaged_and_not_read_in_part(reader: Reader) -> None:
    content = as_bytes(picture(LINES), "JPEG")
    with pytest.raises(Unreadable) as refusal:
        reader.read(content=content[: len(content) // 2], name="half.jpg")
    assert refusal.value.reason is Reason.BROKEN


def test_an_empty_sheet_has_no_text(reader: Reader) -> None:
    with pytest.raises(Unreadable) as refusal:
        reader.read(content=as_bytes(picture([])), name="blank.png")
    assert refusal.value.reason is Reason.NO_TEXT
