from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection

from tests.faults.figures import ALL, table
from tests.faults.installation import Installation

LOG_CHARACTERS = 20_000


def database_url() -> str:
    """The database of this test run, for other processes."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


@pytest.fixture
def install(transactional_db: Any, tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Make and start an installation on this test's database and folder; all of it has ended after the test."""
    made: list[Installation] = []

    def make(**env: str) -> Installation:
        shared = {"DATABASE_URL": database_url(), "SECRET_KEY": django_settings.SECRET_KEY}
        made.append(Installation(folder=tmp_path, env={**shared, **env}))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if report.when == "call" and report.failed and folder and (log := folder / "serve.log").exists():
        report.sections.append(("Log of the installation", log.read_text(errors="replace")[-LOG_CHARACTERS:]))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ALL:
        terminalreporter.section("Killed with -9")
        for line in table():
            terminalreporter.write_line(line)
