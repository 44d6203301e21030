"""Files made to cost much, through the real child process: each is refused or cut short, soon, and the next one is read."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator

import pytest

from integrations.documents.pages import Unreadable
from integrations.documents.reader import Reader

MOST_SECONDS = 90  # on a machine that does much else; alone it is a few


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    one = Reader()
    yield one
    one.close()


def picture_of_60_000_by_60_000() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(180_001)) for _ in range(200)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def document_of_a_gigabyte() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w") as part:
            part.write(b"<?xml version='1.0'?><w:document xmlns:w='w'><w:body><w:p>")
            for _ in range(1024):
                part.write(bytes(1024 * 1024))
    return packed.getvalue()


def mail_of_3_000_mails() -> bytes:
    """Each is an attachment of the one before."""
    head = b"From: a@a.example\r\nTo: b@b.example\r\nSubject: s\r\nMIME-Version: 1.0\r\nMessage-ID: <1@a.example>\r\n"
    return (head + b"Content-Type: message/rfc822\r\n\r\n") * 3_000 + head + b"\r\nThe end"


def mail_of_3_000_parts() -> bytes:
    """Each is a part of the one before."""
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (depth, depth)
        for depth in range(3_000)
    )
    return (
        b"From: a@a.example\r\nSubject: s\r\nMIME-Version: 1.0\r\nMessage-ID: <1@a>\r\n"
        + opened
        + b"\r\nThe end"
    )


FILES = {
    "photo.png": picture_of_60_000_by_60_000,
    "letter.docx": document_of_a_gigabyte,
    "mails.eml": mail_of_3_000_mails,
    "parts.eml": mail_of_3_000_parts,
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_made_to_cost_much_costs_little(reader: Reader, name: str) -> None:
    content = FILES[name]()
    assert len(content) < 25 * 1024 * 1024, "it would be refused by its size alone"
    before = time.monotonic()
    read = 0
    with contextlib.suppress(Unreadable):
        read = sum(len(page.text) for page in reader.read(content=content, name=name).pages)
    assert read <= 400_000
    assert time.monotonic() - before < MOST_SECONDS
    after = reader.read(content=b"Ines Okafor owes 12.50 EUR.", name="note.txt")
    assert after.pages[0].text.strip() == "Ines Okafor owes 12.50 EUR."
