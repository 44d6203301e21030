"""Signing in with a password and a second factor: the lock-out, one-time codes, how long it lasts, and how it ends."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from config.signing_in import lock_out
from config.signing_in.account_page import told_program
from tests.factories import make_user
from workflows.models import Tally

pytestmark = pytest.mark.django_db

PASSWORD = "a quite long sentence"
LOGIN = "/admin/login/"
CODE = "/admin/account/code/"


@pytest.fixture(autouse=True)
def _fast_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def make_person(name: str = "alice", **kwargs: Any) -> Any:
    person = make_user(name, **kwargs)
    person.set_password(PASSWORD)
    person.save()
    return person


def sign_in(client: Client, name: str = "alice", password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(LOGIN, {"username": name, "password": password}, **extra)


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def code_of(secret: str, *, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def add_app(person: Any) -> str:
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


# The front door


def test_name_and_password_in_one_post_lead_inside_and_djangos_signal_is_sent() -> None:
    person = make_person()
    heard: list[Any] = []

    def hear(*, user: Any, request: Any, **_: Any) -> None:
        heard.append((user.pk, request.path))

    user_logged_in.connect(hear)
    client = Client()
    try:
        answer = sign_in(client)
    finally:
        user_logged_in.disconnect(hear)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert is_in(client)
    assert heard == [(person.pk, LOGIN)]


@pytest.mark.parametrize(
    ("next", "leads"), [("/admin/help/", "/admin/help/"), ("https://evil.example/", "/admin/"), ("//evil.example", "/admin/")]
)  # fmt: skip
def test_it_leads_on_to_where_one_was_going_and_nowhere_else(next: str, leads: str) -> None:
    make_person()
    answer = Client().post(LOGIN, {"username": "alice", "password": PASSWORD, "next": next})
    assert answer["Location"] == leads


def test_it_takes_csrf() -> None:
    make_person()
    assert sign_in(Client(enforce_csrf_checks=True)).status_code == 403


@pytest.mark.parametrize("changed", [{"is_staff": False}, {"is_active": False}])
def test_who_may_not_come_in_does_not(changed: dict[str, bool]) -> None:
    person = make_person()
    for name, value in changed.items():
        setattr(person, name, value)
    person.save()
    client = Client()
    assert sign_in(client).status_code == 200
    assert "_auth_user_id" not in client.session


# Locking out


@pytest.mark.parametrize("superuser", [False, True])
def test_repeated_failures_lock_the_account_and_the_page_says_for_how_long(
    settings: Any, superuser: bool
) -> None:
    make_person(superuser=superuser)
    for _ in range(settings.SIGN_IN_FAILURES - 1):
        page = sign_in(Client(), password="wrong").content.decode()
        assert "Too many" not in page
    assert "another 15 minutes" in sign_in(Client(), password="wrong").content.decode()
    client = Client()
    assert "another 15 minutes" in sign_in(client).content.decode()  # with the right password
    assert not is_in(client)
    Tally.objects.update(ends_at=timezone.now() + timedelta(seconds=61))
    assert "another 2 minutes" in sign_in(client).content.decode()
    Tally.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    sign_in(client)
    assert is_in(client)


def test_a_name_that_nobody_has_is_locked_alike(settings: Any) -> None:
    for _ in range(settings.SIGN_IN_FAILURES):
        page = sign_in(Client(), name="nobody-at-all").content.decode()
    assert "another 15 minutes" in page


def test_another_spelling_of_the_name_is_the_same_account(settings: Any) -> None:
    make_person()
    for number in range(settings.SIGN_IN_FAILURES):
        page = sign_in(
            Client(), name=("Alice", "ALICE ", "alice")[number % 3], password="wrong"
        ).content.decode()
    assert "another 15 minutes" in page
    client = Client()
    sign_in(client)
    assert not is_in(client)


def test_an_address_is_locked_after_failures_with_many_names(settings: Any) -> None:
    settings.SIGN_IN_FAILURES_OF_ADDRESS = 6
    make_person()
    for number in range(6):
        sign_in(Client(), name=f"guess-{number}", REMOTE_ADDR="203.0.113.9")
    here, elsewhere = Client(), Client()
    assert "another 15 minutes" in sign_in(here, REMOTE_ADDR="203.0.113.9").content.decode()
    sign_in(elsewhere, REMOTE_ADDR="203.0.113.10")
    assert not is_in(here)
    assert is_in(elsewhere)


def test_ones_own_account_buys_no_tries_at_others(settings: Any) -> None:
    settings.SIGN_IN_FAILURES_OF_ADDRESS = 4
    make_person("mallory")
    make_person("victim")
    for number in range(4):
        sign_in(Client(), name=f"guess-{number}")
        if number < 3:
            client = Client()
            sign_in(client, name="mallory")
            assert is_in(client)
    assert "another 15 minutes" in sign_in(Client(), name="victim").content.decode()


def test_a_success_forgets_the_failures_of_the_account(settings: Any) -> None:
    make_person()
    for _ in range(3):
        for _ in range(settings.SIGN_IN_FAILURES - 1):
            sign_in(Client(), password="wrong")
        client = Client()
        sign_in(client)
        assert is_in(client)


def test_a_lock_does_not_grow_while_it_runs(settings: Any) -> None:
    make_person()
    for _ in range(settings.SIGN_IN_FAILURES):
        sign_in(Client(), password="wrong")
    before = sorted(Tally.objects.values_list("count", "ends_at"))
    for _ in range(3):
        sign_in(Client(), password="wrong")
    assert sorted(Tally.objects.values_list("count", "ends_at")) == before


def test_what_is_typed_as_a_name_is_not_kept() -> None:
    sign_in(Client(), name="my secret password", password="x")
    assert not [name for name in Tally.objects.values_list("name", flat=True) if "secret" in name]


def test_a_locked_person_is_unlocked_by_a_command(settings: Any, capsys: Any) -> None:
    make_person()
    for _ in range(settings.SIGN_IN_FAILURES):
        sign_in(Client(), password="wrong")
    call_command("unlock_user", "alice", address="127.0.0.1")
    assert capsys.readouterr().out.count("failed tries are forgotten") == 2
    client = Client()
    sign_in(client)
    assert is_in(client)


@pytest.mark.parametrize(("proxies", "expected"), [(0, "10.0.0.1"), (1, "203.0.113.7"), (2, "198.51.100.1")])
def test_the_address_is_that_before_our_proxies(settings: Any, proxies: int, expected: str) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get(
        "/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "1.1.1.1, 198.51.100.1, 203.0.113.7"}
    )
    assert lock_out.address_of(request) == expected


def test_who_goes_round_the_proxy_is_known_by_where_they_come_from(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "1.1.1.1"})
    assert lock_out.address_of(request) == "10.0.0.1"


# Passwords for superusers alone


def test_password_sign_in_can_be_left_to_superusers(settings: Any) -> None:
    settings.PASSWORD_SIGN_IN = False
    make_person()
    make_person("boss", superuser=True)
    client, boss = Client(), Client()
    assert "only superusers" in sign_in(client).content.decode()
    sign_in(boss, name="boss")
    assert not is_in(client)
    assert is_in(boss)


# The second factor


def test_with_an_app_the_password_alone_opens_nothing() -> None:
    person = make_person()
    secret = add_app(person)
    client = Client()
    answer = sign_in(client)
    assert answer["Location"] == CODE
    assert not is_in(client)
    assert client.get(CODE).status_code == 200
    assert client.post(CODE, {"code": code_of(secret)})["Location"] == "/admin/"
    assert is_in(client)


def test_a_code_is_good_once() -> None:
    person = make_person()
    code = code_of(add_app(person))
    first, second = Client(), Client()
    for client in (first, second):
        sign_in(client)
        client.post(CODE, {"code": code})
    assert is_in(first)
    assert not is_in(second)


def test_wrong_codes_lock_as_wrong_passwords_do_and_are_told_as_failures(settings: Any) -> None:
    person = make_person()
    secret = add_app(person)
    client = Client()
    sign_in(client)
    heard: list[str] = []

    def hear(*, credentials: dict[str, str], **_: Any) -> None:
        heard.append(credentials["username"])

    user_login_failed.connect(hear)
    try:
        for _ in range(settings.SIGN_IN_FAILURES):
            page = client.post(CODE, {"code": "000000"}).content.decode()
    finally:
        user_login_failed.disconnect(hear)
    assert "another 15 minutes" in page
    assert heard == ["alice"] * settings.SIGN_IN_FAILURES
    client.post(CODE, {"code": code_of(secret)})
    assert not is_in(client)


def test_the_password_does_not_forget_wrong_codes(settings: Any) -> None:
    """Else whoever has the password would have endless tries at the code."""
    person = make_person()
    secret = add_app(person)
    for _ in range(settings.SIGN_IN_FAILURES):
        client = Client()
        sign_in(client)
        page = client.post(CODE, {"code": "000000"}).content.decode()
    assert "another 15 minutes" in page
    client = Client()
    sign_in(client)
    client.post(CODE, {"code": code_of(secret)})
    assert not is_in(client)


def test_a_recovery_code_is_good_once() -> None:
    person = make_person()
    add_app(person)
    codes = RecoveryCodes.activate(person).generate_codes()
    for expected in (True, False):
        client = Client()
        sign_in(client)
        client.post(CODE, {"code": codes[0]})
        assert is_in(client) is expected


def test_adding_an_app_asks_for_the_password_again_and_shows_recovery_codes_once() -> None:
    make_person()
    client = Client()
    sign_in(client)
    add = "/admin/account/app/add/"
    assert client.get(add)["Location"].startswith("/admin/account/confirm/")
    assert (
        "incorrect"
        in client.post(f"/admin/account/confirm/?next={add}", {"password": "x"}).content.decode().lower()
    )
    assert client.post(f"/admin/account/confirm/?next={add}", {"password": PASSWORD})["Location"] == add
    page = client.get(add).content.decode()
    secret = re.search(r'id="key">([A-Z2-7]+)<', page)
    assert secret
    assert client.post(add, {"code": "123"}).status_code == 200
    answer = client.post(add, {"code": code_of(secret[1])})
    assert answer["Location"] == "/admin/account/recovery-codes/"
    shown = re.findall(r"^(\d{8})$|>(\d{8})$", client.get(answer["Location"]).content.decode(), re.M)
    assert len(shown) == 10
    assert Authenticator.objects.filter(type="totp").get().data["secret"] != secret[1]  # not as it is
    again = client.get(answer["Location"]).content.decode()
    assert not re.findall(r"^(\d{8})$|>(\d{8})$", again, re.M)


def test_without_the_key_of_the_installation_no_code_fits_and_nothing_fails(settings: Any) -> None:
    person = make_person()
    secret = add_app(person)
    settings.SECRET_KEY = "another one"
    client = Client()
    sign_in(client)
    assert client.post(CODE, {"code": code_of(secret)}).status_code == 200
    assert not is_in(client)


def test_an_earlier_key_of_the_installation_still_reads_second_factors(settings: Any) -> None:
    person = make_person()
    secret = add_app(person)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one"
    client = Client()
    sign_in(client)
    client.post(CODE, {"code": code_of(secret)})
    assert is_in(client)


def test_passwords_are_not_guessed_on_an_open_screen(settings: Any) -> None:
    make_person()
    client = Client()
    sign_in(client)
    for _ in range(settings.SIGN_IN_FAILURES):
        client.post("/admin/account/confirm/", {"password": "wrong"})
    page = client.post("/admin/account/confirm/", {"password": PASSWORD})
    assert page.status_code == 200
    assert "another 15 minutes" in page.content.decode()


@pytest.mark.parametrize(
    ("said", "superuser", "asked"), [("", True, False), ("1", False, True), ("superusers", True, True), ("superusers", False, False)]
)  # fmt: skip
def test_where_it_is_compulsory_nothing_opens_without_one(
    settings: Any, said: str, superuser: bool, asked: bool
) -> None:
    settings.REQUIRE_SECOND_FACTOR = said
    person = make_person(superuser=superuser)
    client = Client()
    sign_in(client)
    for address in ("/admin/", "/admin/workflows/item/", "/admin/search/?s=a", "/admin/password_change/"):
        answer = client.get(address)
        assert (answer.status_code == 302 and answer["Location"] == "/admin/account/") is asked, address
    assert ("asks you for a second factor" in client.get("/admin/account/").content.decode()) is asked
    assert client.get("/admin/account/app/add/").status_code == 302  # to the password
    add_app(person)
    assert is_in(client)


def test_a_lost_second_factor_is_taken_away_by_a_command(capsys: Any) -> None:
    person = make_person()
    secret = add_app(person)
    client = Client()
    sign_in(client)
    client.post(CODE, {"code": code_of(secret)})
    assert is_in(client)
    call_command("reset_second_factor", "alice")
    assert "1 second factor taken away, 1 session ended" in capsys.readouterr().out
    assert not is_in(client)
    sign_in(client)
    assert is_in(client)


# How long it lasts, and how it ends


def test_a_session_ends_after_its_hours_whatever_is_done_in_it(settings: Any) -> None:
    settings.SESSION_HOURS = 2
    make_person()
    client = Client()
    sign_in(client)
    session = client.session
    session["signed_in_at"] -= 2 * 3600 - 30
    session.save()
    assert is_in(client)
    session["signed_in_at"] -= 60
    session.save()
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[0][0].startswith(LOGIN)
    assert "a sign-in lasts 2 hours" in answer.content.decode()


def test_a_session_ends_when_nothing_is_done_and_lives_on_while_something_is(settings: Any) -> None:
    settings.SESSION_IDLE_MINUTES = 10
    make_person()
    client = Client()
    sign_in(client)
    for _ in range(3):
        session = client.session
        session["seen_at"] -= 9 * 60
        session.save()
        assert is_in(client)
    session = client.session
    session["seen_at"] -= 11 * 60
    session.save()
    assert "nothing was done for 10 minutes" in client.get("/admin/", follow=True).content.decode()
    assert not is_in(client)


def test_sessions_end_when_the_password_changes_except_the_one_in_which_it_does() -> None:
    make_person()
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        sign_in(client)
    new = "another quite long sentence"
    given = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", given).status_code == 302
    assert is_in(here)
    assert not is_in(elsewhere)


def test_signing_out_everywhere_ends_ones_own_sessions_and_nobody_elses() -> None:
    make_person()
    make_person("bob")
    here, elsewhere, bobs = Client(), Client(), Client()
    for client, name in ((here, "alice"), (elsewhere, "alice"), (bobs, "bob")):
        sign_in(client, name=name)
    page = here.post("/admin/account/sign-out-everywhere/", follow=True).content.decode()
    assert "signed out everywhere, in 2 places" in page
    assert (is_in(here), is_in(elsewhere), is_in(bobs)) == (False, False, True)
    assert Session.objects.filter(session_key=bobs.session.session_key).exists()


def test_one_session_is_ended_from_another_and_those_of_others_are_not_there() -> None:
    make_person()
    make_person("bob")
    here, elsewhere, bobs = Client(), Client(), Client()
    sign_in(here, HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/130.0")
    sign_in(elsewhere, HTTP_USER_AGENT="curl/8.1")
    sign_in(bobs, name="bob", HTTP_USER_AGENT="SecretBrowser/1")
    page = here.get("/admin/account/").content.decode()
    assert "Firefox on Linux" in page
    assert "curl" in page
    assert "SecretBrowser" not in page
    theirs = re.findall(r"/admin/account/sessions/(\d+)/end/", page)
    assert len(theirs) == 1
    assert here.get(f"/admin/account/sessions/{theirs[0]}/end/").status_code == 405
    assert here.post(f"/admin/account/sessions/{theirs[0]}/end/").status_code == 302
    assert (is_in(here), is_in(elsewhere), is_in(bobs)) == (True, False, True)
    bobs_own = re.findall(r"/admin/account/sessions/(\d+)/end/", here.get("/admin/account/").content.decode())
    assert bobs_own == []
    bobs_row = UserSession.objects.get(user__username="bob")
    assert here.post(f"/admin/account/sessions/{bobs_row.pk}/end/").status_code == 404
    assert is_in(bobs)


def test_ones_account_shows_nothing_to_who_is_signed_out() -> None:
    for address in (
        "",
        "app/add/",
        "recovery-codes/",
        "recovery-codes/file/",
        "passkeys/add/",
        "confirm/",
        "code/",
    ):
        answer = Client().get(f"/admin/account/{address}")
        assert answer.status_code == 302, address
        assert "/login/" in answer["Location"] or "sign-in" in answer["Location"], address


@pytest.mark.parametrize(
    ("said", "told"),
    [("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
     ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1", "Safari on iPhone"),
     ("python-requests/2.34", "python-requests"), ("", "Unknown program")],
)  # fmt: skip
def test_a_program_is_told_in_two_words(said: str, told: str) -> None:
    assert told_program(said) == told


def test_a_migration_makes_the_table_that_all_web_processes_note_in() -> None:
    name = settings.CACHES["default"]["LOCATION"]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)}")
    emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
    assert name in connection.introspection.table_names()
    assert cache.add("a", 1)
    assert not cache.add("a", 2)
