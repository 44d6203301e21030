import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config import find_postgres

ROOT = Path(__file__).resolve().parents[2]


def ask(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.find_postgres"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_the_server_that_was_named_is_taken_as_it_is():
    url = "postgresql://someone:secret@db.example/things"
    assert ask(DATABASE_URL=url).stdout.strip() == url


def test_another_kind_of_database_is_refused_in_words():
    asked = ask(DATABASE_URL="sqlite:///x.sqlite3")
    assert asked.returncode == 1
    assert "DATABASE_URL does not name a PostgreSQL server. Nothing was run." in asked.stderr
    assert asked.stdout == ""


def test_without_any_server_there_is_no_url(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    monkeypatch.setattr(find_postgres, "LOCAL", f"127.0.0.1:{port}")
    assert find_postgres.find() == ""
