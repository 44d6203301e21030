"""How people get about: what several journeys do alike."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

DESK = {"width": 1440, "height": 900}
MOST_TABS = 150

# What stands at the focus: enough to tell it from everything else on the page.
_FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) { return ""; }
    const name = one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent || one.name || "";
    return `${one.tagName.toLowerCase()} ${name.replace(/\\s+/g, " ").trim()}`.trim();
}"""


def focused(page: Page) -> str:
    told: str = page.evaluate(_FOCUSED)
    return told


def tab_to(*, page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus, as somebody without a mouse does."""
    passed = []
    for _ in range(MOST_TABS):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
        passed.append(focused(page))
    raise AssertionError(f"Tab never came to it. It came to: {passed}")


def open_from_sidebar(*, page: Page, name: str) -> None:
    page.get_by_role("link", name=re.compile(rf"\b{name}\b")).first.click()
    page.wait_for_load_state()


def open_item(*, page: Page, pk: int) -> None:
    page.goto(f"/admin/workflows/item/{pk}/change/")


def row_of_field(page: Page, key: str) -> Locator:
    return page.locator(f'[data-cs-field="{key}"]')


def approve_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile(r"^(check )?Approve"))


def expect_message(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()
