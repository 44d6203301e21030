"""One stream of lines from many children: `web    | Listening on ...`."""

import os
import queue
import threading
import time
from typing import IO, TextIO

LINE_LIMIT = 8192  # bytes; a child that prints no line end must not fill the memory
WAITING_LINES = 5000
COLOURS = ("36", "33", "35", "32", "34", "96", "93", "95")


class PrefixedLog:
    """Writes from a thread of its own: a paused terminal (Ctrl-S, a full pipe) must stop neither the children nor the
    supervisor. While nothing can be written, lines beyond WAITING_LINES are dropped and counted, and the count is said."""

    def __init__(self, out: TextIO, *, names: list[str]) -> None:
        self._out = out
        self._width = max((len(name) for name in names), default=0)
        coloured = out.isatty() and "NO_COLOR" not in os.environ
        self._colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)} if coloured else {}
        self._waiting: queue.Queue[tuple[str, str] | None] = queue.Queue(WAITING_LINES)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._writer.start()

    def write(self, name: str, line: str, *, patience: float = 1.0) -> None:
        """Print one line; drop it when the output has not moved for `patience` seconds, or is known to stand still."""
        try:
            # Waiting for each line again would slow the children down to one line per `patience`.
            self._waiting.put((name, line), block=not self._dropped, timeout=patience)
        except queue.Full:
            self._dropped += 1

    def drain(self, name: str, pipe: IO[bytes]) -> threading.Thread:
        """Print everything the pipe gives until its end, in a thread, which is returned."""
        thread = threading.Thread(target=self._drain, args=(name, pipe), name=f"log of {name}", daemon=True)
        thread.start()
        return thread

    def close(self, *, seconds: float = 2.0) -> None:
        """Wait for what is waiting to be printed, at most `seconds`."""
        until = time.monotonic() + seconds
        try:
            self._waiting.put(None, timeout=seconds)
        except queue.Full:
            return
        self._writer.join(max(0.0, until - time.monotonic()))

    def _drain(self, name: str, pipe: IO[bytes]) -> None:
        with pipe:
            while line := pipe.readline(LINE_LIMIT):
                self.write(name, line.decode(errors="replace").rstrip("\r\n"))

    def _write_all(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            name, line = waiting
            dropped, self._dropped = self._dropped, 0
            if dropped:
                line = f"({dropped} lines were not shown: the output stood still)\n{self._prefix(name)}{line}"
            try:
                self._out.write(f"{self._prefix(name)}{line}\n")
                self._out.flush()
            except (OSError, ValueError):
                continue  # nobody reads any more (`| head`): the children go on all the same

    def _prefix(self, name: str) -> str:
        prefix = f"{name:<{self._width}} | "
        colour = self._colours.get(name)
        return f"\033[{colour}m{prefix}\033[0m" if colour else prefix
