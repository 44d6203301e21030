"""Single sign-on with a certified OpenID provider that none of us wrote, in a real browser.

Its script lies outside the repository: COUNTERPARTS names the folder, else it is ../shared/counterparts. Without it, or
without node, these are skipped; tests/security/test_single_sign_on.py asks the same of a provider of our own.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from config.headers import origins_of, page_policy
from config.signing_in.provider_settings import providers
from tests.browser.world import World

ISSUER = "http://127.0.0.1:61031"
GIVEN_REDIRECT = "http://127.0.0.1:61099/cb"
BACK = "/admin/account/single-sign-on/sso/back/"
PERSON = "ines@people.example"


def _script() -> Path:
    folder = os.environ.get("COUNTERPARTS") or settings.BASE_DIR.parent / "shared" / "counterparts"
    script = Path(folder) / "oidc_provider.mjs"
    if not script.is_file():
        pytest.skip(f"There is no certified provider at {script}; COUNTERPARTS may name its folder.")
    return script


def _with_packages() -> Path:
    """A folder with npm's oidc-provider, installed once."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not here, which the certified provider needs.")
    folder = Path(os.environ.get("OIDC_PROVIDER_PACKAGES") or settings.DATA / "oidc-provider")
    if not (folder / "node_modules" / "oidc-provider").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "oidc-provider"],
            cwd=folder, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"npm could not install oidc-provider: {done.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def certified(world: World) -> Iterator[str]:
    script, folder = _script(), _with_packages()
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 61031)) == 0:
            pytest.skip("Port 61031, which the certified provider listens on, is busy.")
    ours = folder / f"provider-{os.getpid()}.mjs"
    ours.write_text(script.read_text().replace(GIVEN_REDIRECT, f"{world.url}{BACK}"))
    process = subprocess.Popen(
        ["node", ours.name], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    environment = {
        "OIDC_ISSUER": ISSUER, "OIDC_CLIENT_ID": "intake", "OIDC_CLIENT_SECRET_ENV": "INTAKE_SECRET",
        "INTAKE_SECRET": "intake-secret", "OIDC_GROUPS_CLAIM": "groups", "OIDC_NAME": "the certified provider",
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in environment}
    try:
        for _ in range(300):
            try:
                httpx.get(f"{ISSUER}/.well-known/openid-configuration").raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, "the provider ended"
                time.sleep(0.2)
        os.environ.update(environment)
        policy = page_policy(sign_in_origins=origins_of(ISSUER))  # as settings make it of OIDC_ISSUER
        with override_settings(SOCIALACCOUNT_PROVIDERS=providers(), SECURE_CSP=policy):
            world.rows.do(lambda: Group.objects.get_or_create(name="reviewers"))
            yield ISSUER
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        process.terminate()
        process.wait(timeout=20)
        ours.unlink()


@pytest.fixture
def window(browser: Browser, world: World, certified: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=world.url)
    context.set_default_timeout(15_000)
    yield context
    context.close()
    world.rows.do(lambda: get_user_model().objects.filter(email=PERSON).delete())


def begin(page: Page) -> None:
    page.goto("/admin/login/")
    page.get_by_role("button", name="Sign in with the certified provider").click()
    page.wait_for_url(f"{ISSUER}/**")


def say_who(page: Page) -> None:
    """The provider's own page for a name; its page for consent comes after."""
    page.locator("input[name=login]").fill(PERSON)
    page.locator("input[name=password]").fill("anything")
    page.locator("button[type=submit]").first.click()
    page.locator("button[type=submit]", has_text="Continue").wait_for()


def sign_in_there(page: Page) -> None:
    say_who(page)
    page.locator("button[type=submit]", has_text="Continue").click()


def back_without_going(page: Page) -> str:
    """Where the provider sends the browser: its last redirects are followed by hand, with the browser's cookies."""
    begin(page)
    say_who(page)
    action = page.locator("form").first.get_attribute("action") or ""
    asks = page.context.request
    answer = asks.post(urljoin(page.url, action), form={"prompt": "consent"}, max_redirects=0)
    for _ in range(5):
        where = urljoin(answer.url, answer.headers["location"])
        if BACK in where:
            return where
        answer = asks.get(where, max_redirects=0)
    raise AssertionError(f"the provider sends nobody back: {where}")


def test_a_person_signs_in_there_and_is_in_the_mapped_group_here(
    window: BrowserContext, world: World
) -> None:
    page = window.new_page()
    begin(page)
    sign_in_there(page)
    page.wait_for_url("**/admin/")
    expect(page.get_by_role("heading", name="Home").first).to_be_visible()

    def of_person() -> tuple[Any, list[str]]:
        person = get_user_model().objects.get(email=PERSON)
        return person, list(person.groups.values_list("name", flat=True))

    person, groups = world.rows.do(of_person)
    assert groups == ["reviewers"]
    assert (person.is_staff, person.is_superuser, person.has_usable_password()) == (True, False, False)


def test_a_state_that_is_not_ours_is_refused(window: BrowserContext, world: World) -> None:
    page = window.new_page()
    back = back_without_going(page)
    code = parse_qs(urlsplit(back).query)["code"][0]
    answer = page.goto(f"{BACK}?{urlencode({'code': code, 'state': 'f' * 16})}")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_text("does not belong to a sign-in")).to_be_visible()
    page.goto("/admin/")
    page.wait_for_url("**/admin/login/**")


def test_a_code_that_was_used_is_refused_there_and_here(window: BrowserContext, world: World) -> None:
    page = window.new_page()
    back = back_without_going(page)
    page.goto(back)
    page.wait_for_url("**/admin/")
    page.context.clear_cookies()
    fresh = parse_qs(urlsplit(back_without_going(page)).query)["state"][0]
    code = parse_qs(urlsplit(back).query)["code"][0]
    answer = page.goto(f"{BACK}?{urlencode({'code': code, 'state': fresh})}")
    assert answer is not None
    assert answer.status == 403
    page.goto("/admin/")
    page.wait_for_url("**/admin/login/**")
    # And the whole address again, as it was.
    again = page.goto(back)
    assert again is not None
    assert again.status == 403
