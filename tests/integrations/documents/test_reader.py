"""The child process: what happens to the next file when this one goes wrong."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from integrations.documents.limits import Limits
from integrations.documents.pages import Reason, Unreadable
from integrations.documents.reader import Reader
from tests.integrations.documents.samples import as_bytes, invoice, pdf, picture

PROJECT = Path(__file__).resolve().parents[3]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_one_child_reads_many_files() -> None:
    with Reader() as reader:
        reader.read(content=pdf(invoice), name="a.pdf")
        first = reader.pid
        reader.read(content=b"a,b\n1,2\n", name="b.csv")
        assert reader.pid == first
    assert first is not None
    assert not is_alive(first)


def test_a_child_killed_while_it_reads_costs_one_file() -> None:
    slow = as_bytes(picture(["word " * 12] * 40, size=(2000, 3000)))
    with Reader() as reader:
        reader.read(content=pdf(invoice), name="warm.pdf")
        pid = reader.pid
        assert pid is not None
        killer = threading.Timer(0.4, os.kill, (pid, signal.SIGKILL))
        killer.start()
        with pytest.raises(Unreadable) as refusal:
            reader.read(content=slow, name="slow.png")
        killer.join()
        assert refusal.value.reason is Reason.BROKEN
        assert "4,182.60" in reader.read(content=pdf(invoice), name="next.pdf").pages[0].text
        assert reader.pid != pid


def test_a_child_killed_between_two_files_costs_none() -> None:
    with Reader() as reader:
        reader.read(content=pdf(invoice), name="a.pdf")
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGKILL)
        time.sleep(0.2)
        assert "4,182.60" in reader.read(content=pdf(invoice), name="b.pdf").pages[0].text


def test_a_file_that_takes_too_long_is_stopped_in_time_and_the_next_is_read() -> None:
    slow = as_bytes(picture(["word " * 12] * 40, size=(2000, 3000)))
    with Reader(limits=Limits(seconds=0.8)) as reader:
        began = time.monotonic()
        with pytest.raises(Unreadable) as refusal:
            reader.read(content=slow, name="slow.png")
        assert refusal.value.reason is Reason.TOO_SLOW
        assert time.monotonic() - began < 3
        assert reader.pid is None
        reader.limits = Limits()
        assert reader.read(content=pdf(invoice), name="next.pdf").pages


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="address space is limited on Linux only")
def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_is_read() -> None:
    big = as_bytes(picture(["word " * 12] * 40, size=(4000, 6000)))
    with Reader(limits=Limits(memory_bytes=280 * 1024 * 1024)) as reader:
        with pytest.raises(Unreadable) as refusal:
            reader.read(content=big, name="big.png")
        assert refusal.value.reason is Reason.TOO_MUCH_MEMORY
        reader.close()
        reader.limits = Limits()
        assert reader.read(content=pdf(invoice), name="next.pdf").pages


def test_a_file_larger_than_allowed_never_reaches_the_child() -> None:
    with Reader(limits=Limits(max_bytes=1000)) as reader:
        with pytest.raises(Unreadable) as refusal:
            reader.read(content=b"%PDF-1.4" + b"x" * 2000, name="large.pdf")
        assert refusal.value.reason is Reason.TOO_LARGE
        assert reader.pid is None


def test_the_child_ends_when_its_parent_is_killed() -> None:
    program = (
        "import time\n"
        "from integrations.documents.reader import Reader\n"
        "reader = Reader()\n"
        "reader.read(content=b'a,b\\n1,2\\n', name='a.csv')\n"
        "print(reader.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 5
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(child)


def test_the_child_is_given_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-that-must-stay-here")
    with Reader() as reader:
        reader.read(content=b"a,b\n1,2\n", name="a.csv")
        environment = Path(f"/proc/{reader.pid}/environ")
        if not environment.exists():
            pytest.skip("no /proc to look into")
        assert b"key-that-must-stay-here" not in environment.read_bytes()


def test_what_a_library_prints_does_not_disturb_the_answers() -> None:
    program = (
        "import os, sys\n"
        "from integrations.documents import child, reading\n"
        "real = child.read_file\n"
        "def noisy(**asked):\n"
        "    print('a library says hello'); os.write(1, b'and C code too'); return real(**asked)\n"
        "child.read_file = noisy\n"
        "child.main()\n"
    )
    with Reader() as reader:
        ordinary = subprocess.Popen

        def start_noisy(command, **options):
            return ordinary([sys.executable, "-c", program], **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(subprocess, "Popen", start_noisy)
            assert reader.read(content=b"a,b\n1,2\n", name="a.csv").pages[0].text == "a: 1 | b: 2"
            assert reader.read(content=pdf(invoice), name="a.pdf").kind == "pdf"


def test_several_threads_may_share_a_reader(reader: Reader) -> None:
    texts: dict[int, str] = {}

    def read(number: int) -> None:
        texts[number] = reader.read(content=f"a,b\n{number},x\n".encode(), name="a.csv").pages[0].text

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert texts == {number: f"a: {number} | b: x" for number in range(8)}
