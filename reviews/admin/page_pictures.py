"""Pages of PDFs and images as pictures: drawn once in the child process that reads files, then kept on the disk.

What a stranger sent is never given to the browser as it came: it gets the pixels of a page, and no more.
"""

from __future__ import annotations

import atexit
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.cache import cache

from integrations.documents.limits import Limits
from integrations.documents.pages import Reason, Unreadable
from integrations.documents.reader import Reader
from workflows.models import Source
from workflows.reading import content_of

WIDTHS = (300, 1000, 1600)  # a thumbnail, a column of the screen, the same enlarged
MEDIA_TYPE = "image/webp"

# A web process has eight threads for everybody. At most this many of them (what one browser asks for at a time) wait for
# a picture, and none of them long.
_MOST_WAITING = 6
_PLACE_SECONDS = 1.5  # for one of these places; a burst of thumbnails is over by then
_WAIT_SECONDS = 8.0  # for the pages of others to be drawn
_LIMITS = Limits(seconds=15.0, memory_bytes=1536 * 1024**2)
_REFUSED_FOR = 600  # seconds: a page that crashes the child is not drawn again with every look at it
_CLEARED_ONE_IN = 200

_waiting = threading.BoundedSemaphore(_MOST_WAITING)
_drawing = threading.Lock()
_reader = Reader(limits=_LIMITS)
atexit.register(_reader.close)


class Busy(Exception):
    """The picture may come when asked for again in `seconds`."""

    def __init__(self, message: str, *, seconds: int) -> None:
        self.message, self.seconds = message, seconds
        super().__init__(message)


def picture_tag(*, source: Source, number: int, width: int) -> str:
    """What names the picture for good: of the same bytes the same page is always the same picture."""
    return f"{source.sha256[:32]}-{number}-{width}"


def picture_of(*, source: Source, number: int, width: int, asked_by: int) -> bytes:
    """Raises Unreadable where there is no picture of the page, Busy where there is none now."""
    file = _place(source=source, number=number, width=width)
    if (kept := _kept(file)) is not None:
        return kept
    refused = f"no-picture:{source.sha256}:{number}"
    if told := cache.get(refused):
        raise Unreadable(Reason(told[0]), *told[1:])
    _count(asked_by)
    with _turn():
        if (kept := _kept(file)) is not None:  # drawn by the one before us
            return kept
        try:
            picture = _reader.render(
                content=content_of(source=source), number=number, width_px=width, form="WEBP"
            )
        except FileNotFoundError:
            raise Unreadable(
                Reason.BROKEN, "The file is no longer there.", "Its text stands beside it."
            ) from None
        except Unreadable as why:
            cache.set(refused, (str(why.reason), why.message, why.next_step), _REFUSED_FOR)
            raise
    _keep(file, picture)
    if not Source.objects.filter(pk=source.pk).exists():  # erased while it was drawn
        forget_pictures(source.sha256)
    return picture


def forget_pictures(sha256: str) -> None:
    """Of a file that nothing holds any more."""
    shutil.rmtree(_folder() / sha256[:2] / sha256, ignore_errors=True)


def _place(*, source: Source, number: int, width: int) -> Path:
    return _folder() / source.sha256[:2] / source.sha256 / f"{number}-{width}.webp"


def _folder() -> Path:
    # Beside the sources, so that whoever guards, moves or deletes one folder has both.
    return Path(settings.MEDIA_ROOT) / "pictures"


def _kept(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


@contextmanager
def _turn() -> Iterator[None]:
    busy = Busy("Many pages are being drawn just now. This one is tried again in a moment.", seconds=2)
    if not _waiting.acquire(timeout=_PLACE_SECONDS):
        raise busy
    try:
        if not _drawing.acquire(timeout=_WAIT_SECONDS):
            raise busy
        try:
            yield
        finally:
            _drawing.release()
    finally:
        _waiting.release()


def _count(person: int) -> None:
    """Pictures drawn for one person in a minute; those that are kept already cost nothing and are not counted."""
    minute = int(time.time() // 60)
    name = f"pictures-drawn:{person}:{minute}"
    cache.add(name, 0, timeout=120)
    try:
        drawn = cache.incr(name)
    except ValueError:  # evicted between the two
        return
    if drawn > settings.PICTURES_DRAWN_PER_MINUTE:
        raise Busy(
            "You have opened very many pages in a minute. The next ones are drawn in the next minute.",
            seconds=int((minute + 1) * 60 - time.time()) + 1,
        )


def _keep(file: Path, picture: bytes) -> None:
    """A full disk costs time with the next look, not this one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
        with os.fdopen(handle, "wb") as part:
            part.write(picture)
        os.replace(name, file)
    except OSError:
        return
    if random.random() < 1 / _CLEARED_ONE_IN:  # noqa: S311  which visit sweeps is no secret
        clear_oldest(most_bytes=settings.MOST_PICTURE_BYTES)


def clear_oldest(*, most_bytes: int) -> int:
    """Delete the pictures drawn longest ago until the rest fits. Returns how many went; each can be drawn again."""
    found = []
    for file in _folder().glob("*/*/*"):
        try:
            told = file.stat()
        except OSError:
            continue
        found.append((told.st_mtime, told.st_size, file))
    total = sum(size for _, size, _ in found)
    gone = 0
    for _, size, file in sorted(found, key=lambda one: one[0]):
        if total <= most_bytes:
            break
        file.unlink(missing_ok=True)
        total -= size
        gone += 1
    return gone
