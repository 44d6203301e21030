"""A real virtual environment and a real pip; the package is a wheel written here, so that no index is asked."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

CONFIG = Path(__file__).resolve().parents[2] / "config"


def write_wheel(folder: Path, *, version: str) -> str:
    """A package `greeting` as a requirement with its hash."""
    wheel = folder / f"greeting-{version}-py3-none-any.whl"
    about = f"greeting-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("greeting.py", f"version = '{version}'\n")
        files.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: greeting\nVersion: {version}\n")
        files.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        files.writestr(f"{about}/RECORD", "")
    return f"{wheel.as_uri()} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "checkout/config").mkdir(parents=True)
    for name in ("install.sh", "find-python.sh"):
        shutil.copy(CONFIG / name, tmp_path / "checkout/config" / name)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(os.path.realpath(sys.executable))
    (tmp_path / "checkout/requirements.txt").write_text(write_wheel(tmp_path, version="1.0"))
    return tmp_path / "checkout"


def install(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "config/install.sh", "requirements.txt"],
        cwd=checkout,
        env={**os.environ, "PATH": f"{checkout.parent / 'bin'}:/usr/bin:/bin", "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def installed_version(checkout: Path) -> str:
    command = [str(checkout / ".venv/bin/python"), "-c", "import greeting; print(greeting.version)"]
    return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()


def test_it_makes_a_half_made_environment_again_once_and_then_follows_the_requirements(checkout: Path):
    (checkout / ".venv").mkdir()
    (checkout / ".venv/being-made").touch()  # as an interrupted run leaves it
    first = install(checkout)
    assert first.returncode == 0, first.stderr
    assert "is unfinished or does not run any more; it is made again" in first.stdout
    assert "Installing requirements.txt" in first.stdout
    assert installed_version(checkout) == "1.0"

    began = time.monotonic()
    second = install(checkout)
    assert (second.returncode, second.stdout) == (0, "")
    assert time.monotonic() - began < 5

    (checkout / "requirements.txt").write_text(write_wheel(checkout.parent, version="2.0"))
    assert install(checkout).returncode == 0
    assert installed_version(checkout) == "2.0"


def test_a_wrong_hash_installs_nothing_and_says_what_to_do(checkout: Path):
    requirement = (checkout / "requirements.txt").read_text()
    (checkout / "requirements.txt").write_text(requirement[:-5] + "0000\n")
    for _twice in range(2):  # the failure is not taken for an installation
        failed = install(checkout)
        assert failed.returncode == 1
        assert "Not everything in requirements.txt could be installed" in failed.stderr
        assert "an index serves other files than were tested" in failed.stderr
    assert installed_version(checkout) == ""
