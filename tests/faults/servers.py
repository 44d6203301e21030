"""The outside world of an installation under test: real processes that live on when the installation is killed."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.faults.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One of the test servers, run as `python -m MODULE --port N --log FILE ...`; its log is the truth of what it saw."""

    def __init__(self, module: str, *arguments: str, log: Path) -> None:
        self.port = free_port()
        self.log = log
        self.output = log.with_suffix(".out")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, "--port", str(self.port), "--log", str(log), *arguments],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._answers, seconds=20, what=f"{module} listens")

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def hold_its_breath(self) -> None:
        """The kernel still takes connections and requests; nothing is read or answered until `breathe`."""
        self.process.send_signal(signal.SIGSTOP)

    def breathe(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def saw(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def end(self) -> None:
        self.process.kill()
        self.process.wait(5)
