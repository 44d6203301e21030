import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "config/find-python.sh"
RUNS_NOT = "#!/bin/sh\necho 'pyenv: python: command not found' >&2\nexit 127\n"


def says(version: str) -> str:
    return f"#!/bin/sh\necho {version}\n"


def place(file: Path, script: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(script)
    file.chmod(0o755)
    return str(file)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with a shell and no Python."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/cat").symlink_to("/bin/cat")
    return tmp_path


def find(machine: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        env={"PATH": str(machine / "bin"), "HOME": str(machine)},
        capture_output=True,
        text=True,
        timeout=20,
    )


def test_the_python_of_these_tests_is_found_because_it_really_runs(machine: Path):
    (machine / "bin/python3").symlink_to(os.path.realpath(sys.executable))
    found = find(machine)
    assert (found.stdout.strip(), found.returncode) == (str(machine / "bin/python3"), 0)


def test_the_newest_up_to_3_14_wins_wherever_it_is(machine: Path):
    place(machine / "bin/python3", says("3 15"))
    place(machine / "bin/python3.12", says("3 12"))
    newest = place(machine / ".pyenv/versions/3.14.0/bin/python", says("3 14"))
    place(machine / ".pyenv/versions/3.13.0/bin/python", says("3 13"))
    assert find(machine).stdout.strip() == newest


def test_a_shim_that_does_not_run_is_passed_over(machine: Path):
    place(machine / "bin/python3.13", RUNS_NOT)
    place(machine / "bin/python3", says("3 11"))
    runs = place(machine / ".pyenv/versions/3.12.1/bin/python", says("3 12"))
    assert find(machine).stdout.strip() == runs


def test_uv_is_asked_when_nothing_else_runs_and_installs_one_when_it_has_none(machine: Path):
    place(machine / "bin/python3.13", RUNS_NOT)
    brought = place(machine / "uv/python3.13", says("3 13"))
    place(
        machine / "bin/uv",
        f'#!/bin/sh\ncase "$2" in\ninstall) : > "$HOME/installed" ;;\nfind) [ -e "$HOME/installed" ] && echo {brought} ;;\nesac\n',
    )
    assert find(machine).stdout.strip() == brought


def test_without_any_it_says_what_to_install(machine: Path):
    place(machine / "bin/python3", says("3 11"))
    found = find(machine)
    assert (found.stdout, found.returncode) == ("", 1)
    assert "No Python from 3.12 to 3.14 that runs was found" in found.stderr
    assert "apt install python3.13 python3.13-venv" in found.stderr
