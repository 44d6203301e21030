"""Real processes: a supervisor in a process of its own, children and grandchildren that are small Python scripts."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.supervise import Child, check_names

ROOT = Path(__file__).resolve().parents[2]
PREAMBLE = """
import os, subprocess, sys, time
from pathlib import Path
from config.supervise import Child, Supervisor
here = Path(sys.argv[1])
def child(name, script="family", *more, **kept):
    return Child(name=name, command=[sys.executable, str(here / f"{script}.py"), str(here), name, *more], **kept)
def run(*children, **kept):
    sys.exit(Supervisor().run(children=children, **kept))
"""
# A child with two grandchildren: one in its group, one in a session of its own. All write down their pids.
FAMILY = """
import os, subprocess, sys, time
from pathlib import Path
here, name = Path(sys.argv[1]), sys.argv[2]
sleep = [sys.executable, "-S", "-c", "import time; time.sleep(300)"]
near = subprocess.Popen(sleep)
# Only Linux lets us find what left the group.
far = subprocess.Popen(sleep, start_new_session=sys.platform.startswith("linux"))
with open(here / f"{name}.pids", "a") as pids:
    pids.write(f"{os.getpid()} {near.pid} {far.pid}\\n")
print(f"{name} says hello", flush=True)
time.sleep(300)
"""


def lives(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def wait_until(true: Callable[[], object], *, seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.05)


class Job:
    """A supervisor in a process of its own, with what its children wrote down."""

    def __init__(self, folder: Path, body: str) -> None:
        self.folder = folder
        self.write("family", FAMILY)
        self.write("job", PREAMBLE + textwrap.dedent(body))
        self.output = folder / "output"
        self.process = subprocess.Popen(
            [sys.executable, str(folder / "job.py"), str(folder)],
            stdout=self.output.open("wb"),
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def write(self, name: str, script: str) -> None:
        (self.folder / f"{name}.py").write_text(textwrap.dedent(script))

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def families(self, name: str) -> list[list[int]]:
        """Pids of each start of a child: itself, its grandchild, its grandchild in another session."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.folder / f"{name}.pids").read_text().splitlines()
            return [[int(pid) for pid in line.split()] for line in lines]
        return []

    def family(self, name: str, *, start: int = 1) -> list[int]:
        wait_until(
            lambda: len(self.families(name)) >= start,
            seconds=12,
            what=f"start {start} of {name}: {self.said()}",
        )
        return self.families(name)[start - 1]

    def leash_of(self, pid: int) -> int:
        return int(
            subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True).stdout
        )

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, *, seconds: float = 12) -> int:
        return self.process.wait(seconds)

    def everyone(self) -> list[int]:
        return [pid for file in self.folder.glob("*.pids") for pid in map(int, file.read_text().split())]

    def left(self) -> list[int]:
        return [pid for pid in self.everyone() if lives(pid)]


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Callable[[str], Job]]:
    started: list[Job] = []

    def start(body: str) -> Job:
        started.append(Job(tmp_path, body))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(5)
        for pid in one.everyone():
            if lives(pid):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_it_ends_every_child_and_grandchild_and_says_so_once(job, number):
    running = job("run(child('web'), child('workers'))")
    running.family("web"), running.family("workers")
    running.send(number)
    assert running.end() == 0
    assert running.left() == []
    assert running.said().splitlines()[-1] == "countersign | Everything has ended."
    assert running.said().count("Everything has ended.") == 1


STUBBORN = FAMILY.replace(
    "import os,", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nimport os,"
)


def test_a_child_that_refuses_to_end_is_killed_after_five_seconds(job, tmp_path):
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    running = job("run(child('web', 'stubborn'))")
    running.family("web")
    began = time.monotonic()
    running.send(signal.SIGINT)
    assert running.end() == 0
    assert 4.5 < time.monotonic() - began < 9
    assert running.left() == []


def test_a_second_ctrl_c_ends_it_at_once(job, tmp_path):
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    running = job("run(child('web', 'stubborn'))")
    running.family("web")
    running.send(signal.SIGINT)
    wait_until(lambda: "a second Ctrl-C" in running.said(), seconds=3, what="the first was heard")
    began = time.monotonic()
    running.send(signal.SIGINT)
    assert running.end() == 0
    assert time.monotonic() - began < 3
    assert running.left() == []


