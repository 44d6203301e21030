"""Each screen, for each person, light and dark, wide and on a phone: its picture, and nothing wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.looking import (
    SIZES,
    THEMES,
    axe_problems,
    overflow_problems,
    pictures,
    set_theme,
    watch,
)
from tests.browser.screens import CASES, Screen
from tests.browser.world import World

# Pictures come after the page: what is looked at is what a person sees a moment later.
PICTURES_THERE = """() => Promise.race([
    Promise.all([...document.images].filter(one => one.checkVisibility() && one.getBoundingClientRect().top < innerHeight)
        .map(one => one.complete || new Promise(done => { one.onload = one.onerror = done; }))),
    new Promise(done => setTimeout(done, 5000)),
])"""


@dataclass(frozen=True)
class Window:
    page: Page
    heard: list[str]


@pytest.fixture(scope="package")
def places(world: World) -> dict[str, Any]:
    return world.places()


@pytest.fixture(scope="package")
def window_of(
    browser: Browser, world: World, signed_in: Callable[[str], StorageState]
) -> Iterator[Callable[[str, str], Window]]:
    """One window in which people take turns, so that styles and scripts are fetched once; each finds it empty."""
    context = browser.new_context(base_url=world.url, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/admin/login/")
    one = Window(page=page, heard=watch(page))
    sits: list[str] = []

    def window(person: str, size: str) -> Window:
        if sits != [person]:
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
            context.clear_cookies()
            context.add_cookies(cast("Any", signed_in(person)["cookies"]))
            sits[:] = [person]
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        return one

    yield window
    context.close()


@pytest.mark.parametrize(("screen", "person"), CASES, ids=lambda one: getattr(one, "name", one))
def test_a_screen_is_whole_and_can_be_used_by_everybody(
    window_of: Callable[[str, str], Window], places: dict[str, Any], screen: Screen, person: str
) -> None:
    wrong: list[str] = []
    for size, (width, _) in SIZES.items():
        window = window_of(person, size)
        page = window.page
        window.heard.clear()
        answer = page.goto(screen.address.format_map(places), wait_until="load")
        assert answer is not None
        if answer.status != screen.status:
            wrong.append(f"answered {answer.status}")
        if screen.first:
            screen.first(page)
        page.evaluate(PICTURES_THERE)
        for theme in THEMES:
            set_theme(page=page, theme=theme)
            page.screenshot(path=pictures() / f"{screen.name}-{person}-{theme}-{width}.png")
            wrong += [f"{size} {theme}: {line}" for line in axe_problems(page)]
        wrong += [f"{size}: {line}" for line in overflow_problems(page)]
        # The answer that was asked for is no complaint.
        asked_for = {str(status) for status in (screen.status, screen.refusal) if status >= 400}
        wrong += [
            f"{size}: {line}" for line in window.heard if not any(status in line for status in asked_for)
        ]
    assert wrong == [], "\n".join(wrong)
