"""Runs named children (web, workers, model server) as one foreground job. Knows nothing of Django."""

import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from config.leash import GENTLE_SECONDS, MARK, kill_all
from config.ports import wait_for_port
from config.prefixed_log import PrefixedLog

BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before the next start
BACK_OFF_FORGOTTEN_AFTER = 30.0  # seconds alive
FAILED_STARTS = 5
SETTLED = 1.0  # a child without a check counts as ready when it has lived so long
PROBE_SECONDS = 0.5
PORT_SECONDS = 6.0  # children of a killed supervisor end within 5 s
OWN_NAME = "countersign"


@dataclass(frozen=True)
class Child:
    """One process to keep running.

    `env` is added to the supervisor's own environment. `ready`, `heartbeat` are asked in a thread of the supervisor;
    they must return within seconds (give them time-outs) and may raise, which counts as "not known".
    `heartbeat` returns the age in seconds of the last sign of life, None while none is known; an age is never held
    against a child beyond the time since it was ready, so that its predecessor's last sign does not count. A child with
    a `heartbeat` and no `ready` is ready at its first sign of life.
    `starts_after` names children that must have been ready once. `ports` on loopback are checked before anything starts.
    """

    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 30.0
    heartbeat: Callable[[], float | None] | None = None
    heartbeat_limit: float = 15.0
    starts_after: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


@dataclass
class Life:
    """One start of a child: its leash, the process group the leash reported, and what was seen of it."""

    leash: subprocess.Popen[bytes]
    line: socket.socket
    mark: str
    drained: threading.Thread
    started: float
    group: int | None = None
    heard: str = ""
    status: int | None = None
    ready_at: float | None = None
    silent_for: float | None = None
    killed_because: str = ""
    must_end_by: float | None = None

    def tell(self, word: bytes) -> None:
        try:
            self.line.send(word)
        except OSError:
            return  # the leash has ended

    def listen(self) -> None:
        try:
            self.heard += self.line.recv(256).decode(errors="replace")
        except OSError:
            return
        while "\n" in self.heard:
            said, self.heard = self.heard.split("\n", 1)
            verb, number = said.split()
            if verb == "started":
                self.group = int(number)
            else:
                self.status = int(number)


@dataclass
class Keeping:
    """What the supervisor remembers of a child from life to life."""

    child: Child
    life: Life | None = None
    was_ready: bool = False
    failures: int = 0
    start_at: float = 0.0


