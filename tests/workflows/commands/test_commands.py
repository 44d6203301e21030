from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.factories import STAFF, make_user, make_workflow
from workflows.api_keys import find_api_key
from workflows.models import Item, Workflow
from workflows.workflow_file import export_workflow

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def workflow() -> Workflow:
    workflow = make_workflow("leads")
    workflow.owner = make_user("olga", can=STAFF, on=workflow)
    workflow.save()
    return workflow


def test_submit_prints_the_id_alone_and_all_files_are_one_item(workflow: Workflow, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    printed = run(
        "submit",
        "leads",
        str(tmp_path / "a.txt"),
        str(tmp_path / "b.txt"),
        "--text",
        "Beside them",
        "--title",
        "Two files",
    )
    item = Item.objects.get()
    assert printed == f"{item.public_id}\n"
    assert (item.title, item.sources.count(), item.submitted_by.username, item.channel) == (
        "Two files",
        3,
        "olga",
        "command",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("submit", "none", "--text", "a"), "no workflow “none”"),
        (("submit", "leads"), "Nothing was submitted"),
        (("submit", "leads", "/no/such/file"), "cannot be read"),
        (("submit", "leads", "--text", "a", "--as", "nobody"), "no active user “nobody”"),
        (("submit", "leads", "--text", "a", "--as", "outsider"), "You may not submit items"),
        (("create_api_key", "leads", "nobody"), "no active user"),
        (("create_api_key", "leads", "outsider"), "may not see"),
        (("create_api_key", "leads", "olga", "--days", "0"), "1 to 3,650 days"),
        (("export_workflow", "none"), "no workflow “none”"),
        (("export_workflow", "leads", "--version", "9"), "no version 9"),
        (("import_workflow", "/no/such/file"), "cannot be read"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(
    workflow: Workflow, arguments: tuple[str, ...], said: str
) -> None:
    make_user("outsider")
    with pytest.raises(CommandError, match=said):
        run(*arguments)
    assert Item.objects.count() == 0


def test_create_api_key_prints_the_key_alone(workflow: Workflow) -> None:
    printed = run("create_api_key", "leads", "olga", "--days", "7")
    row = find_api_key(key=printed.strip())
    assert row is not None
    assert (row.workflow, row.user.username, printed.count("\n")) == (workflow, "olga", 1)


def test_an_exported_workflow_can_be_imported(workflow: Workflow, tmp_path: Path) -> None:
    printed = run("export_workflow", "leads", "--version", "1")
    assert printed == export_workflow(workflow=workflow)
    path = tmp_path / "leads.yaml"
    path.write_text(printed)
    assert run("import_workflow", str(path)) == "leads: nothing to change, version 1 is active\n"
    path.write_text(printed.replace("Read the message.", "Read it twice."))
    assert run("import_workflow", str(path)).startswith(
        "leads: imported, version 2 waits: the workflow went live"
    )
    done = run("import_workflow", str(path), "--break-glass", "Nobody else is here")
    assert done == "leads: imported, version 2 is active\n"
