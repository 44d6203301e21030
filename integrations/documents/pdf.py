"""PDF -> pages, by pdfium. Pages without text of their own are rendered and recognised."""

import ctypes
import math
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image

from integrations.documents.budget import Budget, cut_to_length
from integrations.documents.lines import Word, lay_out
from integrations.documents.ocr import MAX_PIXELS, recognise
from integrations.documents.pages import Box, Page, Reading, Reason, Unreadable
from integrations.documents.plain import clean_text

_OCR_DPI = 200
# Fewer letters and digits than this on a page with something drawn on it: the text is probably in a picture.
_HARDLY_ANY = 12
# A page that is mostly one picture with only this little text over it (a stamp, "Scanned by …") is a scan too.
_LITTLE = 120
_PICTURE_SHARE = 0.5
# Fonts without a usable table of characters give text of private or unassigned characters; the picture is better.
_GARBLED_SHARE = 0.25
_TO_DEVICE = 1_000_000
_HYPHENS = {0x02, 0xFFFE, 0xAD}


def read_pdf(*, content: bytes, budget: Budget) -> Reading:
    """Raises Unreadable: needs_password, broken, empty (no pages), no_text."""
    notes: list[str] = []
    pages: list[Page] = []
    with _open(content) as document:
        count = len(document)
        if count == 0:
            raise Unreadable(Reason.BROKEN, "The PDF holds no page that could be opened.")
        title = _title(document)
        characters = 0
        for index in range(min(count, budget.limits.max_pages)):
            page = _read_page(document, index, budget, notes)
            if page is None:
                notes.append(f"Only the first {index} of {count} pages were read, for lack of time.")
                break
            pages.append(page)
            characters += len(page.text)
            if characters > budget.limits.max_characters:
                break
        else:
            if count > len(pages):
                notes.append(f"Only the first {len(pages)} of {count} pages were read.")
    kept, cut = cut_to_length(pages=pages, limit=budget.limits.max_characters)
    if cut:
        notes.append(cut)
    if not any(page.text.strip() for page in kept):
        raise Unreadable(Reason.TOO_SLOW if not kept else Reason.NO_TEXT)
    return Reading("pdf", "application/pdf", kept, title=title, notes=tuple(dict.fromkeys(notes)))


def render_pdf_page(*, content: bytes, number: int, width_px: int, max_pixels: int) -> Image.Image:
    """Page `number` (from 1) as people see it, forms and annotations included. Raises Unreadable."""
    with _open(content) as document:
        if not 1 <= number <= len(document):
            raise Unreadable(Reason.BROKEN, f"The file has no page {number}.")
        page = _load_page(document, number - 1)
        width, height = page.get_size()
        return _render(page, width_px / width, max_pixels) if width > 0 and height > 0 else _blank(width_px)


@contextmanager
def _open(content: bytes) -> Iterator[Any]:
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise Unreadable(Reason.NEEDS_PASSWORD, "The PDF is locked with a password.") from error
        if error.err_code == raw.FPDF_ERR_SECURITY:
            raise Unreadable(
                Reason.NEEDS_PASSWORD,
                "The PDF is locked in a way that cannot be opened here.",
                "Ask the sender for a copy without protection, or fill in the fields by hand.",
            ) from error
        raise Unreadable(Reason.BROKEN, "The PDF is damaged and could not be opened.") from error
    try:
        with suppress(pdfium.PdfiumError):  # A broken form costs its values, not the page.
            document.init_forms()
        yield document
    finally:
        document.close()


def _load_page(document: Any, index: int) -> Any:
    try:
        return document[index]
    except pdfium.PdfiumError as error:
        raise Unreadable(Reason.BROKEN, f"Page {index + 1} of the PDF is damaged.") from error


