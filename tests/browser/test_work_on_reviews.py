"""Staff and seniors at work: from the list to a decision, by mouse, by keyboard, and two at once."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.inputs import invoice, web_form
from tests.browser.walking import (
    DESK,
    approve_button,
    expect_message,
    focused,
    open_from_sidebar,
    open_item,
    row_of_field,
    tab_to,
)
from tests.browser.world import World
from workflows.decisions import escalate
from workflows.models import Decision, Item, RegisterEntry


def kept_total(world: World, pk: int) -> str:
    """The total in the register, once the item was handed over."""
    world.deliver()
    return world.rows.do(lambda: RegisterEntry.objects.get(item_id=pk).values["total"]["amount"])


def arrived(world: World, number: str) -> list[str]:
    """The totals that the receiver was sent for this invoice, each with a valid signature and under a key of its own."""
    sent = [
        one
        for one in world.receiver.deliveries
        if one.body["data"]["values"].get("number") == number and one.path == "/ok"
    ]
    assert all(one.valid and not one.repeated for one in sent)
    return [one.body["data"]["values"]["total"]["amount"] for one in sent]


def test_an_invoice_is_reviewed_with_the_mouse_edited_approved_and_handed_over_once(
    page_of: Callable[..., Page], world: World
) -> None:
    pk = world.take_in(invoice("VB-3001", unsure="total", pages=2))
    page = page_of("staff", viewport=DESK)
    page.goto("/admin/")
    open_from_sidebar(page=page, name="Review list")
    page.get_by_role("link", name="Invoice VB-3001").first.click()
    page.get_by_role("button", name="Claim").click()
    expect(page.get_by_text("Claimed by you").first).to_be_visible()

    # The picture of the page, and the box where the total stands: a click on it chooses the field.
    box = page.locator('.cs-box[data-keys~="total"]').first
    expect(page.get_by_role("img", name=re.compile("VB-3001.pdf, page 1")).first).to_be_visible()
    box.click()
    total = page.get_by_label("Total, amount")
    expect(total).to_be_focused()
    expect(box).to_have_class(re.compile("cs-chosen"))
    # And the other way round: choosing a field shows where its value stands.
    page.get_by_label("Supplier").click()
    expect(page.locator('.cs-box[data-keys~="supplier"]').first).to_have_class(re.compile("cs-chosen"))

    expect(approve_button(page)).to_have_attribute("aria-disabled", "true")
    total.fill("241.00")
    expect(row_of_field(page, "total").get_by_text("by you")).to_be_visible()
    page.get_by_role("button", name=re.compile("Next to check")).click()
    expect(page.get_by_label("Kind of document")).to_be_focused()
    expect(approve_button(page)).not_to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name=re.compile("Approve with 1 edit")).click()
    expect_message(page, "Invoice VB-3001: approved with 1 edit.")

    assert world.state_of(pk) == "approved"
    assert kept_total(world, pk) == "241.00"
    assert arrived(world, "VB-3001") == ["241.00"]
    world.deliver()
    assert arrived(world, "VB-3001") == ["241.00"]
    manager = page_of("manager", viewport=DESK)
    manager.goto("/admin/workflows/registerentry/?q=VB-3001")
    expect(manager.get_by_role("main").get_by_text("241.00").first).to_be_visible()


def test_the_same_is_done_with_the_keyboard_alone(page_of: Callable[..., Page], world: World) -> None:
    pk = world.take_in(invoice("VB-3002", unsure="total"))
    page = page_of("staff", viewport=DESK)
    page.goto("/admin/reviews/review/")
    tab_to(page=page, wanted=page.get_by_role("link", name="Invoice VB-3002").first)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/item/{pk}/change/"))
    expect(page.get_by_label("Total, amount")).to_be_focused()  # the first field to check

    page.keyboard.press("Control+a")
    page.keyboard.type("243.50")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.keyboard.press("n")
    expect(page.get_by_label("Kind of document")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect_message(page, "Invoice VB-3002: approved with 1 edit.")
    assert kept_total(world, pk) == "243.50"
    assert arrived(world, "VB-3002") == ["243.50"]


def test_the_draft_comes_back_with_one_key(page_of: Callable[..., Page], world: World) -> None:
    pk = world.take_in(invoice("VB-3003", unsure="total"))
    page = page_of("staff", viewport=DESK)
    open_item(page=page, pk=pk)
    total = page.get_by_label("Total, amount")
    total.fill("1.00")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(total).to_have_value("240.00")


def test_values_typed_before_a_reload_are_still_there(page_of: Callable[..., Page], world: World) -> None:
    pk = world.take_in(invoice("VB-3004", unsure="total"))
    page = page_of("staff", viewport=DESK)
    open_item(page=page, pk=pk)
    page.get_by_label("Total, amount").fill("244.00")
    page.reload()
    expect(page.get_by_label("Total, amount")).to_have_value("244.00")
    expect(page.get_by_text("kept in this browser").first).to_be_visible()


def test_single_keys_can_be_switched_off(page_of: Callable[..., Page], world: World) -> None:
    pk = world.take_in(invoice("VB-3005", unsure="total"))
    page = page_of("staff", viewport=DESK)
    open_item(page=page, pk=pk)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_label("Single-letter keys on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name=re.compile("Reject")).first.click()
    expect(page.get_by_role("dialog", name="Reject this item")).to_be_visible()


def test_of_two_people_the_second_reads_who_has_claimed_it(
    page_of: Callable[..., Page], world: World
) -> None:
    pk = world.take_in(invoice("VB-3006"))
    first, second = page_of("staff", viewport=DESK), page_of("senior", viewport=DESK)
    open_item(page=first, pk=pk)
    first.get_by_role("button", name="Claim").click()
    expect(first.get_by_text("Claimed by you").first).to_be_visible()
    open_item(page=second, pk=pk)
    expect(second.get_by_text("has claimed this item until").first).to_be_visible()
    first.get_by_role("button", name="Release").click()
    second.reload()
    expect(second.get_by_role("button", name="Claim")).to_be_visible()


def test_a_stale_tab_loses_nothing_and_sends_nothing(page_of: Callable[..., Page], world: World) -> None:
    pk = world.take_in(invoice("VB-3007", unsure="total"))
    stale, quick = page_of("staff", viewport=DESK), page_of("senior", viewport=DESK)
    for page in (stale, quick):
        open_item(page=page, pk=pk)
    stale.get_by_label("Total, amount").fill("299.00")
    stale.get_by_label("Kind of document").focus()
    quick.get_by_label("Total, amount").focus()
    quick.get_by_label("Kind of document").focus()
    approve_button(quick).click()
    expect_message(quick, "Invoice VB-3007: approved.")

    approve_button(stale).click()
    expect(stale.get_by_text("Nothing of yours was lost and nothing of yours was sent")).to_be_visible()
    differing = stale.get_by_role("row", name=re.compile("^Total"))
    expect(differing).to_contain_text("240.00")
    expect(differing).to_contain_text("299.00")
    assert world.rows.do(lambda: Decision.objects.filter(item_id=pk).count()) == 1
    assert kept_total(world, pk) == "240.00"


def test_a_senior_answers_an_escalation(page_of: Callable[..., Page], world: World) -> None:
    pk = world.take_in(web_form("G-31"))
    question = "Is this belt still under guarantee?"
    world.rows.do(lambda: escalate(item=Item.objects.get(pk=pk), by=world.people["staff"], reason=question))
    page = page_of("senior", viewport=DESK)
    page.goto("/admin/")
    open_from_sidebar(page=page, name="Escalations")
    expect(page.get_by_text(question).first).to_be_visible()
    page.get_by_role("row").filter(has_text="Web form G-31").get_by_role("link").first.click()
    page.wait_for_url(re.compile(f"/item/{pk}/change/"))
    page.get_by_label("Owner").focus()
    page.get_by_label("Next action").focus()
    approve_button(page).click()
    expect_message(page, "Web form G-31: approved.")
    assert world.state_of(pk) == "approved"
    staff = page_of("staff", viewport=DESK)
    open_item(page=staff, pk=pk)
    staff.get_by_role("tab", name=re.compile("Timeline")).click()
    expect(staff.get_by_text(question).first).to_be_visible()


def test_an_item_is_rejected_with_a_reason_from_the_dialog(
    page_of: Callable[..., Page], world: World
) -> None:
    pk = world.take_in(invoice("VB-3008"))
    page = page_of("staff", viewport=DESK)
    open_item(page=page, pk=pk)
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog", name="Reject this item")
    expect(dialog).to_be_visible()
    assert focused(page).startswith("input"), "a dialog takes the focus"
    page.keyboard.type("Ordered by nobody")
    page.keyboard.press("Enter")
    expect_message(page, "Invoice VB-3008: rejected.")
    assert world.rows.do(lambda: Decision.objects.get(item_id=pk).reason) == "Ordered by nobody"
