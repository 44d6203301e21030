from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any) -> None:
    """Stored files and counts of one test are gone with it."""
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.AUDIT_ANCHORS = tmp_path / "anchors.jsonl"
    from django.core.cache import cache

    cache.clear()
    from workflows.versions import forget_versions

    forget_versions()


@pytest.fixture(autouse=True, scope="session")
def _flush_may_empty_the_log() -> Iterator[None]:
    """Between tests that really commit, Django empties every table: nothing else may empty the audit log. It tells of the
    flush as of a migration, so the triggers are back before the next test."""
    from django.db import connection
    from django.test import TransactionTestCase

    from workflows.audit.triggers import POSTGRESQL, SQLITE, drop_statement

    empty = TransactionTestCase._fixture_teardown

    def lift_and_empty(case: TransactionTestCase) -> None:
        names = POSTGRESQL if connection.vendor == "postgresql" else SQLITE
        with connection.cursor() as cursor:
            for name in names:
                cursor.execute(drop_statement(vendor=connection.vendor, name=name))
        empty(case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lift_and_empty)
        yield
