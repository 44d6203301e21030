"""Files go when their last holder is gone, and what was made of them with them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from django.core.files.storage import default_storage
from django.db import transaction

from workflows.erasure.registry import call_with_file
from workflows.file_locks import may_delete
from workflows.models import CaseSource, Source


def let_go(names: Iterable[str]) -> list[str]:
    """Delete those that nobody holds any more. Returns the ones that have to wait, for somebody is storing them."""
    return [name for name in names if not _let_go(name)]


def _let_go(name: str) -> bool:
    sha256 = PurePosixPath(name).name[:64]
    with transaction.atomic():  # SQLite: this is the write lock, which whoever stores a file holds too
        if not may_delete(sha256=sha256):
            return False
        if not _is_held(file=name):
            default_storage.delete(name)
        if not _is_held(sha256=sha256):
            call_with_file(sha256)
    return True


def _is_held(**by: str) -> bool:
    return Source.objects.filter(**by).exists() or CaseSource.objects.filter(**by).exists()
