import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


def make(*words: str) -> str:
    return subprocess.run(
        ["make", *words], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True
    ).stdout


def test_make_alone_prints_what_there_is_and_does_nothing():
    listed = [line.split()[1] for line in make().splitlines() if line.startswith("make ")]
    promised = {"demo", "run", "test", "test-postgres", "test-browser", "check", "bench", "format", "help"}
    assert promised <= set(listed)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["demo"], "manage.py demo"),
        (["demo", "ONCE=1"], "manage.py demo --once"),
        (["demo", "ONCE=0"], "manage.py demo"),
    ],
)
def test_once_is_handed_on(words, command):
    assert make("--dry-run", *words).rstrip().endswith(command)


def test_no_test_reaches_the_database_or_the_model_of_the_shell_it_runs_in():
    for target in ("test", "check", "bench", "test-slow"):
        for line in make("--dry-run", target).splitlines():
            if "install.sh" not in line:
                assert "env -u DATABASE_URL" in line
                assert "-u OPENAI_API_KEY" in line
