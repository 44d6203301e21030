"""Photos and scans -> pages, every one recognised."""

import io
import time
import warnings
from collections.abc import Iterator

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from integrations.documents.budget import Budget, cut_to_length
from integrations.documents.ocr import recognise
from integrations.documents.pages import Page, Reading, Reason, Unreadable

# Only what kinds.py lets through: each further decoder of Pillow is one more to trust.
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")


def read_image(*, content: bytes, media_type: str, budget: Budget) -> Reading:
    """Raises Unreadable: broken, too_large (pixels), no_text. Only TIFFs have more than one page."""
    notes: list[str] = []
    pages: list[Page] = []
    count = 1
    for index, count, frame in _frames(content, budget.limits.max_pixels):
        if index >= budget.limits.max_pages:
            notes.append(f"Only the first {index} of {count} pages were read.")
            break
        if pages and not budget.time_for_a_slow_page():
            notes.append(f"Only the first {index} of {count} pages were read, for lack of time.")
            break
        started = time.monotonic()
        text, pieces = recognise(frame)
        budget.saw_slow_page(time.monotonic() - started)
        pages.append(Page(index + 1, text, frame.width, frame.height, pieces, "ocr"))
    kept, cut = cut_to_length(pages=pages, limit=budget.limits.max_characters)
    if not any(page.text.strip() for page in kept):
        raise Unreadable(Reason.NO_TEXT, "The picture opens, but no text was found in it.")
    return Reading("image", media_type, kept, notes=(*notes, cut) if cut else tuple(notes))


def render_image_page(*, content: bytes, number: int, width_px: int, max_pixels: int) -> Image.Image:
    """Page `number` (from 1), upright as its reading was, at most `width_px` wide. Raises Unreadable."""
    for index, _, frame in _frames(content, max_pixels):
        if index + 1 == number:
            frame.thumbnail((width_px, 10_000))
            return frame
    raise Unreadable(Reason.BROKEN, f"The file has no page {number}.")


def _frames(content: bytes, max_pixels: int) -> Iterator[tuple[int, int, Image.Image]]:
    """(index, number of pages, picture): upright, on white, checked for size before a pixel is decoded."""
    Image.MAX_IMAGE_PIXELS = max_pixels
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                pages = getattr(opened, "n_frames", 1) if opened.format == "TIFF" else 1
                for index, frame in enumerate(ImageSequence.Iterator(opened)):
                    if index >= pages:
                        return
                    if frame.width * frame.height > max_pixels:
                        raise _too_many_pixels(frame.width, frame.height)
                    yield index, pages, _flat(frame)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_many_pixels() from error
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, TypeError) as error:
            raise Unreadable(Reason.BROKEN, "The picture is damaged and could not be opened.") from error


def _flat(frame: Image.Image) -> Image.Image:
    """Cameras note how they were held instead of turning the pixels; transparent drawings mean white paper."""
    upright = ImageOps.exif_transpose(frame)
    if upright.mode.startswith("I") or upright.mode == "F":
        upright = ImageOps.autocontrast(upright.convert("F").convert("L"))
    if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        paper.alpha_composite(layer)
        upright = paper
    return upright.convert("RGB")


def _too_many_pixels(width: int = 0, height: int = 0) -> Unreadable:
    size = f" ({width:,} × {height:,} pixels)" if width else ""
    return Unreadable(
        Reason.TOO_LARGE,
        f"The picture is larger than allowed{size}.",
        "Save it in a smaller size, for example 3,000 pixels wide, and send it again.",
    )
