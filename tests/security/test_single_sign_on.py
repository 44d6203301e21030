"""Single sign-on against a provider on loopback, over real HTTP: who comes in, into which groups, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.test import Client

from config.signing_in.provider_settings import providers
from tests.factories import make_user
from tests.oidc_provider import CLIENT, SECRET, OidcProvider, oidc_provider
from workflows.models import GroupFromSignOn

pytestmark = pytest.mark.django_db

BEGIN = "/admin/account/single-sign-on/sso/"
INES = {"sub": "ines-1", "email": "ines@people.example", "email_verified": True, "name": "Ines Okafor"}


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[OidcProvider]:
    with oidc_provider() as made:
        made.says = dict(INES)
        for name, value in {
            "OIDC_ISSUER": made.issuer, "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET_ENV": "ITS_SECRET", "ITS_SECRET": SECRET,
            "OIDC_GROUPS_CLAIM": "groups", "OIDC_NAME": "People Inc.",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        settings.SOCIALACCOUNT_PROVIDERS = providers()
        yield made


def at_the_provider(client: Client, *, begin: str = BEGIN, **posted: str) -> str:
    """Begin here, sign in there; the address that the provider sends the browser back to."""
    begun = client.post(begin, posted)
    assert begun.status_code == 302, begun.content
    there = httpx.get(begun["Location"], follow_redirects=False)
    return there.headers["Location"].removeprefix("http://testserver")


def sign_on(client: Client) -> Any:
    return client.get(at_the_provider(client))


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_a_new_person_comes_in_with_nothing_but_the_groups_that_are_mapped(provider: OidcProvider) -> None:
    Group.objects.create(name="reviewers")
    Group.objects.create(name="seniors")
    provider.says["groups"] = ["reviewers", "of no use here"]
    client = Client()
    heard: list[str] = []

    def hear(*, user: Any, **_: Any) -> None:
        heard.append(user.get_username())

    user_logged_in.connect(hear)
    try:
        assert sign_on(client)["Location"] == "/admin/"
    finally:
        user_logged_in.disconnect(hear)

    person = get_user_model().objects.get(email="ines@people.example")
    assert is_in(client)
    assert (person.is_staff, person.is_superuser, person.has_usable_password()) == (True, False, False)
    assert list(person.groups.values_list("name", flat=True)) == ["reviewers"]
    assert not person.user_permissions.exists()
    assert heard == [person.get_username()]
    assert not SocialToken.objects.exists()  # nothing of the provider's is kept that opens something there


def test_state_nonce_and_pkce_are_sent_and_differ_each_time(provider: OidcProvider) -> None:
    for _ in range(2):
        assert sign_on(Client()).status_code == 302
    first, second = provider.asked
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 16, name
        assert first[name] != second[name], name
    assert first["code_challenge_method"] == "S256"
    assert provider.refused == []


def test_mapped_groups_come_and_go_and_those_given_by_hand_stay(provider: OidcProvider) -> None:
    groups = {name: Group.objects.create(name=name) for name in ("reviewers", "seniors", "by hand", "both")}
    provider.says["groups"] = ["reviewers", "both"]
    sign_on(Client())
    person = get_user_model().objects.get(email="ines@people.example")
    person.groups.remove(groups["both"])
    GroupFromSignOn.objects.filter(group=groups["both"]).delete()
    person.groups.add(groups["by hand"], groups["both"])  # given by hand before the provider names it

    provider.says["groups"] = ["seniors", "both"]
    sign_on(Client())
    assert set(person.groups.values_list("name", flat=True)) == {"seniors", "by hand", "both"}
    provider.says.pop("groups")
    sign_on(Client())
    assert set(person.groups.values_list("name", flat=True)) == {"by hand", "both"}


def test_a_prefix_says_which_groups_are_ours(provider: OidcProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    Group.objects.create(name="reviewers")
    Group.objects.create(name="seniors")
    monkeypatch.setenv("OIDC_GROUP_PREFIX", "countersign-")
    provider.says["groups"] = ["countersign-reviewers", "seniors"]
    sign_on(Client())
    person = get_user_model().objects.get(email="ines@people.example")
    assert list(person.groups.values_list("name", flat=True)) == ["reviewers"]


def test_an_account_is_linked_by_an_address_that_the_provider_vouches_for(provider: OidcProvider) -> None:
    known = make_user("ines")
    known.email = "Ines@People.example"
    known.save()
    client = Client()
    sign_on(client)
    assert int(client.session["_auth_user_id"]) == known.pk
    assert get_user_model().objects.filter(email__iexact="ines@people.example").count() == 1


@pytest.mark.parametrize("verified", [False, None, "no"])
def test_an_address_that_nobody_vouches_for_links_nothing(provider: OidcProvider, verified: Any) -> None:
    known = make_user("ines")  # ines@people.example
    provider.says["email_verified"] = verified
    client = Client()
    answer = sign_on(client)
    assert answer.status_code == 403
    assert "does not vouch" in answer.content.decode()
    assert not is_in(client)
    assert not SocialAccount.objects.filter(user=known).exists()


def test_a_superuser_is_not_linked_by_an_address(provider: OidcProvider) -> None:
    make_user("ines", superuser=True)
    client = Client()
    assert sign_on(client).status_code == 403
    assert not is_in(client)


def test_a_superuser_who_is_signed_in_can_link(provider: OidcProvider) -> None:
    boss = make_user("boss", superuser=True)
    client = Client()
    client.force_login(boss, backend="config.backends.PasswordBackend")
    back = at_the_provider(client, begin=f"{BEGIN}?process=connect")
    assert client.get(back)["Location"] == "/admin/account/"
    assert SocialAccount.objects.get(user=boss).uid == "ines-1"
    later = Client()
    sign_on(later)
    assert int(later.session["_auth_user_id"]) == boss.pk


def test_a_disabled_account_stays_out(provider: OidcProvider) -> None:
    sign_on(Client())
    get_user_model().objects.filter(email="ines@people.example").update(is_active=False)
    client = Client()
    sign_on(client)
    assert not is_in(client)


@pytest.mark.parametrize(
    ("email", "verified", "enters"),
    [("ines@people.example", True, True), ("ines@people.example", False, False), ("ines@other.example", True, False),
     ("ines@evil-people.example", True, False)],
)  # fmt: skip
def test_only_addresses_of_the_allowed_domains_come_in(
    provider: OidcProvider, monkeypatch: pytest.MonkeyPatch, email: str, verified: bool, enters: bool
) -> None:
    monkeypatch.setenv("OIDC_ALLOWED_DOMAINS", "people.example")
    provider.says |= {"email": email, "email_verified": verified}
    client = Client()
    sign_on(client)
    assert is_in(client) is enters
    assert get_user_model().objects.exists() is enters


def test_a_state_that_is_not_ours_is_refused_and_told_as_a_failure(provider: OidcProvider) -> None:
    heard: list[str] = []

    def hear(*, sender: Any, **_: Any) -> None:
        heard.append(str(sender))

    client = Client()
    back = at_the_provider(client)
    query = parse_qs(urlsplit(back).query)
    forged = f"{BEGIN}back/?{urlencode({'code': query['code'][0], 'state': 'f' * 16})}"
    user_login_failed.connect(hear)
    try:
        answer = client.get(forged)
    finally:
        user_login_failed.disconnect(hear)
    assert answer.status_code == 403
    assert "does not belong to a sign-in" in answer.content.decode()
    assert heard
    assert not is_in(client)
    # In another browser the state is nobody's, either: that is what a forged link would be.
    other = Client()
    assert other.get(back).status_code == 403
    assert not is_in(other)
    assert not get_user_model().objects.exists()


def test_an_answer_is_taken_once(provider: OidcProvider) -> None:
    client = Client()
    back = at_the_provider(client)
    assert client.get(back).status_code == 302
    client.post("/admin/logout/")
    assert client.get(back).status_code == 403
    assert not is_in(client)
    # The same code with a fresh state: the provider refuses it, and so do we.
    fresh = parse_qs(urlsplit(at_the_provider(client)).query)["state"][0]
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert client.get(f"{BEGIN}back/?{urlencode({'code': code, 'state': fresh})}").status_code == 403
    assert provider.refused == ["code"]
    assert not is_in(client)


@pytest.mark.parametrize("spoilt", ["nonce", "signature", "audience", "subject", "expired"])
def test_a_token_that_is_not_for_this_sign_in_is_refused(provider: OidcProvider, spoilt: str) -> None:
    provider.spoil = {spoilt}
    client = Client()
    assert sign_on(client).status_code == 403
    assert not is_in(client)
    assert not get_user_model().objects.exists()


def test_a_sign_in_is_not_begun_by_a_link(provider: OidcProvider) -> None:
    answer = Client().get(BEGIN)
    assert answer.status_code == 200
    assert "Sign in with People Inc." in answer.content.decode()
    assert provider.asked == []


def test_a_link_adds_nothing_to_what_is_asked_of_the_provider(provider: OidcProvider) -> None:
    Client().post(f"{BEGIN}?scope=admin&auth_params=prompt%3Dnone%26nonce%3Dmine")
    at_the_provider(Client(), begin=f"{BEGIN}?scope=admin&auth_params=prompt%3Dnone%26nonce%3Dmine")
    asked = provider.asked[-1]
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    assert "prompt" not in asked
    assert asked["nonce"] != "mine"


def test_another_provider_is_not_found(provider: OidcProvider) -> None:
    assert Client().post("/admin/account/single-sign-on/other/").status_code == 404


def test_without_a_provider_nothing_is_offered() -> None:
    assert "single-sign-on" not in Client().get("/admin/login/").content.decode()
    assert Client().post(BEGIN).status_code == 404
