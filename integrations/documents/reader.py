"""The door to reading files: everything but plain text goes to one warm child process."""

import dataclasses
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from integrations.documents.frames import (
    PREFIX,
    BadFrame,
    header_of,
    pack,
    sizes,
    unpack_reading,
    unpack_refusal,
)
from integrations.documents.kinds import tell_kind
from integrations.documents.limits import Limits
from integrations.documents.pages import Reading, Reason, Unreadable
from integrations.documents.plain import read_plain_text
from integrations.documents.reading import PictureForm

__all__ = ["Reader", "is_plain_text", "read_plain_text"]

_PROJECT = Path(__file__).resolve().parents[2]
# The child parses hostile files: it gets what Python needs to start, and no key, password or address.
_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
)
_CHUNK = 256 * 1024
_KEPT_NOISE = 8_192
_OUT_OF_MEMORY = (
    b"bad_alloc",
    b"MemoryError",
    b"out of memory",
    b"Out of memory",
    b"Cannot allocate",
    b"OOM",
)


class _Died(Exception):
    def __init__(self, noise: bytes) -> None:
        self.noise = noise


class _OutOfTime(Exception):
    pass


class Reader:
    """A context manager around one child process, started with the first file and kept for the next ones.

    Not multiprocessing: queue workers are daemonic and may not have such children. Calls from several threads wait for
    each other. A child that crashes, hangs or takes too much memory is ended and the next call starts another.
    """

    def __init__(self, *, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id while one is alive."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def read(self, *, content: bytes, name: str, media_type: str = "") -> Reading:
        """Raises Unreadable and nothing else, within the limits' seconds and a little."""
        if len(content) <= self.limits.max_bytes:
            tell_kind(
                content=content, name=name, media_type=media_type
            )  # Refuses without a process what it can.
        header, body = self._ask({"do": "read", "name": name, "media_type": media_type}, content)
        try:
            return unpack_reading(header, body)
        except BadFrame as error:
            self.close()
            raise Unreadable(Reason.BROKEN) from error

    def render(self, *, content: bytes, number: int, width_px: int, form: PictureForm = "PNG") -> bytes:
        """Picture of page `number` (from 1) of a PDF or an image, as the boxes of its reading lie on it. Raises Unreadable."""
        header, body = self._ask(
            {"do": "render", "number": number, "width_px": width_px, "form": form}, content
        )
        if header.get("picture") != form:
            self.close()
            raise Unreadable(Reason.BROKEN)
        return body

    def close(self) -> None:
        with self._lock:
            self._end()

    def _ask(self, question: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
        if len(content) > self.limits.max_bytes:
            limit = self.limits.max_bytes / 1024 / 1024
            size = len(content) / 1024 / 1024
            raise Unreadable(
                Reason.TOO_LARGE, f"The file has {size:,.1f} MB; up to {limit:,.0f} MB can be read."
            )
        frame = pack({**question, "limits": dataclasses.asdict(self.limits)}, content)
        with self._lock:
            try:
                child = self._start()
                header, body = _exchange(child, frame, time.monotonic() + self.limits.seconds)
            except _OutOfTime as error:
                self._end()
                raise Unreadable(Reason.TOO_SLOW) from error
            except _Died as death:
                raise self._explain(death.noise) from death
            except (BadFrame, OSError) as error:
                self._end()
                raise Unreadable(Reason.BROKEN, "The file could not be read: reading it failed.") from error
            except BaseException:
                self._end()  # Cancelled halfway: what the child says next would answer the wrong question.
                raise
        if "refusal" in header:
            try:
                raise unpack_refusal(header)
            except BadFrame as error:
                self.close()
                raise Unreadable(Reason.BROKEN) from error
        return header, body

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._end()
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {"PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        # One arena of memory for all threads: every further one takes 128 MiB of the address space that is limited.
        environment |= {"MALLOC_ARENA_MAX": "2"}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "integrations.documents.child"],
            cwd=_PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.poll() is None:
            child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream is not None:
                stream.close()

    def _explain(self, noise: bytes) -> Unreadable:
        """What the death of the child says about the file."""
        child = self._child
        self._end()
        code = child.returncode if child is not None else 0
        if any(sign in noise for sign in _OUT_OF_MEMORY):
            return Unreadable(Reason.TOO_MUCH_MEMORY)
        if code == -getattr(signal, "SIGXCPU", 24):
            return Unreadable(Reason.TOO_SLOW)
        return Unreadable(
            Reason.BROKEN,
            "Reading the file stopped unexpectedly.",
            "Try again once; if it stops again, ask the sender for another copy or fill in the fields by hand.",
        )


def is_plain_text(*, content: bytes, name: str, media_type: str = "") -> bool:
    """Whether `read_plain_text` is the way to read it. False for what cannot be read at all."""
    try:
        return tell_kind(content=content, name=name, media_type=media_type).name == "text"
    except Unreadable:
        return False


def _exchange(
    child: "subprocess.Popen[bytes]", frame: bytes, deadline: float
) -> tuple[dict[str, Any], bytes]:
    """Sends one frame and takes one, reading answers and noise while it sends, so that no full pipe can block both."""
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    unsent = memoryview(frame)
    answer, noise = bytearray(), bytearray()
    needed = PREFIX.size
    header_size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdin, selectors.EVENT_WRITE)
        selector.register(child.stdout, selectors.EVENT_READ)
        selector.register(child.stderr, selectors.EVENT_READ)
        while len(answer) < needed:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _OutOfTime
            for key, _ in selector.select(left):
                if key.fileobj is child.stdin:
                    try:
                        unsent = unsent[os.write(child.stdin.fileno(), unsent[:_CHUNK]) :]
                    except BrokenPipeError:
                        unsent = unsent[:0]
                    if not unsent:
                        selector.unregister(child.stdin)
                    continue
                chunk = os.read(key.fd, _CHUNK)
                if key.fileobj is child.stdout:
                    if not chunk:
                        raise _Died(_last_words(child, noise))
                    answer += chunk
                elif chunk:
                    noise += chunk
                    del noise[:-_KEPT_NOISE]
                else:
                    selector.unregister(child.stderr)
            if not header_size and len(answer) >= PREFIX.size:
                header_size, body_size = sizes(bytes(answer[: PREFIX.size]))
                needed = PREFIX.size + header_size + body_size
    if len(answer) != needed:
        raise BadFrame("more than one answer")
    body_start = PREFIX.size + header_size
    return header_of(bytes(answer[PREFIX.size : body_start])), bytes(answer[body_start:])


def _last_words(child: "subprocess.Popen[bytes]", noise: bytearray) -> bytes:
    """Waits for the child that has closed its answers, and takes what its standard error still holds."""
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    assert child.stderr is not None
    try:
        while chunk := os.read(child.stderr.fileno(), _CHUNK):
            noise += chunk
            del noise[:-_KEPT_NOISE]
    except OSError:
        pass
    return bytes(noise)
