"""Making people and taking them out again, on the command line and in the admin."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client

from reviews.claims import claim, holder
from reviews.models import Review
from tests.factories import STAFF, make_item, make_user, make_workflow
from workflows.api_keys import create_api_key, find_api_key
from workflows.people import system_user

pytestmark = pytest.mark.django_db

PASSWORD = "a quite long sentence"


def run(*args: str, said: str = "", **options: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    before, sys.stdin = sys.stdin, io.StringIO(said)
    try:
        call_command(*args, stdout=out, stderr=err, **options)
    finally:
        sys.stdin = before
    return out.getvalue(), err.getvalue()


def sign_in(client: Client, name: str, password: str = PASSWORD) -> bool:
    client.post("/admin/login/", {"username": name, "password": password})
    return client.get("/admin/").status_code == 200


def test_a_link_sets_the_first_password_once(settings: Any) -> None:
    Group.objects.create(name="reviewers")
    out, err = run("make_user", "ines", "--email", "ines@people.example", "--group", "reviewers")
    person = get_user_model().objects.get(username="ines")
    assert (person.is_staff, person.is_superuser, person.email) == (True, False, "ines@people.example")
    assert [group.name for group in person.groups.all()] == ["reviewers"]
    assert not person.has_usable_password()
    assert "within three days" in err
    link = out.strip().removeprefix(settings.SITE_URL)

    client = Client()
    form = client.get(link)["Location"]
    assert "too short" in client.post(form, {"new_password1": "abc", "new_password2": "abc"}).content.decode()
    page = client.post(form, {"new_password1": PASSWORD, "new_password2": PASSWORD}, follow=True)
    assert "Your password is set" in page.content.decode()
    assert sign_in(client, "ines")
    assert "used already" in Client().get(link).content.decode()


def test_a_link_of_somebody_disabled_opens_nothing(settings: Any) -> None:
    out, _ = run("make_user", "ines")
    run("disable_user", "ines")
    assert "used already" in Client().get(out.strip().removeprefix(settings.SITE_URL)).content.decode()


def test_a_password_can_come_from_standard_input() -> None:
    run("make_user", "boss", "--superuser", "--password-from-stdin", said=f"{PASSWORD}\n")
    assert get_user_model().objects.get(username="boss").is_superuser
    assert sign_in(Client(), "boss")


@pytest.mark.parametrize(
    ("args", "said", "why"),
    [(("ines", "--password-from-stdin"), "short\n", "too short"), (("ines", "--password-from-stdin"), "\n", "No password came"),
     (("ines", "--group", "nobody's"), "", "There is no group"), (("Known",), "", "already"), (("system",), "", "already"),
     (("in es",), "", "valid username"), (("ines", "--email", "x"), "", "valid email")],
)  # fmt: skip
def test_what_does_not_fit_makes_nobody(args: tuple[str, ...], said: str, why: str) -> None:
    make_user("known")
    with pytest.raises(CommandError, match=why) as refused:
        run("make_user", *args, said=said)
    assert "Nobody was made" in str(refused.value)
    assert list(get_user_model().objects.values_list("username", flat=True)) == ["known"]


def test_who_is_disabled_is_out_at_once_everywhere_and_the_command_says_what_ended() -> None:
    workflow = make_workflow("leads", name="Leads")
    person, other = make_user("ines", can=STAFF, on=workflow), make_user("bob", can=STAFF, on=workflow)
    for one in (person, other):
        one.set_password(PASSWORD)
        one.save()
    workflow.owner = person
    workflow.save()
    review = claim(review=Review.objects.get(item=make_item(workflow=workflow)), by=person)
    _, key = create_api_key(workflow=workflow, user=person)
    _, others = create_api_key(workflow=workflow, user=other)
    here, elsewhere, bobs = Client(), Client(), Client()
    assert sign_in(here, "ines")
    assert sign_in(elsewhere, "ines")
    assert sign_in(bobs, "bob")

    out, _ = run("disable_user", "ines")

    assert "2 sessions ended, 1 API key revoked, 1 claim released. Still owner of Leads" in out
    assert [one.get("/admin/").status_code for one in (here, elsewhere, bobs)] == [302, 302, 200]
    assert find_api_key(key=key) is None
    assert find_api_key(key=others) is not None
    assert holder(review=Review.objects.get(pk=review.pk)) is None
    assert not sign_in(Client(), "ines")

    out, _ = run("enable_user", "ines")
    assert "API keys that were revoked stay so" in out
    assert here.get("/admin/").status_code == 302  # a session that ended does not come back
    assert find_api_key(key=key) is None
    assert sign_in(Client(), "ines")


def test_unticking_active_in_the_admin_does_the_same() -> None:
    boss, person = make_user("boss", superuser=True), make_user("ines")
    person.set_password(PASSWORD)
    person.save()
    theirs, admin = Client(), Client()
    assert sign_in(theirs, "ines")
    admin.force_login(boss, backend="config.backends.PasswordBackend")
    given = {"username": "ines", "date_joined_0": "2026-01-01", "date_joined_1": "10:00:00", "is_staff": "on"}
    page = admin.post(f"/admin/auth/user/{person.pk}/change/", given, follow=True).content.decode()
    assert "1 session ended" in page
    person.refresh_from_db()
    assert not person.is_active
    assert not UserSession.objects.filter(user=person).exists()


@pytest.mark.parametrize(
    "command", ["disable_user", "enable_user", "unlock_user", "reset_second_factor", "sign_out_user"]
)
def test_nobody_and_the_system_are_not_there(command: str) -> None:
    system_user()
    for name in ("nobody", "system"):
        with pytest.raises(CommandError, match="There is no user"):
            run(command, name)


def test_somebody_is_signed_out_by_a_command() -> None:
    person = make_user("ines")
    person.set_password(PASSWORD)
    person.save()
    client = Client()
    assert sign_in(client, "ines")
    assert "1 session ended" in run("sign_out_user", "ines")[0]
    assert client.get("/admin/").status_code == 302
    assert sign_in(client, "ines")
