"""What the left half of an item's page shows: each source as pages, as text, or as the reason why there is neither."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse

from reviews.admin.page_pictures import WIDTHS
from reviews.admin.source_boxes import Box, boxes_of
from reviews.admin.source_layout import Block, Span, lay_out
from reviews.admin.source_text import Mark, Piece, pieces_of
from workflows.access import visible
from workflows.models import Item, Page, Source

MOST_CHARACTERS = 100_000  # of a source on the page; the file itself can be taken home
_A4 = 210 / 297

_KINDS = {
    "text": "Text", "html": "Web page", "pdf": "PDF", "docx": "Word", "email": "Mail", "csv": "Table", "image": "Picture",
}  # fmt: skip
_ICONS = {"email": "mail", "csv": "table", "image": "image", "pdf": "picture_as_pdf"}
_TITLES = {
    "needs_password": ("lock", "This {file} needs a password"),
    "broken": ("broken_image", "This {file} is damaged"),
    "empty": ("draft", "This {file} is empty"),
    "unsupported": ("block", "This kind of file cannot be read"),
    "too_large": ("warning", "This {file} is larger than allowed"),
    "too_slow": ("timer_off", "Reading this {file} took too long"),
    "too_much_memory": ("warning", "Reading this {file} took too much memory"),
    "no_text": ("image_search", "No text was found in this {file}"),
}
# Not read, yet perhaps drawn: a person may see what recognition did not.
_STILL_TO_SEE = ("no_text", "too_slow")
# Columns made with spaces stand under each other only where all letters are equally wide.
_ALIGNED = re.compile(r"\S {3,}\S")


def sources_of(*, item: Item, user: Any, marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """Three queries, however many sources, pages and marks there are."""
    stored = Prefetch("pages", queryset=Page.objects.defer("pieces"))
    sources = list(visible(user, Source.objects.filter(item=item)).prefetch_related(stored))
    pieces = _pieces_where_marks_are(sources=sources, marks=marks)
    return [
        _shown(
            item=item,
            source=source,
            marks=[mark for mark in marks if mark.source == source.pk],
            pieces=pieces,
        )
        for source in sources
    ]


def shown_numbers(*, source: Source, pages: Iterable[Page]) -> list[int]:
    """Numbers of the pages of which there is a picture to ask for."""
    if source.unreadable:
        still = source.unreadable.get("reason") in _STILL_TO_SEE and _looks_drawable(source)
        return [1] if still else []
    if source.reading.get("kind") not in ("pdf", "image"):
        return []
    return [page.number for page in pages]


def ratio_of(page: Page) -> float:
    """Width over height of the page as it is shown."""
    return page.width / page.height if page.width and page.height else _A4


def _pieces_where_marks_are(*, sources: Sequence[Source], marks: Sequence[Mark]) -> dict[int, list[Any]]:
    places = {(mark.source, mark.page) for mark in marks}
    wanted = [
        page.pk for source in sources for page in source.pages.all() if (source.pk, page.number) in places
    ]
    return dict(Page.objects.filter(pk__in=wanted).values_list("pk", "pieces")) if wanted else {}


def _shown(
    *, item: Item, source: Source, marks: Sequence[Mark], pieces: dict[int, list[Any]]
) -> dict[str, Any]:
    pages = list(source.pages.all())
    kind = source.reading.get("kind") or ""
    texts, cut = text_pages(source=source, pages=pages, marks=marks, most_characters=MOST_CHARACTERS)
    numbers = shown_numbers(source=source, pages=pages)
    by_number = {page.number: page for page in pages}
    return {
        "source": source,
        "told": _told(kind=kind, source=source),
        "icon": _ICONS.get(kind, "description"),
        "notes": source.reading.get("notes", []),
        "unreadable": _unreadable(source),
        "texts": texts,
        "cut": cut,
        "pictures": [
            _picture(
                item=item,
                source=source,
                number=number,
                page=by_number.get(number),
                marks=[mark for mark in marks if mark.page == number],
                pieces=pieces,
            )
            for number in numbers
        ],
    }


def _told(*, kind: str, source: Source) -> str:
    told = _KINDS.get(kind) or ("PDF" if _is_pdf(source) else "File")
    return f"{told}, attached" if source.kind == Source.Kind.ATTACHMENT else told


def text_pages(
    *, source: Source, pages: Sequence[Page], marks: Sequence[Mark], most_characters: int
) -> tuple[list[dict[str, Any]], bool]:
    """Pages as {"number", "blocks", "aligned"}, and whether text was left out because there is too much of it."""
    shown: list[dict[str, Any]] = []
    room = most_characters
    for page in pages:
        if room <= 0:
            return shown, True
        text = page.text[:room]
        room -= len(page.text)
        own = [mark for mark in marks if mark.page == page.number]
        blocks = lay_out(
            text=text, kind=source.reading.get("kind") or "text", newest_end=source.reading.get("newest_end")
        )
        shown.append({
            "number": page.number,
            "blocks": [_block(block=block, text=text, marks=own) for block in blocks],
            "aligned": bool(_ALIGNED.search(text)),
        })  # fmt: skip
    return shown, room < 0


def _block(*, block: Block, text: str, marks: Sequence[Mark]) -> dict[str, Any]:
    rows = [[_cell(span, text, marks) for span in row] for row in block.rows]
    if block.shape == "table":
        rows = [_in_columns(row, block.columns) for row in rows]
    first, last = block.rows[0][0].start, block.rows[-1][-1].end
    return {
        "shape": block.shape,
        "older": block.older,
        "columns": block.columns,
        "rows": rows,
        "lines": text[first:last].strip().count("\n") + 1,
        "marks": sum(first <= mark.start < last for mark in marks),
    }


def _cell(span: Span, text: str, marks: Sequence[Mark]) -> dict[str, Any]:
    over = [mark for mark in marks if mark.start < span.end and mark.end > span.start]
    pieces = pieces_of(text=text, marks=over, start=span.start, end=span.end)
    # Lines of speech were broken by whoever wrote them down; without paragraphs they may flow again.
    flows = "\n\n" not in text[span.start : span.end].strip()
    return {"role": span.role, "pieces": pieces, "flows": flows}


def _in_columns(row: Sequence[dict[str, Any]], columns: Sequence[str]) -> list[dict[str, Any]]:
    """A table's row with one cell for each column; what had no value is left out of the text, so its cell is empty."""
    cells: list[dict[str, Any]] = []
    name: dict[str, Any] | None = None
    for part in row:
        if part["role"] == "name":
            name = part
        elif part["role"] == "words":
            while name and len(cells) < len(columns) and columns[len(cells)] != _said(name["pieces"])[:-2]:
                cells.append({"role": "words", "pieces": [], "name": []})
            cells.append({**part, "name": name["pieces"] if name else []})
            name = None
    return cells + [{"role": "words", "pieces": [], "name": []}] * (len(columns) - len(cells))


