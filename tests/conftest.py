from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any) -> None:
    """Stored files and counts of one test are gone with it."""
    settings.MEDIA_ROOT = tmp_path / "files"
    from django.core.cache import cache

    cache.clear()
    from workflows.versions import forget_versions

    forget_versions()