def test_when_the_supervisor_is_killed_everything_ends_within_five_seconds(job, tmp_path):
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    running = job("run(child('web'), child('workers', 'stubborn'))")
    pids = running.family("web") + running.family("workers")
    leashes = [running.leash_of(running.family(name)[0]) for name in ("web", "workers")]
    assert all(lives(pid) for pid in pids + leashes)
    running.send(signal.SIGKILL)
    wait_until(lambda: not running.left(), seconds=5, what="nothing left")
    wait_until(lambda: not any(map(lives, leashes)), seconds=2, what="no leash left")


def test_what_a_killed_child_leaves_is_ended_before_it_is_started_again(job):
    running = job("run(child('workers', heartbeat=None))")
    first = running.family("workers")
    os.kill(first[0], signal.SIGKILL)
    second = running.family("workers", start=2)
    assert not any(lives(pid) for pid in first)
    assert all(lives(pid) for pid in second)
    assert "workers was ended from outside (signal 9, SIGKILL); starting it again in 0.2 s" in running.said()
    running.send(signal.SIGTERM)
    assert running.end() == 0
    assert running.left() == []


def test_a_killed_guard_takes_its_child_with_it_and_both_come_back(job):
    running = job("run(child('workers'))")
    first = running.family("workers")
    leash = running.leash_of(first[0])
    os.kill(leash, signal.SIGKILL)
    second = running.family("workers", start=2)
    assert not any(lives(pid) for pid in first)
    assert running.leash_of(second[0]) != leash
    assert "workers lost the process that guards it; starting it again" in running.said()
    running.send(signal.SIGTERM)
    assert running.end() == 0
    assert running.left() == []


def test_a_stopped_guard_does_not_keep_the_supervisor_from_ending(job):
    running = job("run(child('workers'))")
    leash = running.leash_of(running.family("workers")[0])
    os.kill(leash, signal.SIGSTOP)
    running.send(signal.SIGTERM)
    assert running.end() == 0
    assert running.left() == []
    assert not lives(leash)


def test_what_is_alive_but_silent_is_started_again_and_its_predecessors_last_sign_is_not_held_against_it(job):
    running = job("""
        def age():  # the file is older than any life: as if written by the first one long ago
            return 100.0 if len((here / 'workers.pids').read_text().splitlines()) < 3 else 0.1
        run(child('workers', heartbeat=age, heartbeat_limit=1.5, ready=lambda: True))
    """)
    began = time.monotonic()
    first, second, third = (running.family("workers", start=n) for n in (1, 2, 3))
    assert time.monotonic() - began > 3.0
    assert not any(lives(pid) for pid in first + second)
    time.sleep(3)
    assert all(lives(pid) for pid in third)
    assert "workers is alive but gave no sign of life for 2 s; starting it again in 0.2 s" in running.said()
    assert len(running.families("workers")) == 3


def test_a_heartbeat_that_cannot_be_read_says_nothing_about_the_child(job):
    running = job("""
        def age():
            raise OSError('no database')
        run(child('workers', heartbeat=age, heartbeat_limit=0.5, ready=lambda: True))
    """)
    running.family("workers")
    time.sleep(3)
    assert len(running.families("workers")) == 1
    assert running.said().count("its last sign of life could not be read (OSError: no database)") == 1


def test_a_child_that_never_gets_ready_is_given_up_and_the_others_are_ended(job, tmp_path):
    (tmp_path / "broken.py").write_text("raise SystemExit('the configuration is wrong')")
    running = job("run(child('web'), child('model', 'broken'))")
    assert running.end(seconds=20) == 1
    assert running.said().count("model       | the configuration is wrong") == 5
    assert (
        "model could not be started: it failed 5 times in a row, and ended by itself (exit code 1)"
        in running.said()
    )
    assert "The others are ended; start again when that is put right." in running.said()
    assert running.left() == []


def test_a_child_that_is_not_ready_in_time_is_started_again(job):
    running = job("run(child('model', ready=lambda: False, ready_seconds=1))")
    first = running.family("model")
    running.family("model", start=2)
    assert not any(lives(pid) for pid in first)
    assert "model was not ready within 1 s; starting it again" in running.said()


