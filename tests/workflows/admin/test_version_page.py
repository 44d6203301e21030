"""A version on its page: what is typed becomes what is stored, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import ADMIN, MANAGER, make_user, make_version, make_workflow
from tests.reviews.admin.conftest import signed_in
from tests.workflows.admin.forms import added, posted
from workflows.errors import Conflict
from workflows.models import Launch, Stage, Version, Workflow
from workflows.version_rows import change_version, part_of
from workflows.version_words import changes_between
from workflows.workflow_file import import_workflow

pytestmark = pytest.mark.django_db
DEMO = sorted((Path(__file__).parents[3] / "fixtures").glob("*/workflow.yaml"))


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads", name="Leads", stage=Stage.SETUP)


@pytest.fixture
def admin(workflow: Workflow) -> Any:
    return make_user("admin", can=ADMIN, on=workflow)


@pytest.fixture
def client(admin: Any) -> Client:
    return signed_in(admin)


def address(version: Version, view: str = "change") -> str:
    return f"/admin/workflows/version/{version.pk}/{view}/"


@pytest.mark.parametrize("file", DEMO, ids=lambda path: path.parent.name)
def test_a_form_that_is_sent_back_untouched_changes_nothing(file: Path) -> None:
    workflow, version, _ = import_workflow(text=file.read_text())
    Workflow.objects.update(stage=Stage.TRIAL)
    Launch.objects.all().delete()  # as if it had never been live
    before, writes = part_of(version), version.fields.model.history.count()
    answer = signed_in(make_user(can=ADMIN, on=workflow)).post(address(version), posted(version))
    assert answer.status_code == 302
    assert part_of(Version.objects.get(pk=version.pk)) == before
    assert version.fields.model.history.count() == writes


def test_fields_rules_and_examples_are_typed_and_stored(client: Client, workflow: Workflow) -> None:
    version = workflow.version
    assert version is not None
    sent = posted(
        version, **{"fields-2-DELETE": "on", "profile-max_tokens": "900", "profile-read_seconds": "33"}
    )
    sent = added(
        sent,
        "fields",
        label="Grund der Rückgabe",
        kind="choice",
        choices="Broken — it came broken\nwrong: Wrong item",
    )
    sent = added(
        sent,
        "fields",
        label="Lines",
        kind="rows",
        columns="Article\namount: Amount — amount of money, required — with tax",
    )
    sent = added(
        sent,
        "rules",
        field="grund_der_ruckgabe",
        operator="one_of",
        value="broken, Wrong item",
        action="review",
        reason="looked at",
    )
    sent = added(
        sent, "rules", field="total", operator="above", value="100", action="escalate", reason="large amount"
    )
    sent = added(
        sent,
        "examples",
        source="Lamp, broken, 20 EUR",
        values="Name: nothing\nTotal: 20 EUR\nLines: Article = Lamp; Amount = 20 EUR",
    )
    answer = client.post(address(version), sent)
    assert answer.status_code == 302
    part = part_of(Version.objects.get(pk=version.pk))
    assert [spec.key for spec in part.fields] == ["name", "total", "topic", "grund_der_ruckgabe", "lines"]
    reason, lines = part.fields[3], part.fields[4]
    assert [(one.key, one.label, one.hint) for one in reason.choices] == [
        ("broken", "Broken", "it came broken"), ("wrong", "Wrong item", ""),
    ]  # fmt: skip
    assert [(one.key, one.kind.value, one.required, one.hint) for one in lines.columns] == [
        ("article", "text", False, ""), ("amount", "money", True, "with tax"),
    ]  # fmt: skip
    assert [(one.field, one.operator.value, one.value) for one in part.rules] == [
        ("grund_der_ruckgabe", "one_of", ["broken", "wrong"]), ("total", "above", 100),
    ]  # fmt: skip
    assert part.examples[0].values == {
        "name": None,
        "total": "20 EUR",
        "lines": [{"article": "Lamp", "amount": "20 EUR"}],
    }
    assert (part.profile.parameters, part.profile.read_seconds) == ({"max_tokens": 900}, 33)


@pytest.mark.parametrize(
    ("rows", "controls", "said"),
    [
        ("fields", {"label": "", "hint": "x", "kind": "text"}, "Name the field, or remove it."),
        ("fields", {"label": "X", "kind": "choice"}, "X: a choice needs its choices."),
        ("fields", {"label": "X", "kind": "text", "key": "No Key"}, "Use small letters"),
        ("fields", {"label": "X", "kind": "rows", "columns": "A — sausage"}, "“sausage” is not known"),
        (
            "rules",
            {"operator": "equals", "field": "", "value": "x", "reason": "r"},
            "Choose the field it looks at.",
        ),
        (
            "rules",
            {"operator": "above", "field": "total", "value": "1,000", "reason": "r"},
            "Write a number such as 1000",
        ),
        (
            "rules",
            {"operator": "equals", "field": "name", "value": "", "reason": "r"},
            "needs a value to compare with",
        ),
        ("rules", {"operator": "always", "reason": "in_words"}, "write it without underscores"),
        ("examples", {"source": "x", "values": "Shoe size: 42"}, "does not begin with the label of a field"),
    ],
)
def test_what_cannot_be_stored_is_said_and_what_was_typed_stays(
    client: Client, workflow: Workflow, rows: str, controls: dict[str, str], said: str
) -> None:
    version = workflow.version
    assert version is not None
    before = part_of(version)
    if rows == "rules":
        controls = {"action": "review", **controls}
    answer = client.post(
        address(version), added(posted(version, instructions="typed a moment ago"), rows, **controls)
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page.replace("&quot;", '"')
    assert "typed a moment ago" in page
    assert part_of(Version.objects.get(pk=version.pk)) == before


def test_a_stale_tab_overwrites_nothing_until_it_was_told(client: Client, workflow: Workflow) -> None:
    version = workflow.version
    assert version is not None
    mine = posted(version, instructions="mine")
    assert client.post(address(version), posted(version, instructions="theirs")).status_code == 302
    answer = client.post(address(version), mine)
    version.refresh_from_db()
    assert (answer.status_code, version.instructions) == (409, "theirs")
    assert "mine</textarea>" in answer.content.decode()
    again = {**mine, "seal": posted(version)["seal"]}
    assert client.post(address(version), again).status_code == 302
    version.refresh_from_db()
    assert version.instructions == "mine"


def test_a_key_goes_to_a_server_of_the_installation_alone(
    client: Client, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_SERVERS", "https://models.example/v1 MODELS_KEY, nonsense")
    version = workflow.version
    assert version is not None
    sent = posted(version, **{"profile-server": "https://thief.example/v1", "profile-model": "m"})
    assert client.post(address(version), sent).status_code == 422
    sent |= {
        "profile-server": "https://models.example/v1",
        "profile-others": '{"extra_headers": {"Authorization": "x"}}',
    }
    assert "a secret in extra_headers" in client.post(address(version), sent).content.decode()
    sent["profile-others"] = ""
    assert client.post(address(version), sent).status_code == 302
    profile = Version.objects.get(pk=version.pk).model_profile()
    assert (profile.base_url, profile.api_key_env, profile.model) == (
        "https://models.example/v1",
        "MODELS_KEY",
        "m",
    )


def test_a_used_version_is_read_and_a_new_one_is_made_from_it(client: Client, workflow: Workflow) -> None:
    version = workflow.version
    assert version is not None
    sent = posted(version, instructions="changed")
    Version.objects.update(used_at=timezone.now())
    page = client.get(address(version)).content.decode()
    assert 'name="instructions"' not in page
    assert "Make a new version from this" in page
    assert client.post(address(version), sent).status_code == 403
    answer = client.post(address(version, "copy"))
    copy = workflow.versions.get(number=2)
    assert answer["Location"] == address(copy)
    assert part_of(copy) == part_of(version)
    assert copy.author.get_username() == "admin"
    assert "Nothing: it says what version 1 says." in client.get(address(copy)).content.decode()


def test_what_a_version_changed_is_told_in_words_and_side_by_side(client: Client, workflow: Workflow) -> None:
    version = workflow.version
    assert version is not None
    client.post(address(version, "copy"))
    copy = workflow.versions.get(number=2)
    sent = posted(copy, instructions="Read the message.\nTwice.", **{
        "fields-0-required": None, "fields-2-DELETE": "on", "fields-1-sensitive": "on", "review_bar": "0.80",
    })  # fmt: skip
    sent = added(sent, "rules", operator="always", action="escalate", reason="always asked")
    assert client.post(address(copy), added(sent, "fields", label="Phone", kind="phone")).status_code == 302
    told = changes_between(before=version, after=Version.objects.get(pk=copy.pk))
    assert told.sentences == (
        "New field: Phone.", "Field removed: Due date.", "Name: is no longer required.", "Total: is sensitive now.",
        "Instructions: 1 line new.", "Rules: 1 line new.", "Model and limits: 1 line new and 1 line gone.",
    )  # fmt: skip
    page = client.get(address(copy)).content.decode()
    for line in (
        "<ins>Twice.</ins>",
        "<ins>Always escalate: always asked</ins>",
        "<del>Due date: date</del>",
    ):
        assert line in page


def test_a_version_is_made_active_by_post_and_a_live_one_not_by_its_author_alone(
    client: Client, workflow: Workflow, admin: Any
) -> None:
    client.post(f"/admin/workflows/version/{workflow.version_id}/copy/")
    copy = workflow.versions.get(number=2)
    assert client.get(address(copy, "activate")).status_code == 405
    assert client.post(address(copy, "activate"), {"start_trial": "on"}).status_code == 302
    workflow.refresh_from_db()
    assert (workflow.version, workflow.stage) == (copy, Stage.TRIAL)
    assert client.post(address(copy, "activate")).status_code == 409
    Workflow.objects.update(stage=Stage.LIVE, version=workflow.versions.get(number=1))
    refused = client.post(address(copy, "activate"))
    assert refused.status_code == 409
    assert "somebody else who manages it makes it active" in refused.content.decode()
    assert client.post(address(copy, "activate"), {"reason": "all others are ill"}).status_code == 302
    workflow.refresh_from_db()
    assert workflow.version == copy
    latest = workflow.history.first()
    assert (latest.history_user, latest.history_change_reason) == (
        admin,
        "Version 2 made active, glass broken: all others are ill",
    )


def test_what_is_active_on_a_live_workflow_stays_what_was_activated(
    client: Client, workflow: Workflow
) -> None:
    version = workflow.version
    assert version is not None
    assert b"Save version 1" in client.get(address(version)).content
    Workflow.objects.update(stage=Stage.LIVE)
    assert b"Save version 1" not in client.get(address(version)).content
    assert client.post(address(version), {"instructions": "other"}).status_code == 403
    with pytest.raises(Conflict, match="active on a live workflow"):
        change_version(version=version, part=part_of(version), by=None)


def test_a_version_without_a_field_cannot_be_made_active(client: Client, workflow: Workflow) -> None:
    empty = make_version(workflow=workflow, number=2, fields=())
    answer = client.post(address(empty, "activate"))
    assert answer.status_code == 409
    assert "A version needs at least one field." in answer.content.decode()


def test_whoever_only_sees_the_workflow_reads_its_versions_and_does_nothing(workflow: Workflow) -> None:
    viewer = signed_in(make_user(can=MANAGER, on=workflow))
    version = workflow.version
    assert version is not None
    page = viewer.get(address(version)).content.decode()
    assert "Read the message." in page
    assert 'name="text"' not in page
    for view in ("copy", "activate", "try"):
        assert viewer.post(address(version, view), {"text": "x"}).status_code == 403
    assert workflow.versions.count() == 1
