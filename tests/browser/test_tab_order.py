"""Everything that can be clicked can be reached with Tab, in the order in which it is read, and is seen when it has the focus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.walking import DESK
from tests.browser.world import World

MOST_TABS = 250

# Tags what may be clicked and is shown. A group of radio buttons and a list of tabs are one stop each.
TAG_ALL = """() => {
    const may = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [onclick]";
    const clicked = one => one.getAttributeNames().some(name => /^(x-on:|@)click(?!.*(away|outside|window))/.test(name));
    const seen = one => one.checkVisibility({ visibilityProperty: true, opacityProperty: true })
        && one.getBoundingClientRect().width > 0 && !one.disabled && !one.closest("[inert], [aria-hidden=true]");
    for (const one of document.querySelectorAll("*")) {
        if (!(one.matches(may) || clicked(one)) || !seen(one)) { continue; }
        if (one.getAttribute("tabindex") === "-1" && (!clicked(one) || one.closest("[role=tablist]"))) { continue; }
        if (one.matches("[role=tab]") && one.getAttribute("aria-selected") !== "true") { continue; }
        if (one.matches("[type=radio]") && !one.checked) { continue; }
        one.dataset.mustReach = "";
    }
}"""
# One step: where it went, and what is wrong there.
AT_FOCUS = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) { return null; }
    const again = "reached" in one.dataset;
    one.dataset.reached = "";
    const box = one.getBoundingClientRect();
    const said = one.outerHTML.replace(/\\s+/g, " ").slice(0, 140);
    const at = document.elementFromPoint(
        Math.min(Math.max(box.left + Math.min(box.width, 200) / 2, 1), innerWidth - 1), box.top + Math.min(box.height, 60) / 2
    );
    const covered = !at || !(one.contains(at) || at.contains(one) || [...(one.labels ?? [])].some(label => label.contains(at)));
    const places = Object.entries(PLACES).filter(([, selector]) => one.closest(selector)).map(([name]) => name);
    return { again, said, covered, place: places[0] ?? "" };
}"""
LEFT_OUT = """() => [...document.querySelectorAll("[data-must-reach]:not([data-reached])")]
    .filter(one => !one.querySelector("[data-reached]"))
    .map(one => one.outerHTML.replace(/\\s+/g, " ").slice(0, 160))"""


def walk(page: Page, places: dict[str, str]) -> list[dict[str, Any]]:
    """Every stop of Tab from the top of the page until it begins again."""
    page.evaluate(TAG_ALL)
    # From the very top, before the link that skips to the content.
    page.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); window.scrollTo(0, 0); }")
    page.evaluate("places => { window.PLACES = places; }", places)
    stops: list[dict[str, Any]] = []
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        stop = page.evaluate(AT_FOCUS)
        if stop is None and not stops:
            continue
        if stop is None or stop["again"]:
            break
        stops.append(stop)
    return stops


def order_of(stops: list[dict[str, Any]]) -> list[str]:
    """The named places in the order in which they were first come to."""
    return list(dict.fromkeys(stop["place"] for stop in stops if stop["place"]))


ITEM_PLACES = {
    "claim": ".cs-claim",
    "source tools": ".cs-tools",
    "pages": ".cs-source .cs-stage, .cs-thumbs",
    "tabs": ".cs-tabs",
    "fields": "#decide, .cs-fields",
    "decide": ".cs-decide",
}


@pytest.mark.parametrize(
    ("address", "places"),
    [
        ("/admin/reviews/review/", {}),
        ("/admin/workflows/item/{invoice}/change/", ITEM_PLACES),
    ],
    ids=["review list", "review screen"],
)
def test_tab_comes_to_everything_in_the_order_of_reading(
    page_of: Callable[..., Page], world: World, address: str, places: dict[str, str]
) -> None:
    page = page_of("staff", viewport=DESK)
    page.goto(address.format_map(world.places()), wait_until="networkidle")
    stops = walk(page, places)
    assert page.evaluate(LEFT_OUT) == [], "can be clicked, but Tab does not come to it"
    assert order_of(stops) == list(places)
    assert [stop["said"] for stop in stops if stop["covered"]] == [], "has the focus and is covered"
