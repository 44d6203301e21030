"""Signing in as a person does it: with an authenticator app, with a passkey, and what the pages look like."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, BrowserContext, Page, expect

from config.backends import DEMO_MAIL, DEMO_PASSWORD
from tests.browser.looking import THEMES, Theme, axe_problems, overflow_problems, pictures, set_theme
from tests.browser.world import World
from tests.factories import make_user
from workflows.models import Tally

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture
def person(world: World) -> Iterator[str]:
    """Somebody of their own, so that nobody else's sign-in changes."""

    def make() -> str:
        user = make_user(f"person-{time.time_ns()}")
        user.email = f"{user.username}{DEMO_MAIL}"
        user.set_password(DEMO_PASSWORD)
        user.save()
        return str(user.username)

    name = world.rows.do(make)
    yield name
    world.rows.do(lambda: Tally.objects.all().delete())


@pytest.fixture
def window(browser: Browser, world: World) -> Iterator[BrowserContext]:
    # Passkeys belong to a name, not to an address in numbers.
    url = world.url.replace("127.0.0.1", "localhost")
    context = browser.new_context(base_url=url, viewport=WIDE, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    yield context
    context.close()


def sign_in(page: Page, name: str) -> None:
    page.goto("/admin/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Log in").click()


def confirm(page: Page) -> None:
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Go on").click()


def add_app(page: Page) -> str:
    """The secret of the app that was added."""
    page.goto("/admin/account/")
    page.get_by_role("link", name="Add an app").click()
    confirm(page)
    secret = page.locator("#key").inner_text()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_text("They are shown this once")).to_be_visible()
    return secret


def code_of(secret: str, *, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def test_a_person_adds_an_app_and_signs_in_with_its_code(window: BrowserContext, person: str) -> None:
    page = window.new_page()
    sign_in(page, person)
    page.wait_for_url("**/admin/")
    secret = add_app(page)
    codes = page.locator(".cs-codes").inner_text().split()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out everywhere").click()
    page.wait_for_url("**/admin/login/")

    sign_in(page, person)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("This is not the code")).to_be_visible()
    page.get_by_label("Code").fill(code_of(secret, steps=1))  # one that was not used yet
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/admin/")
    page.context.clear_cookies()

    sign_in(page, person)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/admin/")


def test_a_person_adds_a_passkey_and_signs_in_with_nothing_else(
    window: BrowserContext, person: str, settings: Any
) -> None:
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # plain HTTP on loopback
    page = window.new_page()
    device = window.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                     "isUserVerified": True, "automaticPresenceSimulation": True}},
    )  # fmt: skip
    sign_in(page, person)
    page.wait_for_url("**/admin/")
    page.goto("/admin/account/")
    page.get_by_role("link", name="Add a passkey").click()
    confirm(page)
    page.get_by_label("What you call it").fill("This laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_text("They are shown this once")).to_be_visible()
    page.goto("/admin/account/")
    expect(page.get_by_text("Passkey “This laptop”")).to_be_visible()

    # As the only thing: no name, no password.
    page.context.clear_cookies()
    page.goto("/admin/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/admin/")
    # After the password.
    page.context.clear_cookies()
    sign_in(page, person)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/admin/")
    # And it is taken away again.
    page.goto("/admin/account/")
    page.get_by_role("link", name=re.compile("Remove This laptop")).click()
    confirm(page)
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Passkey “This laptop”")).to_have_count(0)


def test_without_a_passkey_the_page_says_so(window: BrowserContext, world: World) -> None:
    page = window.new_page()
    page.add_init_script(
        "navigator.credentials.get = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    page.goto("/admin/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No passkey was used")).to_be_visible()


def test_without_scripts_the_way_in_with_a_code_is_open(browser: Browser, world: World, person: str) -> None:
    with_scripts = browser.new_context(base_url=world.url)
    page = with_scripts.new_page()
    sign_in(page, person)
    page.wait_for_url("**/admin/")
    secret = add_app(page)
    with_scripts.close()
    plain = browser.new_context(base_url=world.url, java_script_enabled=False)
    page = plain.new_page()
    sign_in(page, person)
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)
    page.get_by_label("Code").fill(code_of(secret, steps=1))
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/admin/")
    page.goto("/admin/account/")
    # By the keyboard: Unfold's sidebar lies over the page where no script folds it away.
    page.get_by_role("button", name="Sign out everywhere").press("Enter")
    page.wait_for_url("**/admin/login/")
    plain.close()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_pages_can_be_used_by_everybody_and_nothing_sticks_out(
    browser: Browser, world: World, person: str, size: Any, theme: Theme
) -> None:
    context = browser.new_context(base_url=world.url, viewport=size, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    page = context.new_page()
    wrong: list[str] = []

    def look(name: str) -> None:
        page.wait_for_load_state("load")
        set_theme(page=page, theme=theme)
        page.screenshot(path=pictures() / f"sign-in {name}-{theme}-{size['width']}.png", full_page=True)
        wrong.extend(f"{name}: {said}" for said in (*axe_problems(page), *overflow_problems(page)))

    page.goto("/admin/login/")
    look("front door")
    sign_in(page, person)
    page.wait_for_url("**/admin/")
    page.goto("/admin/account/")
    look("account")
    page.goto("/admin/account/app/add/")
    look("confirm")
    confirm(page)
    page.wait_for_url("**/app/add/")
    look("add an app")
    secret = page.locator("#key").inner_text()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Add the app").click()
    page.wait_for_url("**/recovery-codes/")
    look("recovery codes")
    for name, address in {
        "account with an app": "",
        "passkey": "passkeys/add/",
        "remove": "app/remove/",
    }.items():
        page.goto(f"/admin/account/{address}")
        look(name)
    page.goto("/admin/account/")
    page.get_by_role("button", name="Sign out everywhere").click()
    page.wait_for_url("**/admin/login/")
    look("front door after signing out")
    sign_in(page, person)
    page.wait_for_url("**/code/")
    look("code")
    context.close()
    assert not wrong
