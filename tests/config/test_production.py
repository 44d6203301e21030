"""The settings of a production server, in a process of its own: what Django's checks say, and what browsers are told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config.headers import origins_of, page_policy

ENVIRONMENT = {
    "HTTPS": "1", "SECRET_KEY": "a-b_c" * 16 + "0123456789", "ALLOWED_HOSTS": "countersign.example", "SITE_URL": "https://countersign.example",
    "EMAIL_URL": "smtps://user:password@mail.example:465", "OIDC_ISSUER": "https://sign-in.example/realms/one",
    "OIDC_CLIENT_ID": "countersign", "OIDC_CLIENT_SECRET_ENV": "OIDC_SECRET", "OIDC_SECRET": "said-to-nobody",
}  # fmt: skip
ASK = """
import django; django.setup()
from django.test import Client
from django.urls import reverse
for secure in (False, True):
    answer = Client(raise_request_exception=False).get("/admin/login/", secure=secure, headers={"host": "countersign.example"})
    print(answer.status_code)
    for name, value in sorted(answer.headers.items()): print(f"{name}: {value}")
    for cookie in answer.cookies.values(): print(cookie.OutputString())
"""


def run(tmp_path: Path, *arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    environment = {
        **kept,
        **ENVIRONMENT,
        "COUNTERSIGN_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout + done.stderr


def test_the_checks_for_deployment_find_nothing(tmp_path: Path) -> None:
    said = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert "no issues" in said
    assert settings.DEBUG is False


def test_a_production_server_speaks_https_alone_and_names_its_cookies_for_itself(tmp_path: Path) -> None:
    run(tmp_path, "manage.py", "migrate", "--verbosity", "0")
    plain, _, secure = run(tmp_path, "-c", ASK).partition("\n200\n")
    assert "Location: https://countersign.example/admin/login/" in plain
    for line in (
        "Strict-Transport-Security: max-age=31536000; includeSubDomains",
        "Cross-Origin-Opener-Policy: same-origin",
        "Cross-Origin-Resource-Policy: same-origin",
        "Referrer-Policy: same-origin",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        "form-action 'self' https://sign-in.example;",
        "camera=()",
    ):
        assert line in secure, line
    cookie = next(line for line in secure.splitlines() if line.startswith("__Host-csrftoken="))
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie


def test_scripts_come_from_us_alone() -> None:
    policy = page_policy(sign_in_origins=[])
    assert "'unsafe-inline'" not in policy["script-src"]
    assert policy["default-src"] == policy["frame-ancestors"] == policy["object-src"] == ["'none'"]


@pytest.mark.parametrize(
    "url", ["", "sign-in.example", "javascript:alert(1)", "https://a.example;script-src *", "https://a b"]
)
def test_what_is_no_origin_opens_nothing(url: str) -> None:
    assert origins_of(url) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/robots.txt", "/api/v1/openapi.json", "/api/v1/nothing", "/static/countersign/icon.svg"]
)
def test_what_is_no_page_may_do_nothing(client: object, address: str) -> None:
    answer = client.get(address)
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
