"""One installation: the real `manage.py serve` with its whole family of processes, and who of them is who."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil
from django.conf import settings

from tests.faults.servers import ROOT, free_port
from tests.faults.waiting import wait_until


class Installation:
    """`env` is all it is told beside the folder, the port and the path. Its log grows over its restarts."""

    def __init__(self, *, folder: Path, env: Mapping[str, str]) -> None:
        self.port = free_port()
        self.log = folder / "serve.log"
        kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PIP_INDEX_URL", "PIP_CONFIG_FILE")
        self.env = {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "COUNTERSIGN_DATA": str(folder),
            "PORT": str(self.port),
            **env,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._seen: set[psutil.Process] = set()
        self._not_workers: dict[int, set[int]] = {}

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def supervisor(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def family(self) -> list[psutil.Process]:
        """Children and their children, whatever their depth; remembered, so that none can be left behind."""
        family = self.supervisor().children(recursive=True)
        self._seen.update(family)
        return family

    def left(self) -> list[psutil.Process]:
        """Processes of any earlier look that still run."""
        return living(self._seen)

    def main_process(self, word: str) -> psutil.Process | None:
        """What the supervisor started with this word in its command, below the process that guards it."""
        self.family()
        for guard in self.supervisor().children():
            with contextlib.suppress(psutil.Error):
                if word in guard.cmdline():
                    return next(iter(guard.children()), None)
        return None

    def web(self) -> psutil.Process | None:
        return self.main_process("gunicorn")

    def web_worker(self) -> psutil.Process | None:
        master = self.web()
        return next(iter(master.children()), None) if master else None

    def cluster(self) -> psutil.Process | None:
        return self.main_process("qcluster")

    def model_server(self) -> psutil.Process | None:
        return self.main_process("integrations.llm.embedded")

    def workers(self) -> list[psutil.Process]:
        """The workers of a whole cluster; none while it is not whole.

        Under the main process one process guards the rest: workers, and one each that feeds and empties their queues.
        These two are started last and only when the cluster starts, and are told from workers by that.
        """
        cluster = self.cluster()
        if cluster is None:
            return []
        whole = settings.WORKERS + 2
        for guard in cluster.children():
            children = sorted(guard.children(), key=lambda one: (one.create_time(), one.pid))
            if len(children) == whole:
                others = self._not_workers.setdefault(guard.pid, {one.pid for one in children[-2:]})
                return [one for one in children if one.pid not in others]
        return []

    def worker_that_talks_to(self, port: int) -> psutil.Process | None:
        return next((one for one in self.workers() if port in _ports_of(one)), None)

    def idle_worker(self, *, busy_with: Iterable[int]) -> psutil.Process | None:
        """One that waits for a task: best the one that holds the lock of the queue, since its death stops the others."""
        busy = set(busy_with)
        idle = [one for one in self.workers() if not busy & _ports_of(one)]
        return next((one for one in idle if _reads(one)), idle[0] if idle else None)

    def end(self) -> None:
        if self.process is None:
            return
        with contextlib.suppress(psutil.Error):
            self.family()
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        self.process.kill()
        self.process.wait(5)
        for one in self.left():
            with contextlib.suppress(psutil.Error):
                one.kill()

    def gone_within(self, seconds: float) -> float:
        """After the supervisor was killed: how long its family took to end."""
        began = time.monotonic()
        wait_until(
            lambda: not self.left(), seconds=seconds, what="every process of the installation has ended"
        )
        return time.monotonic() - began


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    alive = []
    for one in processes:
        with contextlib.suppress(psutil.Error):
            if one.is_running() and one.status() != psutil.STATUS_ZOMBIE:
                alive.append(one)
    return alive


def _ports_of(process: psutil.Process) -> set[int]:
    with contextlib.suppress(psutil.Error):
        connections = process.net_connections(kind="tcp")
        return {one.raddr.port for one in connections if one.raddr and one.status == psutil.CONN_ESTABLISHED}
    return set()


def _reads(process: psutil.Process) -> bool:
    """Whether it waits in a read (Linux on x86 alone lets us ask): workers without the lock wait for that instead."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process.pid}/syscall").read_text().startswith("0 ")
    return False
