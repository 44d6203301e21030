"""Things that a transaction writes last of all, whoever began it and wherever it ends.

Django calls back after a commit, never before it. The audit log has to be written inside the transaction, under one
lock for the whole installation: taken last it can wait for nobody who waits for us, taken anywhere else it deadlocks
against locks on items. What is rolled back, as a whole or to a savepoint, takes along what was collected in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

Write = Callable[[list[Any]], None]


class CollectsUntilCommit(BaseDatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # With the savepoints that were open: the same bookkeeping as Django's for its callbacks.
        self._collected: list[tuple[frozenset[str | None], Any, Write]] = []

    def collect(self, *, one: Any, write: Write) -> None:
        """Have `write` called with all that was collected for it, just before the transaction is committed."""
        assert self.in_atomic_block, "there is no transaction whose end could be waited for"
        self._collected.append((frozenset(self.savepoint_ids), one, write))

    def write_collected(self) -> None:
        """Called by the commit; in a test that never commits, by the test."""
        while self._collected:
            collected, self._collected = self._collected, []
            found: dict[Write, list[Any]] = {}
            for _, one, write in collected:
                found.setdefault(write, []).append(one)
            for write, several in found.items():
                write(several)

    def commit(self) -> None:
        try:
            self.write_collected()
        except BaseException:
            # Django rolls back for errors of the database alone, and a commit must not follow any of them.
            self.needs_rollback = False
            self.rollback()
            raise
        super().commit()

    def rollback(self) -> None:
        self._collected = []
        super().rollback()

    def savepoint_rollback(self, sid: str) -> None:
        super().savepoint_rollback(sid)
        self._collected = [each for each in self._collected if sid not in each[0]]

    def close(self) -> None:
        self._collected = []
        super().close()
