from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any) -> None:
    """Stored files of one test are gone with it. The cache is a table, so it goes back with the other rows."""
    settings.MEDIA_ROOT = tmp_path / "files"
    from workflows.versions import forget_versions

    forget_versions()