def test_a_command_that_does_not_exist_is_named(job):
    running = job("run(Child(name='web', command=['no-such-command-here']))")
    assert running.end(seconds=20) == 1
    assert (
        "web         | no-such-command-here could not be started: No such file or directory" in running.said()
    )


def test_a_child_starts_only_after_those_it_needs_are_ready(job):
    running = job("""
        run(
            child('workers', starts_after=('web', 'model')),
            child('model', starts_after=('web',), ready=lambda: (here / 'go').exists()),
            child('web', ready=lambda: (here / 'web.pids').exists()),
        )
    """)
    running.family("model")
    time.sleep(1.5)
    assert running.families("workers") == []
    (running.folder / "go").touch()
    running.family("workers")
    said = running.said()
    assert said.index("web is ready") < said.index("model says hello") < said.index("workers says hello")


def test_ten_megabytes_of_noise_stop_neither_the_noisy_child_nor_the_others(job, tmp_path):
    (tmp_path / "noisy.py").write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "sys.stdout.write(('x' * 99 + '\\n') * 60_000)\n"
        "sys.stdout.write('y' * 4_000_000)\n"  # a line without an end
        "sys.stdout.flush()\n"
        "Path(sys.argv[1], 'quiet').touch()\n"
        "time.sleep(300)\n"
    )
    running = job("run(child('noisy', 'noisy'), child('web'))")
    wait_until((tmp_path / "quiet").exists, seconds=20, what="the noisy child got rid of it all")
    running.send(signal.SIGINT)
    assert running.end() == 0
    assert running.said().count("noisy       | " + "x" * 99 + "\n") == 60_000
    assert running.said().count("y") >= 3_900_000
    assert "web         | web says hello" in running.said()


def test_a_reader_that_stands_still_stops_nobody(tmp_path):
    (tmp_path / "noisy.py").write_text(
        "import sys\nfrom pathlib import Path\n"
        "for n in range(50_000): print('x' * 100)\n"
        "Path(sys.argv[1], 'quiet').touch()\nimport time; time.sleep(300)\n"
    )
    (tmp_path / "job.py").write_text(PREAMBLE + "run(child('noisy', 'noisy'))")
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "job.py"), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        wait_until((tmp_path / "quiet").exists, seconds=30, what="the noisy child got rid of it all unread")
        process.send_signal(signal.SIGTERM)
        assert process.wait(12) == 0
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_it_ends_by_itself_when_the_work_is_done(job):
    running = job("run(child('web'), tick_seconds=0.2, until=lambda: (here / 'web.pids').exists())")
    assert running.end() == 0
    assert running.left() == []


def test_a_failing_tick_is_told_once_and_a_hanging_one_delays_nothing(job):
    running = job("""
        def tick():
            (here / 'ticks').open('a').write('t')
            if (here / 'ticks').stat().st_size < 4:
                raise ValueError('locked')
            time.sleep(300)
        run(child('web'), on_tick=tick, tick_seconds=0.1)
    """)
    wait_until(
        lambda: (running.folder / "ticks").exists() and (running.folder / "ticks").stat().st_size == 4,
        seconds=10,
        what="it ticks on after a failure",
    )
    first = running.family("web")
    os.kill(first[0], signal.SIGKILL)
    running.family("web", start=2)
    running.send(signal.SIGINT)
    assert running.end() == 0
    assert running.said().count("(ValueError: locked)") == 1


def test_a_port_in_use_is_named_before_anything_starts(job):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = job(
            f"import config.supervise as s; s.PORT_SECONDS = 0.3; run(child('web', ports=({port},)))"
        )
        assert running.end() == 1
    assert f"Port {port} is used by another program. web needs it. Nothing was started." in running.said()
    assert running.families("web") == []


def test_a_port_that_becomes_free_in_a_moment_is_waited_for(job):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = job(f"run(child('web', ports=({taken.getsockname()[1]},)))")
        time.sleep(0.7)
    running.family("web")


def test_children_that_wait_for_each_other_are_refused():
    with pytest.raises(ValueError, match="wait for each other"):
        check_names(
            [Child(name="a", command=["x"], starts_after=("b",)), Child("b", ["x"], starts_after=("a",))]
        )
    with pytest.raises(ValueError, match="same name"):
        check_names([Child(name="a", command=["x"]), Child(name="a", command=["y"])])
