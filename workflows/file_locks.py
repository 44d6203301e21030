"""Between whoever stores a file and whoever deletes it: the same bytes may come in again while their last holder goes.

On SQLite both stand inside a write transaction, and there is one of those at a time. On PostgreSQL a lock that ends with
the transaction does it: storing shares it, so that no two that come in wait for each other; deleting takes it alone at
once or not at all, so that nobody ever waits for two.
"""

from __future__ import annotations

from django.db import connection


def keep_from_deletion(*, sha256: str) -> None:
    """Until this transaction ends nobody deletes the file with these bytes."""
    if _has_locks():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_number(sha256)])


def may_delete(*, sha256: str) -> bool:
    """False: somebody is storing the same bytes at this moment. Call it in the transaction that deletes."""
    if not _has_locks():
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_number(sha256)])
        return bool(cursor.fetchone()[0])


def _has_locks() -> bool:
    return connection.vendor == "postgresql" and connection.in_atomic_block


def _number(sha256: str) -> int:
    return int.from_bytes(bytes.fromhex(sha256[:16]), "big", signed=True)
