"""What a file is, decided by its bytes. Its name only breaks ties between kinds that are all text."""

import re
from dataclasses import dataclass

from integrations.documents.pages import Reason, Unreadable
from integrations.documents.plain import decode_text, looks_like_text

MEDIA_TYPES = {
    "text": "text/plain",
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "email": "message/rfc822",
    "csv": "text/csv",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "gif": "image/gif",
}
_WORDS = {"text": "plain text", "html": "a web page", "pdf": "a PDF", "docx": "a Word document"}
_WORDS |= {"email": "an e-mail", "csv": "a table (CSV)", "image": "an image"}
_ENDINGS = {
    "txt": "text",
    "md": "text",
    "htm": "html",
    "html": "html",
    "pdf": "pdf",
    "docx": "docx",
    "eml": "email",
    "csv": "csv",
    "tsv": "csv",
    "png": "image",
    "jpg": "image",
    "jpeg": "image",
    "tif": "image",
    "tiff": "image",
    "webp": "image",
    "bmp": "image",
    "gif": "image",
}
_IMAGE_MARKS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
)
_OTHER_MARKS = (
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a compressed file"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "a Rich Text (RTF) document"),
    (b"%!PS", "a PostScript file"),
    (b"OggS", "a sound recording"),
    (b"ID3", "a sound recording"),
)
_HEADER = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]?", re.MULTILINE)
# A pasted note may begin "From: … Subject: …"; only a mail server writes these.
_TRANSPORT = {"received", "mime-version", "message-id", "return-path", "delivered-to", "dkim-signature"}
_CORRESPONDENCE = {"from", "to", "subject", "date", "reply-to", "cc"}
_MARKUP = re.compile(r"<(?:html|head|body|div|p|table|br|span|h[1-6]|ul|a|title|meta)\b[^<]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Kind:
    """`note` is a sentence for a person when the name or the sender's type says something else, or empty."""

    name: str
    media_type: str
    note: str = ""


def tell_kind(*, content: bytes, name: str, media_type: str = "") -> Kind:
    """Raises Unreadable: empty, or unsupported with what the file seems to be."""
    if not content.strip(b"\x00\t\n\r \x0b\x0c"):
        raise Unreadable(Reason.EMPTY)
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    kind, exact = _by_content(content, ending, media_type.partition(";")[0].strip().lower())
    claimed = _ENDINGS.get(ending)
    note = ""
    if claimed and claimed != kind and not (claimed == "text" and kind == "csv"):
        note = (
            f"The name says {_WORDS[claimed]}, the content is {_WORDS[kind]}; it was read as {_WORDS[kind]}."
        )
    return Kind(kind, MEDIA_TYPES[exact], note)


def _by_content(content: bytes, ending: str, media_type: str) -> tuple[str, str]:
    if content.startswith(b"%PDF-"):
        return "pdf", "pdf"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image", "webp"
    for mark, exact in _IMAGE_MARKS:
        if content.startswith(mark) and (exact != "bmp" or not looks_like_text(content)):
            return "image", exact
    if content.startswith(b"PK\x03\x04"):
        return _in_zip(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise _unsupported("an old Office file (DOC, XLS, PPT or MSG)")
    if content[4:8] == b"ftyp":
        raise _unsupported("a HEIC photo or a video", "Save the photo as JPEG and send it again.")
    for mark, words in _OTHER_MARKS:
        if content.startswith(mark) and (words != "a Windows program" or not looks_like_text(content)):
            raise _unsupported(words)
    text_like = looks_like_text(content)
    if b"%PDF-" in content[:1024] and not (text_like and _is_mail(content, ending, media_type)):
        return "pdf", "pdf"  # Junk before the mark is common: printers and gateways put it there.
    if not text_like and not _is_mail(
        content, ending, media_type
    ):  # Old mails carry raw bytes in their bodies.
        raise _unsupported("of an unknown kind")
    kind = _text_kind(content, ending, media_type)
    return kind, kind


def _text_kind(content: bytes, ending: str, media_type: str) -> str:
    head = decode_text(content[:8192]).lstrip("\ufeff \t\r\n")
    lowered = head[:2048].lower()
    if _is_mail(content, ending, media_type):
        return "email"
    begins_as_page = lowered.startswith(("<!doctype html", "<html", "<head", "<body"))
    if begins_as_page or (lowered.startswith(("<?xml", "<!--")) and "<html" in lowered):
        return "html"
    if (ending in {"html", "htm"} or media_type == "text/html") and _MARKUP.search(head):
        return "html"
    if ending in {"csv", "tsv"} or media_type in {"text/csv", "text/tab-separated-values"}:
        return "csv"
    # What claims to be something binary but is full of tags is an error page saved under the file's name.
    if ending in {"pdf", "docx"} and len(_MARKUP.findall(head)) >= 3:
        return "html"
    return "text"


def _is_mail(content: bytes, ending: str, media_type: str) -> bool:
    head = decode_text(content[:16384]).lstrip("\ufeff\r\n")
    if head.startswith("From ") and "\n" in head:
        head = head.split("\n", 1)[1]
    if not _HEADER.match(head) and not head.startswith(">From "):
        return False
    block = re.split(r"\r?\n[ \t]*\r?\n", head, maxsplit=1)[0]
    names = {match.group(1).lower() for match in _HEADER.finditer(block)}
    known = names & (_TRANSPORT | _CORRESPONDENCE)
    if ending == "eml" or media_type == "message/rfc822":
        return bool(known) or any(one.startswith(("content-", "x-")) for one in names)
    return bool(names & _TRANSPORT) and len(known) >= 2


def _in_zip(content: bytes) -> tuple[str, str]:
    # Names stand uncompressed in the central directory, at the end; unpacking is not needed to tell.
    if b"word/document" in content or b"word/" in content[-65536:]:
        return "docx", "docx"
    if b"xl/workbook" in content:
        raise _unsupported("an Excel workbook", "Save the sheet as CSV or PDF and send it again.")
    if b"ppt/presentation" in content:
        raise _unsupported("a PowerPoint file", "Save it as PDF and send it again.")
    if b"mimetypeapplication/vnd.oasis" in content[:200]:
        raise _unsupported("an OpenDocument file")
    raise _unsupported("a ZIP archive", "Unpack it and send the files that matter, each for itself.")


def _unsupported(words: str, next_step: str = "") -> Unreadable:
    return Unreadable(Reason.UNSUPPORTED, f"The file is {words}, which cannot be read here.", next_step)