def _said(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _picture(
    *, item: Item, source: Source, number: int, page: Page | None, marks: Sequence[Mark], pieces: dict[int, list[Any]]
) -> dict[str, Any]:  # fmt: skip
    ratio = ratio_of(page) if page else _A4

    def address(width: int) -> str:
        return reverse("admin:workflows_item_picture", args=[item.pk, source.pk, number, width])

    thumb, *others = WIDTHS
    boxes: list[dict[str, Any]] = []
    words = pieces.get(page.pk, []) if page else []
    for mark in marks:
        own = boxes_of(pieces=words, start=mark.start, end=mark.end, ratio=ratio)
        boxes += [_drawn(box, mark, last=box is own[-1]) for box in own]
    return {
        "number": number,
        "ratio": f"{ratio:.4f}",
        "thumb": address(thumb),
        "address": address(others[0]),
        "wider": ", ".join(f"{address(width)} {width}w" for width in others),
        "marks": sum(len(mark.keys) for mark in marks),
        "boxes": boxes,
    }


def _drawn(box: Box, mark: Mark, *, last: bool) -> dict[str, Any]:
    """`style` has our own numbers alone. The name of the chosen field stands beside its box, where the page has room."""
    x0, y0, x1, y1 = (100 * part for part in box)
    return {
        "style": f"left:{x0:.3f}%;top:{y0:.3f}%;width:{x1 - x0:.3f}%;height:{y1 - y0:.3f}%",
        "mark": mark,
        "labelled": last,
        "side": "below" if x1 - x0 > 55 else "left" if x0 + x1 > 100 else "right",
    }


def _unreadable(source: Source) -> dict[str, str] | None:
    if not source.unreadable:
        return None
    icon, title = _TITLES.get(
        source.unreadable.get("reason", ""), ("warning", "This {file} could not be read")
    )
    return {
        "icon": icon,
        "title": title.format(file="PDF" if _is_pdf(source) else "file"),
        "message": source.unreadable.get("message", ""),
        "next_step": source.unreadable.get("next_step", ""),
    }


def _is_pdf(source: Source) -> bool:
    return source.media_type == "application/pdf" or source.name.lower().endswith(".pdf")


def _looks_drawable(source: Source) -> bool:
    """By what was claimed of it: drawing looks at the bytes, and says so if they are something else."""
    endings = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif")
    return _is_pdf(source) or source.media_type.startswith("image/") or source.name.lower().endswith(endings)
