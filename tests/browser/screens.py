"""Every screen that is looked at: its address, who opens it, and what is done on it first."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect


@dataclass(frozen=True)
class Screen:
    """`address` may name places of the world, as {invoice}. `first` brings the page to the state that is looked at."""

    name: str
    address: str
    people: tuple[str, ...]
    status: int = 200
    refusal: int = 0  # what `first` is answered with, where being refused is what is looked at
    first: Callable[[Page], None] | None = None


def _press_outside_fields(key: str) -> Callable[[Page], None]:
    """The item's page begins in the first field to check."""

    def first(page: Page) -> None:
        page.keyboard.press("Escape")
        page.keyboard.press(key)

    return first


def _retire(page: Page) -> None:
    page.locator("summary", has_text="Retire…").click()
    page.get_by_label("Why, in a few words").last.wait_for()


def _reject(page: Page) -> None:
    button = page.get_by_role("button", name=re.compile("^Reject"))
    if not button.first.is_visible():  # on a phone
        page.locator(".cs-more-acts > summary").click()
    button.first.click()
    page.get_by_role("dialog", name="Reject this item").wait_for()


def _click(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=re.compile(name)).first.click()


def _tab(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("tab", name=re.compile(name)).click()


def _open_menu(page: Page) -> None:
    """Up to 1280 px the sidebar stands behind a button."""
    page.get_by_role("button", name="Sidebar", exact=True).click()
    page.get_by_role("link", name="Versions").wait_for()


def _search(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.press("n")  # meant for the palette, and not for the button behind it
    expect(page.get_by_placeholder("Screen, item or workflow")).to_be_focused()
    page.get_by_placeholder("Screen, item or workflow").fill("")
    page.keyboard.type("invoice", delay=20)
    page.get_by_role("dialog").get_by_role("link", name=re.compile("Invoice VB-2041")).wait_for()


def _fall_behind(page: Page) -> None:
    """A tab of before the last change: what it sends is answered with both versions."""
    page.get_by_label("Document number", exact=True).fill("VB-2O44")
    page.evaluate("() => { document.querySelector('#decide [name=revision]').value = '0'; }")
    _reject(page)
    page.get_by_label("Why it is rejected").fill("Twice the same")
    with page.expect_navigation():
        page.get_by_role("button", name="Reject", exact=True).click()


def _look_for_a_person(page: Page) -> None:
    page.get_by_label("Look for").fill("invoice")
    with page.expect_navigation():
        page.get_by_role("button", name="Show what would go").click()


def _unfold_tables(page: Page) -> None:
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")


ITEM = "/admin/workflows/item/{%s}/change/"
REVIEWS = "/admin/reviews/review/"
VERSION = "/admin/workflows/version/"
EVALUATION = "/admin/workflows/evaluation/"

SCREENS = (
    Screen("home", "/admin/", ("staff", "senior", "manager", "admin", "newcomer", "nobody")),
    Screen("sidebar", "/admin/", ("admin",), first=_open_menu),
    Screen("search", "/admin/", ("staff",), first=_search),
    Screen("review-list", REVIEWS, ("staff", "senior", "manager")),
    Screen("review-list-late", f"{REVIEWS}?show=late", ("staff",)),
    Screen("review-list-filters", REVIEWS, ("staff",), first=_click("^Filters")),
    Screen("review-list-empty", REVIEWS, ("newcomer",)),
    Screen("review-list-nothing-found", f"{REVIEWS}?q=gearbox", ("staff",)),
    Screen("escalations", "/admin/reviews/escalation/", ("senior", "staff")),
    Screen("attention", "/admin/reviews/stuck/", ("staff", "manager")),
    Screen("items", "/admin/workflows/item/", ("staff", "manager")),
    Screen("item-pdf", ITEM % "invoice", ("staff", "manager", "admin")),
    Screen("item-scan", ITEM % "scan", ("staff",)),
    Screen("item-mail", ITEM % "mail", ("staff",)),
    Screen("item-transcript", ITEM % "call", ("staff",)),
    Screen("item-claimed", ITEM % "claimed", ("staff", "senior")),
    Screen("item-conflict", ITEM % "without order", ("staff",), first=_fall_behind, refusal=409),
    Screen("item-escalated", ITEM % "asked", ("staff", "senior")),
    Screen("item-locked", ITEM % "locked", ("staff",)),
    Screen("item-model-refused", ITEM % "model refused", ("staff",)),
    Screen("item-delivered", ITEM % "delivered", ("manager",)),
    Screen("item-delivery-refused", ITEM % "refused by receiver", ("staff",)),
    Screen("item-held", ITEM % "held", ("staff",)),
    Screen("item-waiting", ITEM % "waiting", ("staff",)),
    Screen("item-timeline", ITEM % "asked", ("staff",), first=_tab("^Timeline")),
    Screen("item-runs", ITEM % "invoice", ("invoice-manager",), first=_tab("^Runs")),
    Screen("keys", ITEM % "invoice", ("staff",), first=_press_outside_fields("?")),
    Screen("reject-dialog", ITEM % "invoice", ("staff",), first=_reject),
    Screen("submit", "/admin/workflows/item/add/", ("staff",)),
    Screen("register", "/admin/workflows/registerentry/", ("manager", "staff", "newcomer")),
    Screen("register-entry", "/admin/workflows/registerentry/{entry}/change/", ("manager",)),
    Screen("reports", "/admin/reports/", ("manager", "invoice-manager")),
    Screen("reports-tables", "/admin/reports/", ("manager",), first=_unfold_tables),
    Screen("reports-nothing", "/admin/reports/?since=2020-01-01&until=2020-02-01", ("manager",)),
    Screen("reports-wrong-dates", "/admin/reports/?since=2026-13-01", ("manager",)),
    Screen("items-from-a-report", "/admin/workflows/item/?part=accepted&since=all&until=all", ("manager",)),
    Screen("exports", "/admin/workflows/registerexport/", ("admin",)),
    Screen("audit-log", "/admin/workflows/auditevent/", ("admin",)),
    Screen("audit-event", "/admin/workflows/auditevent/{event}/change/", ("admin",)),
    Screen("deliveries", "/admin/workflows/delivery/", ("staff", "manager")),
    Screen("delivery", "/admin/workflows/delivery/{delivery}/change/", ("manager",)),
    Screen("runs", "/admin/workflows/run/", ("invoice-manager",)),
    Screen("run", "/admin/workflows/run/{run}/change/", ("invoice-manager",)),
    Screen("workflows", "/admin/workflows/workflow/", ("admin",)),
    Screen("workflow", "/admin/workflows/workflow/{workflow}/change/", ("admin", "staff")),
    Screen("why", "/admin/workflows/workflow/{workflow}/why/?person=staff", ("admin",)),
    Screen("grants-that-may-go", "/admin/workflows/workflow/{workflow}/stale/", ("admin",)),
    Screen("budget", "/admin/workflows/workflow/{workflow}/budget/", ("admin", "manager")),
    Screen("prices", "/admin/workflows/price/", ("admin",)),
    Screen("price-new", "/admin/workflows/price/add/", ("admin",)),
    Screen("workflow-brief", "/admin/workflows/workflow/{workflow}/brief/", ("admin",)),
    Screen("workflow-retire", "/admin/workflows/workflow/{workflow}/change/", ("admin",), first=_retire),
    Screen("workflow-new", "/admin/workflows/workflow/add/", ("admin",)),
    Screen("erasures", "/admin/workflows/erasure/", ("admin",)),
    Screen("erase-item", "/admin/workflows/item/{invoice}/erase/", ("admin",)),
    Screen("erase-person", "/admin/workflows/erasure/person/", ("admin",), first=_look_for_a_person),
    Screen("versions", VERSION, ("admin",)),
    Screen("version", VERSION + "{version}/change/", ("admin",)),
    Screen("version-new", VERSION + "add/?workflow={leads}", ("admin",)),
    Screen("version-unused", VERSION + "{unused}/change/", ("admin",)),
    Screen("cases", "/admin/workflows/case/", ("admin",)),
    Screen("case", "/admin/workflows/case/{case}/change/", ("admin",)),
    Screen("case-held-out", "/admin/workflows/case/{held out case}/change/", ("admin",)),
    Screen("case-import", "/admin/workflows/case/add/", ("admin",)),
    Screen("evaluations", EVALUATION, ("admin", "manager")),
    Screen("evaluation", EVALUATION + "{first}/change/", ("admin", "manager")),
    Screen("evaluation-running", EVALUATION + "{running}/change/", ("admin",)),
    Screen("evaluation-side-by-side", EVALUATION + "{second}/change/?with={first}", ("admin",)),
    Screen("destinations", "/admin/workflows/destination/", ("admin",)),
    Screen("destination", "/admin/workflows/destination/{destination}/change/", ("admin",)),
    Screen("destination-new", "/admin/workflows/destination/add/", ("admin",)),
    Screen("api-keys", "/admin/workflows/apikey/", ("admin",)),
    Screen("help", "/admin/help/", ("staff", "admin")),
    Screen("help-chapter", "/admin/help/reviewers/", ("staff",)),
    Screen("history", "/admin/workflows/item/{invoice}/history/", ("staff",)),
    Screen("not-found", "/admin/workflows/item/999999/change/", ("staff", "nobody"), status=404),
)
CASES = [(screen, person) for screen in SCREENS for person in screen.people]
