"""One browser and one installation for all browser tests; a context of its own for each person and each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from config.backends import DEMO_PASSWORD
from tests.browser.world import World, opened

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDE = {"width": 1280, "height": 800}
MOST_SECONDS = 15  # for any one act on a page: a server in threads of two busy cores answers late at times


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


def find_chromium() -> str | None:
    given = os.environ.get("CHROMIUM")
    return given or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(autouse=True)
def _own_folder() -> None:
    """Not here: the files of the installation belong to all tests."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        missing = "There is no Chromium here. Install it (apt-get install chromium), or name it in CHROMIUM."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        # The sandbox needs rights that containers lack; only our own pages on loopback are opened.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        expect.set_options(timeout=MOST_SECONDS * 1000)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def world(
    browser: Browser, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with django_db_blocker.unblock(), opened(folder=tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture(scope="package")
def signed_in(browser: Browser, world: World) -> Callable[[str], StorageState]:
    """The cookies of a person, signed in once through the form."""
    known: dict[str, StorageState] = {}

    def cookies_of(person: str) -> StorageState:
        if person not in known:
            context = browser.new_context()
            page = context.new_page()
            sign_in(page=page, world=world, person=person)
            known[person] = context.storage_state()
            context.close()
        return known[person]

    return cookies_of


@pytest.fixture
def context_of(
    browser: Browser, world: World, signed_in: Callable[[str], StorageState]
) -> Iterator[Callable[..., BrowserContext]]:
    made: list[BrowserContext] = []

    def make(person: str, **options: Any) -> BrowserContext:
        given = {"viewport": WIDE, "base_url": world.url, "reduced_motion": "reduce", **options}
        context = browser.new_context(storage_state=signed_in(person), **given)
        context.set_default_timeout(MOST_SECONDS * 1000)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def page_of(context_of: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """A page of a person, in a window of their own."""
    return lambda person, **options: context_of(person, **options).new_page()


def sign_in(*, page: Page, world: World, person: str) -> None:
    page.goto(f"{world.url}/admin/login/")
    page.get_by_label("Username").fill(person)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{world.url}/admin/")
