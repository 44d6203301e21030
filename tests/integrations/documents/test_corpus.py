"""A walk over a folder of strange real files: whatever comes, it is a reading or a refusal, in time and in bounds."""

import os
import time
from pathlib import Path

import pytest

from integrations.documents.limits import Limits
from integrations.documents.pages import Reading, Unreadable
from integrations.documents.reader import Reader

CORPUS = Path(os.environ.get("COUNTERSIGN_CORPUS", ""))
FOLDERS = [
    "pdf-weird",
    "eml-mail-parser",
    "eml-mimekit",
    "eml-python",
    "eml-spamassassin",
    "eml-talon-replies",
    "csv-spectrum",
    "encodings-charset-normalizer",
    "office-python-docx",
    "images-tesseract",
    "invoices-invoice2data",
]


@pytest.mark.skipif("COUNTERSIGN_CORPUS" not in os.environ, reason="COUNTERSIGN_CORPUS names no folder")
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_gives_a_reading_or_a_refusal(folder: str) -> None:
    limits = Limits(seconds=30)
    files = sorted(path for path in (CORPUS / folder).rglob("*") if path.is_file())
    assert files
    with Reader(limits=limits) as reader:
        for path in files:
            began = time.monotonic()
            outcome = read_or_refuse(reader, path)
            if isinstance(outcome, Unreadable):
                assert outcome.message.endswith("."), path
                assert outcome.next_step.endswith("."), path
            else:
                check(outcome, limits)
            assert time.monotonic() - began < limits.seconds + 5, path


def read_or_refuse(reader: Reader, path: Path) -> Reading | Unreadable:
    try:
        return reader.read(content=path.read_bytes(), name=path.name)
    except Unreadable as refusal:
        return refusal


def check(reading: Reading, limits: Limits) -> None:
    assert reading.pages
    assert len(reading.pages) <= limits.max_pages
    assert sum(len(page.text) for page in reading.pages) <= limits.max_characters
    assert "\r" not in "".join(page.text for page in reading.pages)
    for page in reading.pages:
        end = 0
        for piece in page.pieces:
            assert end <= piece.start < piece.end <= len(page.text)
            assert 0 <= piece.box[0] <= piece.box[2] <= 1
            assert 0 <= piece.box[1] <= piece.box[3] <= 1
            end = piece.end
    if reading.newest_end is not None:
        assert 0 < reading.newest_end < len(reading.pages[0].text)
