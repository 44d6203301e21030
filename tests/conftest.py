from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any) -> None:
    """Stored files of one test are gone with it. The cache is a table, so it goes back with the other rows."""
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.AUDIT_ANCHORS = tmp_path / "anchors.jsonl"
    from workflows.versions import forget_versions

    forget_versions()


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """The cache is a table and goes back with the other rows; but no flush knows of it."""
    marker = request.node.get_closest_marker("django_db")
    flushed = marker is not None and marker.kwargs.get("transaction", False)
    if flushed:
        request.getfixturevalue("transactional_db")
    yield
    if flushed:
        from django.core.cache import cache

        cache.clear()


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
