"""HTML -> the text a reader sees.

selectolax (the lexbor parser) and not lxml or html.parser: it repairs broken markup by the rules browsers use, has no
limit on nesting that hostile mail could trip, and takes milliseconds for a megabyte.
"""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from integrations.documents.plain import clean_text, decode_text

_SKIPPED_TAGS = (
    "script style noscript template head title svg math iframe object embed audio video canvas datalist"
    " -comment !doctype -doctype"
)
_BLOCK_TAGS = (
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer"
    " form header hr html legend li main nav ol option pre section summary table tbody tfoot thead tr ul"
)
_SKIPPED = frozenset(_SKIPPED_TAGS.split())
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6"}
_CELLS = {"td", "th"}
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:\.0+)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)"
    r"|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)|max-height\s*:\s*0(?:px)?\s*(?:;|!|$)|mso-hide\s*:\s*all",
    re.IGNORECASE,
)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([A-Za-z0-9_:-]{3,40})""", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\r\f\v]+")
# Marks that clean_text has taken out of the document's own text.
_KEPT_BREAK, _CELL_START, _CELL_END, _BREAK, _PARAGRAPH, _CELL = (
    "\x00",
    "\x01",
    "\x02",
    "\x03",
    "\x04",
    "\x05",
)
# A line break at the very end of a block shows nothing.
_LAST_BREAK = re.compile("([^\x00\x03\x04 ]) *\x00(?= *[\x03\x04])")
_BLOCK_BREAKS = re.compile(" *[\x03\x04][ \x03\x04]*")
_WHOLE_CELL = re.compile("\x01([^\x01\x02]*)\x02")
# A cell longer than this is a mail laid out by a table, not a value of one.
_CELL_LINES = 4
_CELL_LENGTH = 300


def decode_markup(content: bytes) -> str:
    """Text of a page in the encoding its own head declares, when the bytes agree with it; else as decode_text."""
    declared = _CHARSET.search(content[:4096])
    if declared and not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return content.decode(declared.group(1).decode("ascii"))
        except (LookupError, UnicodeError):
            pass
    return decode_text(content)


def html_to_text(markup: str) -> tuple[str, str]:
    """(text, title). Blocks are lines, a table row is one line with cells joined by " | ".

    Hidden elements are left out as far as their own attributes say so; style sheets are not evaluated. A link's address
    is written only where it says more than the text: mailto and tel.
    """
    tree = LexborHTMLParser(markup)
    title = tree.css_first("title")
    parts: list[str] = []
    if tree.root is not None:
        _walk(tree.root, parts)
    return _join(parts), _SPACES.sub(" ", clean_text(title.text())).strip()[:300] if title else ""


def _walk(root: LexborNode, parts: list[str]) -> None:
    """Depth first with an own stack: a mail with ten thousand nested tags must not meet Python's recursion limit."""
    stack: list[LexborNode | str] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        tag = node.tag or ""
        if tag == "-text":
            parts.append(_words(node))
            continue
        if tag in _SKIPPED or _is_hidden(node):
            continue
        before, after = _around(node, tag)
        if before:
            parts.append(before)
        if after:
            stack.append(after)
        children = []
        child = node.first_child
        while child is not None:
            children.append(child)
            child = child.next
        stack.extend(reversed(children))


def _words(node: LexborNode) -> str:
    text = clean_text(node.text_content or "")
    parent = node.parent
    if parent is not None and parent.tag in {"pre", "textarea"}:
        return text.replace("\n", _KEPT_BREAK)
    return _SPACES.sub(" ", text)


def _around(node: LexborNode, tag: str) -> tuple[str, str]:
    if tag == "br":
        return _KEPT_BREAK, ""
    if tag in _CELLS:
        return (_BREAK, _BREAK) if node.css_first("table") else (_CELL_START, _CELL_END)
    if tag in _PARAGRAPHS:
        return _PARAGRAPH, _PARAGRAPH
    if tag == "li":
        return f"{_BREAK}- ", _BREAK
    if tag in _BLOCKS:
        return _BREAK, _BREAK
    if tag == "a":
        return "", _address(node)
    if tag == "input":
        kind = (node.attributes.get("type") or "text").lower()
        shown = kind in {"text", "email", "tel", "url", "number", "date", "search"}
        return (f" {clean_text(node.attributes.get('value') or '')} " if shown else "", "")
    return "", ""


def _address(node: LexborNode) -> str:
    href = (node.attributes.get("href") or "").strip()
    scheme, _, rest = href.partition(":")
    if scheme.lower() not in {"mailto", "tel"}:
        return ""
    address = clean_text(rest.partition("?")[0]).strip()
    shown = node.text()
    same = re.sub(r"[\s()./-]", "", address).lower() in re.sub(r"[\s()./-]", "", shown).lower()
    return "" if same or not address else f" ({address})"


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if "hidden" in attributes or (node.tag == "input" and (attributes.get("type") or "").lower() == "hidden"):
        return True
    return bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))


def _join(parts: list[str]) -> str:
    joined = _WHOLE_CELL.sub(_cell, re.sub(" {2,}", " ", "".join(parts)))
    joined = _LAST_BREAK.sub(r"\1", re.sub("[\x01\x02]", _BREAK, joined)).replace(_KEPT_BREAK, "\n")
    joined = _BLOCK_BREAKS.sub(lambda breaks: "\n\n" if _PARAGRAPH in breaks.group() else "\n", joined)
    lines = []
    for line in joined.split("\n"):
        cells = [_SPACES.sub(" ", cell).strip() for cell in line.split(_CELL)]
        while len(cells) > 1 and not cells[-1]:
            cells.pop()
        while len(cells) > 1 and not cells[0]:
            cells.pop(0)
        lines.append(" | ".join(cells))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _cell(match: re.Match[str]) -> str:
    content = match.group(1)
    lines = [line for line in re.split("[\n\x00\x03\x04]", content) if line.strip()]
    if len(lines) > _CELL_LINES or len(content) > _CELL_LENGTH:
        return f"{_BREAK}{content}{_BREAK}"
    return " ".join(lines) + _CELL
