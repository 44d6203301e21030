"""Runs one command and never outlives its supervisor, nor lets the command outlive it.

Run as a file with `python -I -S leash.py FD -- COMMAND...`, so that it starts in about 20 ms: standard library only,
no package import. FD is its end of a socket pair whose other end only the supervisor holds:
in:  `t` end the command gently (SIGTERM, after GENTLE_SECONDS SIGKILL), `k` at once, end of file: the supervisor died;
out: `started PID`, then `ended STATUS` (exit code, or minus the signal), one line each.

The command leads a process group of its own, so `PID` is also that group. Whatever is left of the group when the
command ends is killed before the leash ends: the workers of a cluster that was killed must not go on beside the next.
On Linux, processes that made themselves a session are found too, by the mark in their environment.
"""

import os
import select
import signal
import sys
import time
from types import FrameType

MARK = "COUNTERSIGN_LEASH"
GENTLE_SECONDS = 5.0
ABANDONED_SECONDS = 2.0  # shorter: nobody is watching any more, and a new supervisor may want the port


def marked(mark: str) -> list[int]:
    """Pids of living processes that carry `mark` in their environment, without this one; empty where there is no /proc."""
    if not mark or not os.path.isdir("/proc/self"):
        return []
    needle = f"{MARK}={mark}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as environment:
                if needle in environment.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            continue  # ended meanwhile, or of another user
    return found


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:  # none left, or on macOS only zombies (EPERM)
        return False
    return True


def kill_all(*, group: int | None, mark: str, seconds: float = 2.0) -> None:
    """Kill the group and everything marked, and wait (at most `seconds`) until they are gone and their ports free."""
    until = time.monotonic() + seconds
    linux = os.path.isdir("/proc/self")
    while True:
        if group is not None:
            try:
                os.killpg(group, signal.SIGKILL)
            except OSError:
                group = None
        left = marked(mark)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        # On Linux a group also counts its zombies, which wait for an init that may never reap: ask for the marks alone.
        lives = bool(left) if linux else group is not None and group_lives(group)
        if not lives or time.monotonic() > until:
            return
        time.sleep(0.02)


def die_with_parent(parent: int) -> None:
    """Linux: the kernel kills this process when the leash dies. Elsewhere the supervisor does, a moment later."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call
        os._exit(1)


def start(command: list[str]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        try:
            os.setpgid(pid, pid)  # both sides set it, so that neither can be too early
        except OSError:
            return pid  # already done there
        return pid
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored_by_python, signal.SIG_DFL)
        die_with_parent(parent)
        os.execvp(command[0], command)  # noqa: S606 -- no shell is wanted
    except OSError as error:
        os.write(2, f"{command[0]} could not be started: {error.strerror}\n".encode())
    os._exit(127)


def report(control: int, line: str) -> None:
    try:
        os.write(control, f"{line}\n".encode())
    except OSError:
        return  # the supervisor is gone; what follows is the same


def signal_quietly(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        return


def hold(control: int, command: list[str]) -> None:
    """Stay until the command has ended and nothing of it is left."""
    os.set_inheritable(control, False)
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    asked_to_end = False

    def note(number: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_end
        asked_to_end = asked_to_end or number != signal.SIGCHLD

    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, note)

    mark = os.environ.get(MARK, "")
    pid = start(command)
    report(control, f"started {pid}")
    listening = [wake, control]
    deadline: float | None = None

    def end_within(seconds: float) -> None:
        nonlocal deadline
        if deadline is None:
            signal_quietly(pid, signal.SIGTERM)
        deadline = min(time.monotonic() + seconds, deadline if deadline is not None else float("inf"))

    while True:
        patience = None if deadline is None else max(0.0, deadline - time.monotonic())
        readable, _, _ = select.select(listening, [], [], patience)
        if wake in readable:
            os.read(wake, 512)
        if control in readable:
            try:
                words = os.read(control, 64)
            except OSError:
                words = b""
            if not words:
                listening.remove(control)
                end_within(ABANDONED_SECONDS)
            elif b"k" in words:
                deadline = 0.0
            else:
                end_within(GENTLE_SECONDS)
        if asked_to_end and deadline is None:
            end_within(GENTLE_SECONDS)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            report(control, f"ended {os.waitstatus_to_exitcode(status)}")
            break
        if deadline is not None and time.monotonic() >= deadline:
            kill_all(group=pid, mark=mark)
            _, status = os.waitpid(pid, 0)
            report(control, f"ended {os.waitstatus_to_exitcode(status)}")
            break
    kill_all(group=pid, mark=mark)


if __name__ == "__main__":
    hold(int(sys.argv[1]), sys.argv[3:])