def _read_page(document: Any, index: int, budget: Budget, notes: list[str]) -> Page | None:
    """None when the page needs recognising and there is no time left for it."""
    try:
        page = _load_page(document, index)
    except Unreadable as error:
        notes.append(error.message)
        return Page(number=index + 1, text="")
    page = _with_form_values(document, page, index)
    width, height = page.get_size()
    words = _words(page)
    text, pieces = lay_out(words=words, width=width, height=height)
    as_text = Page(index + 1, text, width, height, pieces, "text")
    if not _needs_recognising(page, text):
        return as_text
    if not budget.time_for_a_slow_page():
        return as_text if _readable(text) else None
    started = time.monotonic()
    image = _render(page, _OCR_DPI / 72, MAX_PIXELS)
    seen, seen_pieces = recognise(image)
    budget.saw_slow_page(time.monotonic() - started)
    if _readable(seen) > _readable(text):
        return Page(index + 1, seen, width, height, seen_pieces, "ocr")
    return as_text


def _with_form_values(document: Any, page: Any, index: int) -> Any:
    """The page with what was filled into its forms and stamped on it, which pdfium's text leaves out otherwise."""
    if raw.FPDFPage_GetAnnotCount(page) <= 0:
        return page
    flattened = raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
    if flattened != raw.FLATTEN_SUCCESS:
        return page
    page.close()
    return _load_page(document, index)


def _needs_recognising(page: Any, text: str) -> bool:
    readable = _readable(text)
    if readable < _LITTLE and _picture_share(page) > _PICTURE_SHARE:
        return True
    if readable < _HARDLY_ANY:
        return _has_drawings(page)
    return _garbled(text)


def _has_drawings(page: Any) -> bool:
    kinds = [raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING]
    if next(iter(page.get_objects(filter=kinds, max_depth=5)), None) is not None:
        return True
    # Text objects that gave no text: a font without a table of characters, or letters drawn as pictures.
    return bool(raw.FPDFPage_CountObjects(page) > 0 and raw.FPDFText_CountChars(page.get_textpage()) <= 0)


def _readable(text: str) -> int:
    return sum(1 for character in text if character.isalnum())


def _garbled(text: str) -> bool:
    shown = [character for character in text if not character.isspace()]
    odd = sum(
        1
        for character in shown
        if unicodedata.category(character) in {"Co", "Cn", "Cc"} or character == "\ufffd"
    )
    return odd > _GARBLED_SHARE * len(shown)


def _picture_share(page: Any) -> float:
    width, height = page.get_size()
    area = 0.0
    for image in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        try:
            left, bottom, right, top = image.get_bounds()
        except pdfium.PdfiumError:
            continue
        area = max(area, abs(right - left) * abs(top - bottom))
    return area / (width * height) if width > 0 and height > 0 else 0.0


def _words(page: Any) -> list[Word]:
    textpage = page.get_textpage()
    try:
        return list(_split(textpage, _to_shown(page), page.get_rotation()))
    finally:
        textpage.close()


def _split(textpage: Any, shown: Callable[[Box], Box], rotation: int) -> Iterator[Word]:
    letters: list[str] = []
    edges: list[float] = []
    turn = 0

    def word() -> Word | None:
        text = clean_text("".join(letters)).strip()
        box = shown((edges[0], edges[1], edges[2], edges[3])) if edges else (0.0, 0.0, 0.0, 0.0)
        on_page = box[0] < box[2] and box[1] < box[3]
        return Word(text, box, turn) if text and on_page else None

    for index in range(textpage.count_chars()):
        code = raw.FPDFText_GetUnicode(textpage, index)
        letter = "-" if code in _HYPHENS else _letter(code)
        box = None if letter.isspace() or not letter else _letter_box(textpage, index)
        if box is None or (edges and _jumps(edges, box)):
            if letters and (done := word()):
                yield done
            letters, edges = [], []
        if box is None:
            continue
        if not letters:
            turn = (rotation + _degrees(raw.FPDFText_GetCharAngle(textpage, index))) % 360
            edges = list(box)
        letters.append(letter)
        edges = [min(edges[0], box[0]), min(edges[1], box[1]), max(edges[2], box[2]), max(edges[3], box[3])]
    if letters and (done := word()):
        yield done


