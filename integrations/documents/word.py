"""DOCX -> text, paragraphs and tables in document order.

python-docx opens the package; the text is gathered from the XML itself, because its `paragraph.text` leaves out what
stands in content controls (forms!), tracked insertions and text boxes.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError

from integrations.documents.budget import Budget, cut_to_length
from integrations.documents.kinds import MEDIA_TYPES
from integrations.documents.pages import Page, Reading, Reason, Unreadable
from integrations.documents.plain import clean_text

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BREAKS = {f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}tab": "\t", f"{_W}noBreakHyphen": "-"}
# Deleted and moved-away text is no longer part of the document; field codes are not shown; a Fallback repeats a box.
_SKIPPED = {
    f"{_W}del",
    f"{_W}moveFrom",
    f"{_W}instrText",
    f"{_W}delText",
    f"{_W}pPr",
    f"{_W}sdtPr",
    _FALLBACK,
}
_MAX_UNPACKED = 200 * 1024 * 1024
_MAX_FILES = 5_000


def read_word(*, content: bytes, budget: Budget) -> Reading:
    """One page: a DOCX has no pages of its own. Raises Unreadable: broken, needs_password, too_large, no_text."""
    _check_size(content)
    try:
        document = docx.Document(io.BytesIO(content))
        body = document.element.body
        headers = [
            part for section in document.sections for part in (section.header, section.first_page_header)
        ]
        footers = [
            part for section in document.sections for part in (section.footer, section.first_page_footer)
        ]
        blocks = [*_of_parts(headers), *_blocks(body), *_of_parts(footers)]
        title = str(document.core_properties.title or "")
    except (
        PackageNotFoundError,
        zipfile.BadZipFile,
        zlib.error,
        SyntaxError,  # lxml's error of malformed XML
        KeyError,
        ValueError,
        AttributeError,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
    ) as error:
        raise Unreadable(Reason.BROKEN, "The Word document is damaged and could not be opened.") from error
    text = clean_text("\n".join(blocks)).strip()
    if not text:
        raise Unreadable(Reason.NO_TEXT, "The Word document opens, but holds no text.")
    pages, cut = cut_to_length(pages=[Page(1, text)], limit=budget.limits.max_characters)
    return Reading(
        "docx", MEDIA_TYPES["docx"], pages, title=clean_text(title)[:300], notes=(cut,) if cut else ()
    )


def _check_size(content: bytes) -> None:
    """Refuses what would unpack to more than memory allows, by the sizes the archive declares.

    zipfile stops at the declared size, so a wrong declaration makes a broken file and not a large one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = archive.infolist()
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise Unreadable(Reason.BROKEN, "The Word document is damaged and could not be opened.") from error
    if any(file.flag_bits & 1 for file in files):
        raise Unreadable(Reason.NEEDS_PASSWORD, "The Word document is locked with a password.")
    if len(files) > _MAX_FILES or sum(file.file_size for file in files) > _MAX_UNPACKED:
        raise Unreadable(Reason.TOO_LARGE, "The Word document unpacks to more than is allowed.")


def _of_parts(parts: list[Any]) -> list[str]:
    """Headers or footers, each text once: sections repeat them."""
    texts: dict[str, None] = {}
    for part in parts:
        if not part.is_linked_to_previous:
            text = "\n".join(_blocks(part._element)).strip()
            if text:
                texts[text] = None
    return list(texts)


def _blocks(container: Any) -> Iterator[str]:
    """One string for each paragraph and each table row below `container`."""
    for child in container:
        if child.tag == f"{_W}p":
            yield _paragraph(child)
        elif child.tag == f"{_W}tbl":
            yield from _rows(child)
        elif child.tag not in _SKIPPED and isinstance(child.tag, str):
            yield from _blocks(child)


def _rows(table: Any) -> Iterator[str]:
    for row in _nearest(table, f"{_W}tr"):
        cells = [" ".join(" ".join(_blocks(cell)).split()) for cell in _nearest(row, f"{_W}tc")]
        if any(cells):
            yield " | ".join(cells)


def _nearest(element: Any, tag: str) -> Iterator[Any]:
    """Rows or cells of this table, also those wrapped in content controls, but not those of tables within."""
    for child in element:
        if child.tag == tag:
            yield child
        elif (
            child.tag not in _SKIPPED
            and child.tag not in {f"{_W}tbl", f"{_W}p"}
            and isinstance(child.tag, str)
        ):
            yield from _nearest(child, tag)


def _paragraph(paragraph: Any) -> str:
    parts: list[str] = []
    boxes: list[str] = []
    _gather(paragraph, parts, boxes)
    return "\n".join(["".join(parts), *boxes])


def _gather(element: Any, parts: list[str], boxes: list[str]) -> None:
    for child in element:
        if child.tag in _SKIPPED or not isinstance(child.tag, str):
            continue
        if child.tag == f"{_W}t":
            parts.append(child.text or "")
        elif child.tag in _BREAKS:
            parts.append(_BREAKS[child.tag])
        elif child.tag == f"{_W}txbxContent":
            boxes.extend(_blocks(child))
        elif child.tag == f"{_W}r" and _is_hidden(child):
            continue
        else:
            _gather(child, parts, boxes)


def _is_hidden(run: Any) -> bool:
    vanish = run.find(f"{_W}rPr/{_W}vanish")
    return vanish is not None and vanish.get(f"{_W}val") not in {"0", "false", "off"}
