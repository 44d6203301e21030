from __future__ import annotations

import re

import pytest

from integrations.connectors import email, webhook
from integrations.connectors.base import (
    Connector,
    Repeat,
    UnknownConnector,
    connector,
    kinds,
    parse_config,
)
from tests.integrations.connectors.conftest import make_parcel

# Typed, so that the type checker holds each package to the contract.
PACKAGES: dict[str, Connector] = {"email": email, "webhook": webhook}


def test_the_folders_are_the_kinds():
    assert {kind: connector(kind) for kind in kinds()} == PACKAGES


@pytest.mark.parametrize("kind", kinds())
def test_every_connector_carries_the_names_of_the_contract(kind):
    found = connector(kind)
    assert found.label
    assert isinstance(found.repeat, Repeat)
    assert all(field.title for field in found.Config.model_fields.values()), "mistakes are reported by title"
    assert callable(found.deliver)
    assert callable(found.describe)


@pytest.mark.parametrize("kind", kinds())
def test_only_a_connector_that_can_look_up_answers_find(kind):
    found = connector(kind)
    assert found.repeat is not Repeat.FIND_FIRST
    with pytest.raises(LookupError):
        found.find(parcel=make_parcel(), config=None)


@pytest.mark.parametrize("kind", ["fax", "base", "os", "webhook.send", "../webhook", ""])
def test_an_unknown_kind_is_named_and_never_imported(kind):
    with pytest.raises(UnknownConnector, match="There are: email, webhook"):
        connector(kind)


def test_repeats_are_declared():
    assert connector("webhook").repeat is Repeat.SAFE
    assert connector("email").repeat is Repeat.ASK


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("webhook", {"secret_env": "HOOK"}, "Address: this has to be filled in."),
        (
            "webhook",
            {"url": "https://a.example", "secret_env": "HOOK", "colour": 1},
            "“colour” is not a setting",
        ),
        ("webhook", {"url": "ftp://a.example", "secret_env": "HOOK"}, "Address: This is not a web address"),
        ("webhook", {"url": "https://u:p@a.example", "secret_env": "HOOK"}, "user name or a password"),
        ("webhook", {"url": "https://a.example:0/", "secret_env": "HOOK"}, "Port 0 does not exist"),
        ("webhook", {"url": 5, "secret_env": "HOOK"}, "Address: this has to be text."),
        (
            "webhook",
            {"url": "https://a.example", "secret_env": "two words"},
            "name of an environment variable",
        ),
        ("webhook", {"url": "https://a.example", "secret_env": "HOOK", "timeout_seconds": 900}, "at most 60"),
        ("email", {}, "To: this has to be filled in."),
        ("email", {"to": ""}, "To: this has to be filled in."),
        ("email", {"to": "a@b.example, nobody"}, "To: “nobody” is not an e-mail address."),
        ("email", {"to": ["a@b.example\nBcc: c@d.example"]}, "is not an e-mail address"),
        ("email", {"to": [f"a{at}@b.example" for at in range(21)]}, "at most 20"),
        (
            "email",
            {"to": "a@b.example", "subject": "Hello\nBcc: c@d.example"},
            "Subject: write it on one line.",
        ),
        ("email", {"to": "a@b.example", "subject": "100 $ off"}, "for the sign itself write $$"),
        ("email", {"to": "a@b.example", "sender": "me"}, "From: “me” is not an e-mail address."),
    ],
)
def test_a_wrong_config_is_told_in_the_words_of_the_form(kind, config, said):
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        parse_config(kind=kind, config=config)
    text = str(caught.value)
    assert not re.search("[a-z]_[a-z]", text), "a key is no word"


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ValueError, match=r"Address: .+ Environment variable of the secret: "):
        parse_config(kind="webhook", config={})


def test_a_secret_typed_in_place_of_its_name_is_not_repeated():
    with pytest.raises(ValueError, match="this is the secret itself") as caught:
        parse_config(kind="webhook", config={"url": "https://a.example", "secret_env": "whsec_c2VjcmV0"})
    assert "c2VjcmV0" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_screen_line_of_a_webhook_leaves_its_path_out():
    found = connector("webhook")
    config = parse_config(
        kind="webhook", config={"url": "https://Hooks.Example/services/T0/very-secret", "secret_env": "HOOK"}
    )
    assert found.describe(config) == "Signed webhook to hooks.example"


def test_the_screen_line_of_a_mail_counts_the_others():
    found = connector("email")
    config = parse_config(kind="email", config={"to": "a@b.example; c@d.example", "cc": ["e@f.example"]})
    assert found.describe(config) == "Mail to a@b.example and 2 more"