class Supervisor:
    """Starts children in order, restarts what stops or falls silent, and leaves no process behind, however it ends itself.

    Each child runs under a leash (config/leash.py) which notices when this process dies. Do not fork without exec in
    this process (multiprocessing "fork"): the copy would hold the leashes' lines open.
    """

    def __init__(self, *, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._log: PrefixedLog | None = None
        self._keeping: list[Keeping] = []
        self._signals = 0
        self._finished = False
        self._over = threading.Event()
        self._complaints: dict[str, float] = {}

    def say(self, text: str) -> None:
        """Print a line of the supervisor's own, from any thread."""
        if self._log is not None:
            self._log.write(OWN_NAME, text)

    def run(
        self,
        *,
        children: Sequence[Child],
        on_tick: Callable[[], None] | None = None,
        tick_seconds: float = 2.0,
        until: Callable[[], bool] | None = None,
    ) -> int:
        """Keep the children running until Ctrl-C, SIGTERM or SIGHUP (0), until `until` is true (0), or until one cannot
        be started or a port is taken (1). Every process of every child has ended when this returns.

        `on_tick` and `until` are called every `tick_seconds` in a thread of their own (with its own database
        connections), so that a slow database delays neither Ctrl-C nor a restart. What they raise is printed, once a minute.
        """
        check_names(children)
        self._log = PrefixedLog(self._out, names=[OWN_NAME, *(child.name for child in children)])
        self._keeping = [Keeping(child) for child in children]
        self._signals, self._finished = 0, False
        self._over.clear()
        before = self._catch_signals()
        threads = [
            threading.Thread(target=self._watch, name="watch", daemon=True),
            threading.Thread(
                target=self._tick, args=(on_tick, until, tick_seconds), name="tick", daemon=True
            ),
        ]
        try:
            if reason := self._taken_port():
                self.say(reason)
                return 1
            for thread in threads:
                thread.start()
            return self._keep()
        finally:
            self._over.set()
            self._end_all()
            for thread in threads:
                if thread.is_alive():
                    thread.join(1.0)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._log.close()

    # What happens in the main thread

    def _catch_signals(self) -> dict[int, Any]:
        if threading.current_thread() is not threading.main_thread():
            return {}

        def count(_number: int, _frame: FrameType | None) -> None:
            self._signals += 1

        return {
            number: signal.signal(number, count) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }

    def _taken_port(self) -> str:
        for keeping in self._keeping:
            for port in keeping.child.ports:
                if reason := wait_for_port(host="127.0.0.1", port=port, seconds=PORT_SECONDS):
                    return (
                        f"{reason} {keeping.child.name} needs it. Nothing was started. "
                        f"End that program, or choose another port and start again."
                    )
        return ""

    def _keep(self) -> int:
        while True:
            for keeping in self._keeping:
                if keeping.life is None:
                    if time.monotonic() >= keeping.start_at and self._may_start(keeping.child):
                        keeping.life = self._start(keeping.child)
                elif reason := self._look(keeping, keeping.life):
                    self.say(reason)
                    return 1
            if self._signals or self._finished:
                return 0
            self._pause(0.2)

    def _may_start(self, child: Child) -> bool:
        ready = {keeping.child.name for keeping in self._keeping if keeping.was_ready}
        return ready.issuperset(child.starts_after)

    def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until a leash reports something or ends."""
        lives = [k.life for k in self._keeping if k.life and k.life.leash.poll() is None]
        readable, _, _ = select.select([life.line for life in lives], [], [], seconds)
        for life in lives:
            if life.line in readable:
                life.listen()
        if readable:
            time.sleep(0.01)  # a leash that ended reads as readable until it is collected

    def _start(self, child: Child) -> Life:
        assert self._log is not None
        ours, theirs = socket.socketpair()
        mark = secrets.token_hex(16)
        with theirs:
            leash = subprocess.Popen(  # noqa: S603 -- the commands are ours
                [
                    sys.executable,
                    "-I",
                    "-S",
                    str(Path(__file__).with_name("leash.py")),
                    str(theirs.fileno()),
                    "--",
                    *child.command,
                ],
                env={**os.environ, "PYTHONUNBUFFERED": "1", **child.env, MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor alone
            )
        ours.setblocking(False)
        assert leash.stdout is not None
        drained = self._log.drain(child.name, leash.stdout)
        return Life(leash, ours, mark, drained, started=time.monotonic())

    def _look(self, keeping: Keeping, life: Life) -> str:
        """Act on what happened to one living child; returns why everything must end, or nothing."""
        child, now = keeping.child, time.monotonic()
        if life.ready_at is not None and not keeping.was_ready:
            keeping.was_ready = True
            keeping.failures = 0
        if life.leash.poll() is not None:
            return self._note_end(keeping, life)
        if life.must_end_by is not None:
            if now > life.must_end_by:  # the leash itself does not act: stopped, or starved
                self._kill(life)
            return ""
        if life.silent_for is not None:
            life.killed_because = f"is alive but gave no sign of life for {life.silent_for:.0f} s"
        elif life.ready_at is None and now - life.started > child.ready_seconds:
            life.killed_because = f"was not ready within {child.ready_seconds:.0f} s"
        if life.killed_because:
            life.tell(b"k")  # gently would wait for what hangs
            life.must_end_by = now + 2.0
        return ""

    def _note_end(self, keeping: Keeping, life: Life) -> str:
        child, now = keeping.child, time.monotonic()
        life.listen()
        how = life.killed_because
        if life.status is None and not how:
            how = "lost the process that guards it"
        self._collect(life)
        how = how or ended_in_words(life.status or 0)
        if life.ready_at is not None and now - life.started > BACK_OFF_FORGOTTEN_AFTER:
            keeping.failures = 0
        keeping.failures += 1
        keeping.life = None
        if not keeping.was_ready and keeping.failures >= FAILED_STARTS:
            return (
                f"{child.name} could not be started: it failed {FAILED_STARTS} times in a row, and {how} the last time. "
                f"Its own lines above say why. The others are ended; start again when that is put right."
            )
        wait = BACK_OFF[min(keeping.failures, len(BACK_OFF)) - 1]
        keeping.start_at = now + wait
        self.say(f"{child.name} {how}; starting it again in {wait:g} s")
        return ""

    def _kill(self, life: Life) -> None:
        kill_all(group=life.group, mark=life.mark)
        life.leash.kill()
        life.leash.wait()

    def _collect(self, life: Life) -> None:
        """After the leash ended. It leaves nothing behind, unless it was killed itself."""
        if life.status is None:
            kill_all(group=life.group, mark=life.mark)
        life.line.close()
        life.drained.join(0.5)  # its last lines belong before ours

    def _end_all(self) -> None:
        lives = [keeping.life for keeping in self._keeping if keeping.life]
        signals = self._signals
        if signals:
            self.say("Ending everything; a second Ctrl-C ends it at once.")
        for life in lives:
            life.tell(b"t")
        deadline = time.monotonic() + GENTLE_SECONDS + 2.0
        while any(life.leash.poll() is None for life in lives):
            if self._signals > signals:
                signals = sys.maxsize
                deadline = min(deadline, time.monotonic() + 1.0)
                for life in lives:
                    life.tell(b"k")
            if time.monotonic() > deadline:
                break
            self._pause(0.1)
        for life in lives:
            if life.leash.poll() is None:
                self._kill(life)
            life.listen()
            self._collect(life)
        for keeping in self._keeping:
            keeping.life = None
        if lives:
            self.say("Everything has ended.")

    # What happens in threads: only flags of a Life and `_finished` are written there

    def _watch(self) -> None:
        while not self._over.wait(PROBE_SECONDS):
            for keeping in self._keeping:
                if life := keeping.life:
                    self._probe(keeping.child, life)

    def _probe(self, child: Child, life: Life) -> None:
        now = time.monotonic()
        if life.ready_at is None:
            if self._is_ready(child, life) and life.leash.poll() is None:
                life.ready_at = time.monotonic()
                self.say(f"{child.name} is ready after {life.ready_at - life.started:.1f} s")
        elif child.heartbeat is not None and life.silent_for is None:
            if now - life.ready_at <= child.heartbeat_limit:
                return  # nothing it could say would count yet
            try:
                age = child.heartbeat()
            except Exception as error:
                self._complain(f"{child.name}: its last sign of life could not be read", error)
                return  # says nothing about the child
            since_ready = time.monotonic() - life.ready_at
            if age is None:
                if since_ready > child.heartbeat_limit + child.ready_seconds:
                    life.silent_for = since_ready
            elif age > child.heartbeat_limit:
                life.silent_for = min(age, since_ready)

    def _is_ready(self, child: Child, life: Life) -> bool:
        try:
            if child.ready is not None:
                return child.ready()
            if child.heartbeat is not None:
                age = child.heartbeat()
                return age is not None and age < time.monotonic() - life.started
            return time.monotonic() - life.started >= SETTLED
        except Exception:
            return False  # not reachable yet

    def _tick(
        self, on_tick: Callable[[], None] | None, until: Callable[[], bool] | None, seconds: float
    ) -> None:
        while not self._over.wait(seconds):
            try:
                if on_tick is not None:
                    on_tick()
                if until is not None and until():
                    self._finished = True
                    return
            except Exception as error:
                self._complain(
                    f"The regular look at due work failed and is repeated every {seconds:g} s", error
                )

    def _complain(self, what: str, error: Exception) -> None:
        now = time.monotonic()
        if now - self._complaints.get(what, -60.0) >= 60.0:
            self._complaints[what] = now
            self.say(f"{what} ({type(error).__name__}: {error})")


def check_names(children: Sequence[Child]) -> None:
    """Raise ValueError for names that are not unique, and for `starts_after` that nothing could satisfy."""
    startable: set[str] = set()
    waiting = list(children)
    if len({child.name for child in children}) < len(children):
        raise ValueError("Two children have the same name.")
    while waiting:
        now = [child for child in waiting if startable.issuperset(child.starts_after)]
        if not now:
            names = ", ".join(child.name for child in waiting)
            raise ValueError(f"These wait for each other, or for a child that does not exist: {names}.")
        startable.update(child.name for child in now)
        waiting = [child for child in waiting if child not in now]


def ended_in_words(status: int) -> str:
    if status < 0:
        return f"was ended from outside (signal {-status}, {signal.Signals(-status).name})"
    return f"ended by itself (exit code {status})"
