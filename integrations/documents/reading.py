"""One file -> its reading or its page image, with every reader imported only when it is needed. Runs in the child."""

import dataclasses
import io
from typing import Literal

from integrations.documents.budget import Budget, cut_to_length
from integrations.documents.kinds import tell_kind
from integrations.documents.limits import Limits
from integrations.documents.pages import Page, Reading, Reason, Unreadable
from integrations.documents.plain import clean_text, read_plain_text

PictureForm = Literal["PNG", "WEBP"]


def read_file(*, content: bytes, name: str, media_type: str, limits: Limits) -> Reading:
    """Raises Unreadable, and whatever a parser raises on a file that its author had not imagined."""
    kind = tell_kind(content=content, name=name, media_type=media_type)
    budget = Budget(limits)
    reading = _read(kind.name, content, kind.media_type, budget)
    if kind.note:
        reading = dataclasses.replace(reading, notes=(kind.note, *reading.notes))
    return reading


def render_page(
    *, content: bytes, number: int, width_px: int, limits: Limits, form: PictureForm = "PNG"
) -> bytes:
    """One page of a PDF or an image. Raises Unreadable(unsupported) for what has no pages to look at."""
    kind = tell_kind(content=content, name="")
    width_px = max(16, min(width_px, 4_000))
    if kind.name == "pdf":
        from integrations.documents.pdf import render_pdf_page

        image = render_pdf_page(
            content=content, number=number, width_px=width_px, max_pixels=limits.max_pixels
        )
    elif kind.name == "image":
        from integrations.documents.image import render_image_page

        image = render_image_page(
            content=content, number=number, width_px=width_px, max_pixels=limits.max_pixels
        )
    else:
        raise Unreadable(
            Reason.UNSUPPORTED, "Only PDFs and images have pages to look at.", "Read its text instead."
        )
    picture = io.BytesIO()
    # A scan is five to ten times smaller as WebP, and letters stay sharp at this quality. Method 2 is the fast half.
    image.save(picture, form, **({"quality": 82, "method": 2} if form == "WEBP" else {}))
    return picture.getvalue()


def _read(kind: str, content: bytes, media_type: str, budget: Budget) -> Reading:
    if kind == "pdf":
        from integrations.documents.pdf import read_pdf

        return read_pdf(content=content, budget=budget)
    if kind == "image":
        from integrations.documents.image import read_image

        return read_image(content=content, media_type=media_type, budget=budget)
    if kind == "docx":
        from integrations.documents.word import read_word

        return read_word(content=content, budget=budget)
    if kind == "email":
        from integrations.documents.mail import read_mail

        return read_mail(content=content, budget=budget)
    if kind == "csv":
        from integrations.documents.table import read_table

        return read_table(content=content, budget=budget)
    if kind == "html":
        return _read_html(content, budget)
    return _within_length(read_plain_text(content=content), budget)


def _read_html(content: bytes, budget: Budget) -> Reading:
    from integrations.documents.html_text import decode_markup, html_to_text

    text, title = html_to_text(clean_text(decode_markup(content)))
    if not text:
        raise Unreadable(Reason.NO_TEXT, "The web page opens, but shows no text.")
    page = Page(1, text)
    return _within_length(Reading("html", "text/html", (page,), title=title), budget)


def _within_length(reading: Reading, budget: Budget) -> Reading:
    pages, cut = cut_to_length(pages=reading.pages, limit=budget.limits.max_characters)
    return dataclasses.replace(reading, pages=pages, notes=(*reading.notes, cut)) if cut else reading
