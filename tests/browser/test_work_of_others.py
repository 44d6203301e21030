"""An admin who makes a workflow from nothing, a manager, and somebody without a grant."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.inputs import Input, web_form
from tests.browser.walking import DESK, expect_message, open_from_sidebar
from tests.browser.world import World
from workflows.models import Item, Workflow

LETTER = "Spare keys form\nName: Ines Okafor\nTotal: 12.50 EUR\n"


def test_an_admin_makes_a_workflow_from_nothing_and_an_item_of_it_comes_to_review(
    page_of: Callable[..., Page], world: World
) -> None:
    admin = page_of("admin", viewport=DESK)
    admin.goto("/admin/")
    open_from_sidebar(page=admin, name="Workflows")
    admin.get_by_title("Add workflow").click()
    admin.get_by_label("Name", exact=True).fill("Spare keys")
    admin.get_by_label("Reviewers’ group").select_option("Front desk")
    admin.get_by_label("Escalations go to").select_option("Front desk")
    admin.get_by_role("button", name="Make the workflow").click()
    expect_message(admin, "Spare keys was made.")

    # Its first version: two fields, no JSON.
    admin.get_by_role("textbox", name="Instructions").fill("Read who ordered spare keys, and for how much.")
    fields = admin.get_by_role("region", name="Fields", exact=True)
    for number, (label, kind) in enumerate((("Name", "Text"), ("Total", "Amount of money"))):
        if fields.get_by_role("textbox", name="Label").count() <= number:
            admin.get_by_role("button", name="Add a field").click()
        fields.get_by_role("textbox", name="Label").nth(number).fill(label)
        fields.get_by_role("combobox", name="Kind").nth(number).select_option(kind)
    admin.get_by_role("button", name="Save version 1").click()
    expect_message(admin, "Version 1 was saved.")
    admin.get_by_role("button", name="Make version 1 active").click()
    expect_message(admin, "Version 1 is active.")

    # Who may do what: the reviewers' group stands there already, another one is added.
    admin.get_by_label("Add a group").select_option("Managers")
    admin.get_by_role("button", name="Add the row").click()
    admin.get_by_label("Preset for Managers").select_option("Manager")
    admin.get_by_label("Preset for Front desk").select_option("Reviewer")
    admin.get_by_role("button", name="Save 6 changes").click()
    expect_message(admin, "Front desk (1 person) gains")

    staff = page_of("staff", viewport=DESK)
    staff.goto("/admin/")
    open_from_sidebar(page=staff, name="Submit")
    staff.get_by_label("Workflow", exact=True).select_option("Spare keys")
    staff.get_by_label("Text").fill(LETTER)
    staff.get_by_role("button", name="Submit", exact=True).click()
    expect_message(staff, "submitted")
    world.rows.do(world.draft)

    def drafted() -> tuple[str, dict[str, object] | None]:
        item = Item.objects.get(workflow__slug="spare-keys")
        return item.state, item.values

    assert world.rows.do(drafted) == (
        "in_review",
        {"name": "Ines Okafor", "total": {"amount": "12.50", "currency": "EUR"}},
    )
    staff.goto("/admin/reviews/review/")
    expect(staff.get_by_role("link", name="Spare keys form").first).to_be_visible()


def test_a_manager_sees_and_exports_only_what_is_theirs(
    page_of: Callable[..., Page], world: World, tmp_path: Path
) -> None:
    title, lead = "Web form G-40", world.take_in(web_form("G-40"))
    world.rows.do(lambda: world.approve(Item.objects.get(pk=lead)))
    world.deliver()
    everybody = page_of("manager", viewport=DESK)
    everybody.goto("/admin/workflows/registerentry/")
    expect(everybody.get_by_role("main")).to_contain_text(title)

    page = page_of("invoice-manager", viewport=DESK)
    page.goto("/admin/")
    open_from_sidebar(page=page, name="Register")
    expect(page.get_by_role("main")).to_contain_text("Invoice VB-2045")
    expect(page.get_by_role("main")).not_to_contain_text(title)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Export CSV").click()
    path = tmp_path / "register.csv"
    coming.value.save_as(path)
    text = path.read_text(encoding="utf-8-sig")
    assert "VB-2045" in text
    assert title not in text
    for hidden in (
        f"/admin/workflows/item/{lead}/change/",
        f"/admin/workflows/workflow/{_other(world)}/change/",
    ):
        answer = page.goto(hidden)
        assert answer is not None
        assert answer.status == 404


def _other(world: World) -> int:
    return world.rows.do(lambda: Workflow.objects.get(slug="inbound-leads").pk)


def test_somebody_without_a_grant_finds_nothing_and_is_told_whom_to_ask(
    page_of: Callable[..., Page], world: World
) -> None:
    page = page_of("nobody", viewport=DESK)
    page.goto("/admin/")
    main = page.get_by_role("main")
    expect(main).to_contain_text("Ask")
    for word in ("Review list", "Register", "Workflows", "Deliveries"):
        expect(page.get_by_role("link", name=re.compile(rf"\b{word}\b"))).to_have_count(0)
    for pk in (world.items["invoice"], 999_999):
        answer = page.goto(f"/admin/workflows/item/{pk}/change/")
        assert answer is not None
        assert answer.status == 404
        expect(
            page.get_by_text(re.compile("ask the person who manages access", re.IGNORECASE))
        ).to_be_visible()
        expect(page.locator("body")).not_to_contain_text("VB-2041")
    for address in ("/admin/workflows/registerentry/", "/admin/reviews/review/", "/admin/search/?s=invoice"):
        page.goto(address)
        expect(page.locator("body")).not_to_contain_text("VB-20")


def test_what_was_submitted_can_be_followed_by_who_submitted_it(
    page_of: Callable[..., Page], world: World
) -> None:
    """A file is dropped in by the form and comes out as an item whose page says what happens next."""
    note = Input(
        slug="inbound-leads", title="A note", match="Drop-off note", says="contact name: Pavel Hruby"
    )
    world.model.script = [*world.model.script, *note.rules()]
    page = page_of("staff", viewport=DESK)
    page.goto("/admin/workflows/item/add/")
    page.get_by_label("Workflow", exact=True).select_option("Inbound leads")
    page.get_by_label("Files").set_input_files(
        {
            "name": "note.txt",
            "mimeType": "text/plain",
            "buffer": b"Drop-off note\nPavel Hruby wants a belt for his LB-3.",
        }
    )
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_text("note.txt").first).to_be_visible()
    world.rows.do(world.draft)
    page.reload()
    expect(page.get_by_text("In review").first).to_be_visible()