def _letter(code: int) -> str:
    if not code or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return ""
    letter = chr(code)
    return unicodedata.normalize("NFKC", letter) if 0xFB00 <= code <= 0xFB06 else letter


def _letter_box(textpage: Any, index: int) -> Box | None:
    """The box of the font's full height in PDF space (left, bottom, right, top): even along a line, unlike ink boxes."""
    rect = raw.FS_RECTF()
    if not raw.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(rect)):
        return None
    box = (rect.left, min(rect.bottom, rect.top), rect.right, max(rect.bottom, rect.top))
    return box if all(math.isfinite(edge) for edge in box) else None


def _jumps(edges: list[float], box: Box) -> bool:
    """Whether a letter stands away from the word so far: drawn in another place without a space between."""
    size = max(min(edges[2] - edges[0], edges[3] - edges[1]), min(box[2] - box[0], box[3] - box[1]), 0.1)
    across = max(box[0] - edges[2], edges[0] - box[2])
    along = max(box[1] - edges[3], edges[1] - box[3])
    return max(across, along) > size


def _degrees(radians: float) -> int:
    return round(math.degrees(radians) / 90) * 90 % 360 if radians >= 0 else 0


def _to_shown(page: Any) -> Callable[[Box], Box]:
    """PDF space -> points on the page as shown: pdfium knows crop box and rotation, three points give the map."""
    width, height = page.get_size()
    left, bottom, right, top = page.get_bbox()

    def device(x: float, y: float) -> tuple[float, float]:
        to_x, to_y = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(
            page, 0, 0, _TO_DEVICE, _TO_DEVICE, 0, x, y, ctypes.byref(to_x), ctypes.byref(to_y)
        )
        return to_x.value / _TO_DEVICE * width, to_y.value / _TO_DEVICE * height

    x_span, y_span = (right - left) or 1.0, (top - bottom) or 1.0
    origin, along_x, along_y = (
        device(left, bottom),
        device(left + x_span, bottom),
        device(left, bottom + y_span),
    )
    xx, xy = (along_x[0] - origin[0]) / x_span, (along_x[1] - origin[1]) / x_span
    yx, yy = (along_y[0] - origin[0]) / y_span, (along_y[1] - origin[1]) / y_span

    def shown(box: Box) -> Box:
        """An empty box (no area) for what lies outside the page: nobody sees it, so it is not read."""
        corners = [
            (origin[0] + (x - left) * xx + (y - bottom) * yx, origin[1] + (x - left) * xy + (y - bottom) * yy)
            for x in (box[0], box[2])
            for y in (box[1], box[3])
        ]
        x0, x1 = min(corner[0] for corner in corners), max(corner[0] for corner in corners)
        y0, y1 = min(corner[1] for corner in corners), max(corner[1] for corner in corners)
        if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            return 0.0, 0.0, 0.0, 0.0
        return max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height)

    return shown


def _render(page: Any, scale: float, max_pixels: int) -> Image.Image:
    width, height = page.get_size()
    scale = min(scale, math.sqrt(max_pixels / max(width * height, 1.0)), 10_000 / max(width, height, 1.0))
    if width * scale < 1 or height * scale < 1:
        return _blank(1)
    try:
        image: Image.Image = page.render(scale=scale, fill_color=(255, 255, 255, 255)).to_pil()
    except (pdfium.PdfiumError, ValueError) as error:
        raise Unreadable(Reason.BROKEN, "A page of the PDF could not be drawn.") from error
    return image.convert("RGB")


def _blank(width: int) -> Image.Image:
    return Image.new("RGB", (max(width, 1), max(width, 1)), "white")


def _title(document: Any) -> str:
    try:
        return clean_text(document.get_metadata_value("Title")).strip()[:300]
    except (pdfium.PdfiumError, UnicodeError):
        return ""
