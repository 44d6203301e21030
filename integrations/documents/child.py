"""The process in which files are parsed: `python -m integrations.documents.child`.

It reads frames from standard input and answers each with one frame on standard output, until its input ends. Parsers of
PDFs, images and archives are large and meet hostile input: here a crash, a loop or a flood of memory costs one file.
"""

import os
import sys
import threading
import time
from contextlib import suppress
from typing import Any, BinaryIO

from integrations.documents.frames import PREFIX, header_of, pack, pack_reading, pack_refusal, sizes
from integrations.documents.limits import Limits
from integrations.documents.pages import Reason, Unreadable
from integrations.documents.reading import read_file, render_page

try:
    import resource
except ImportError:  # Windows has no such limits; there only the parent's clock holds.
    resource = None  # type: ignore[assignment]


def main() -> None:
    answers = _own_stdout()
    _end_with_parent()
    questions = sys.stdin.buffer
    while (question := _next(questions)) is not None:
        header, content = question
        answers.write(_answer(header, content))
        answers.flush()


def _own_stdout() -> BinaryIO:
    """The answers' channel, kept apart: whatever a library prints from here on goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _end_with_parent() -> None:
    """No orphan: idle, the end of input ends us; busy, this watch does.

    Not PR_SET_PDEATHSIG: it fires when the *thread* that started us ends, and workers start us from pool threads.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _next(questions: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    prefix = questions.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        return None
    header_size, body_size = sizes(prefix)
    header = questions.read(header_size)
    body = questions.read(body_size)
    return (header_of(header), body) if len(header) == header_size and len(body) == body_size else None


def _answer(header: dict[str, Any], content: bytes) -> bytes:
    limits = Limits(**header["limits"])
    _hold_to(limits)
    try:
        if header["do"] == "render":
            picture = render_page(
                content=content, number=header["number"], width_px=header["width_px"], limits=limits,
                form=header["form"],
            )  # fmt: skip
            return pack({"picture": header["form"]}, picture)
        return pack_reading(
            read_file(content=content, name=header["name"], media_type=header["media_type"], limits=limits)
        )
    except Unreadable as refusal:
        return pack_refusal(refusal)
    except MemoryError:
        return pack_refusal(Unreadable(Reason.TOO_MUCH_MEMORY))
    except (
        Exception
    ) as error:  # Whatever a parser did not foresee is a broken file to the person who sent it.
        if _is_out_of_memory(error):
            return pack_refusal(Unreadable(Reason.TOO_MUCH_MEMORY))
        print(f"reading failed: {type(error).__name__}: {error}", file=sys.stderr)
        return pack_refusal(Unreadable(Reason.BROKEN))


def _is_out_of_memory(error: Exception) -> bool:
    """onnxruntime and OpenCV tell of a failed allocation in words of their own."""
    words = str(error).lower()
    return any(
        sign in words for sign in ("bad_alloc", "bad allocation", "insufficient memory", "failed to allocate")
    )


def _hold_to(limits: Limits) -> None:
    if resource is None:
        return
    with suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, hard))
    # CPU time counts from the start of the process; recognition runs two threads. The parent's clock comes first: this
    # one ends what the parent can no longer end.
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + 3 * limits.seconds + 5)
    with suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):
        main()
