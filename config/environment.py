"""What the environment says: the few names that others script against, read in one place."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent


def data_folder() -> Path:
    """The folder of the SQLite file, stored files and models; made when it is missing."""
    folder = Path(os.environ.get("COUNTERSIGN_DATA") or BASE / "var").expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_on(name: str, *, default: bool = False) -> bool:
    said = os.environ.get(name, "").strip().lower()
    return said in {"1", "true", "yes", "on"} if said else default


def number(name: str, default: int) -> int:
    said = os.environ.get(name, "").strip()
    if said and not said.isdecimal():
        raise SystemExit(f"{name} is a whole number, and “{said}” was given. Nothing was started.")
    return int(said) if said else default


def listed(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def secret_key() -> str:
    """`SECRET_KEY`, else one made once and kept beside the data, readable by its owner alone."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    path = data_folder() / "secret-key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        # Another process may be between the open and the write: an empty file is not a key.
        for _ in range(100):
            if key := path.read_text().strip():
                return key
        raise SystemExit(f"{path} is empty. Delete it, and a new key is made at the next start.") from None
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key
