"""Whether a file on disk holds the bytes it should: its SHA-256, and a note that it was checked.

The note stands beside the file and names its size and time of change, so that a gigabyte is not hashed at each
start. It guards against accidents, not against someone who can write into the folder.
"""

import hashlib
import json
import os
from pathlib import Path

from .catalogue import EmbeddedModel

CHUNK = 4 * 1024 * 1024


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_trusted(path: Path, model: EmbeddedModel) -> bool:
    """True when the file is the model's; hashes it only when no note vouches for it, then leaves one."""
    try:
        stat = path.stat()
    except OSError:
        return False
    if stat.st_size != model.bytes:
        return False
    if _note_of(path) == _state(path, model.sha256):
        return True
    if sha256_of(path) != model.sha256:
        return False
    remember(path, model)
    return True


def accept(part: Path, path: Path, model: EmbeddedModel) -> bool:
    """Move a finished download to its place when its hash is right; a wrong one is deleted. Returns which."""
    if part.stat().st_size != model.bytes or sha256_of(part) != model.sha256:
        part.unlink()
        return False
    os.replace(part, path)
    remember(path, model)
    return True


def remember(path: Path, model: EmbeddedModel) -> None:
    note = _note_path(path)
    draft = note.with_suffix(".tmp")
    draft.write_text(json.dumps(_state(path, model.sha256)), encoding="utf-8")
    os.replace(draft, note)


def _note_path(path: Path) -> Path:
    return path.with_name(path.name + ".verified")


def _note_of(path: Path) -> object:
    try:
        return json.loads(_note_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _state(path: Path, sha256: str) -> dict[str, object]:
    stat = path.stat()
    return {"sha256": sha256, "bytes": stat.st_size, "changed_ns": stat.st_mtime_ns}
