"""Prints the DATABASE_URL of a PostgreSQL server to test on: the one in the environment, else the local one.

Tests make `test_NAME` there, drop it afterwards, and never touch NAME itself, which does not even have to exist.
"""

import hashlib
import os
import sys
from pathlib import Path

import psycopg

LOCAL = "127.0.0.1:5432"


def find() -> str:
    """The URL, or nothing when no local server lets us make databases."""
    if given := os.environ.get("DATABASE_URL"):
        return given
    # Two checkouts on one machine must not drop each other's database; the next run of the same one cleans up.
    name = f"countersign_{hashlib.sha256(str(Path.cwd()).encode()).hexdigest()[:8]}"
    for who in ("postgres", "postgres:postgres", os.environ.get("USER") or "root", "countersign:countersign"):
        try:
            with psycopg.connect(f"postgresql://{who}@{LOCAL}/postgres", connect_timeout=3) as connection:
                row = connection.execute(
                    "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
                ).fetchone()
        except psycopg.Error:
            continue
        if row and row[0]:
            return f"postgresql://{who}@{LOCAL}/{name}"
    return ""


if __name__ == "__main__":
    if not (url := find()):
        sys.exit(
            f"There is no PostgreSQL to test on: DATABASE_URL is not set, and no server at {LOCAL} lets this user make "
            "databases. Nothing was run. Start one (docker run -p 127.0.0.1:5432:5432 -e POSTGRES_PASSWORD=postgres "
            "postgres), or set DATABASE_URL=postgresql://USER:PASSWORD@HOST/NAME for a user who may make databases."
        )
    if not url.startswith(("postgres://", "postgresql://")):
        sys.exit("DATABASE_URL does not name a PostgreSQL server. Nothing was run. Unset it or change it.")
    print(url)
