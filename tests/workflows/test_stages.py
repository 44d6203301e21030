"""The launch gate is not passed silently, by no way; and no other code changes a stage."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from tests.factories import ADMIN, MANAGER, make_ready, make_user, make_workflow
from tests.workflows.admin.conftest import signed_in
from tests.workflows.api.calls import Caller
from workflows.errors import InvalidInput, NotPermitted
from workflows.models import Brief, Case, Launch, Stage, Workflow
from workflows.stages import reason_told, set_stage
from workflows.version_rows import activate_version
from workflows.workflow_file import export_workflow, import_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    """On trial, with every check met but one: nobody wrote instructions."""
    workflow = make_workflow("leads", name="Leads", stage=Stage.TRIAL)
    make_ready(workflow)
    Brief.objects.update(instructions="")
    return workflow


@pytest.fixture
def manager(workflow: Workflow) -> Any:
    return make_user("manager", can=ADMIN, on=workflow)


def meet_all() -> None:
    Brief.objects.update(instructions="Check the total first.")


def stage_of(workflow: Workflow) -> tuple[str, int]:
    return Workflow.objects.get(pk=workflow.pk).stage, Launch.objects.count()


# --- each way


def test_admin_refuses_until_all_is_met_or_the_owner_says_why(workflow: Workflow, manager: Any) -> None:
    address = f"/admin/workflows/workflow/{workflow.pk}/stage/"
    sent = {"stage": "live", "reason": "It will be fine", "stage_before": "trial"}
    refused = signed_in(manager).post(address, sent)
    page = refused.content.decode()
    assert refused.status_code == 403
    assert "1 check is not met (staff instructions). Nothing was changed." in page
    assert f"{workflow.owner.username}, who owns it, may open it" in page
    owner = signed_in(workflow.owner)
    silent = owner.post(address, {**sent, "reason": " "})
    assert silent.status_code == 422
    assert "say why it goes live without them" in silent.content.decode()
    assert stage_of(workflow) == ("trial", 0)
    assert owner.post(address, sent).status_code == 302
    assert stage_of(workflow) == ("live", 1)
    _is_kept(way="admin", by=workflow.owner)


def _is_kept(*, way: str, by: Any) -> None:
    launch = Launch.objects.get()
    assert (launch.way, launch.by, launch.from_stage, launch.reason) == (way, by, "trial", "It will be fine")
    assert [one["key"] for one in launch.checks if not one["met"]] == ["instructions"]
    assert len(launch.checks) == 10


def test_the_settings_of_the_page_do_not_know_the_stage(workflow: Workflow) -> None:
    sent = {
        "name": "Leads", "stage": "live", "stage_reason": "no reason", "review_due_minutes": 5, "escalation_due_minutes": 5,
        "hold_seconds": 0, "owner": workflow.owner.get_username(),
    }  # fmt: skip
    answer = signed_in(workflow.owner).post(f"/admin/workflows/workflow/{workflow.pk}/change/", sent)
    assert answer.status_code == 302
    assert stage_of(workflow) == ("trial", 0)


def test_api_refuses_with_a_problem_until_all_is_met_or_the_owner_says_why(
    workflow: Workflow, manager: Any
) -> None:
    refused = _ask(workflow, manager, stage="live", reason="It will be fine")
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    assert "1 check is not met (staff instructions)" in refused.json()["detail"]
    silent = _ask(workflow, workflow.owner, stage="live")
    assert silent.status_code == 422
    assert silent.json()["errors"][0]["field"] == "reason"
    assert stage_of(workflow) == ("trial", 0)
    opened = _ask(workflow, workflow.owner, stage="live", reason="It will be fine")
    assert (opened.status_code, opened.json()["stage"]) == (200, "live")
    assert [one["key"] for one in opened.json()["checks"] if not one["met"]] == ["instructions"]
    _is_kept(way="api", by=workflow.owner)


def _ask(workflow: Workflow, user: Any, **wanted: Any) -> Any:
    caller = Caller(workflow=workflow, user=user)
    return caller.client.post(
        f"/api/v1/workflows/{workflow.slug}/stage",
        wanted,
        content_type="application/json",
        headers=caller.headers,
    )


def test_api_changes_no_stage_for_who_may_not_manage_and_names_a_stage_that_is_none(
    workflow: Workflow, manager: Any
) -> None:
    assert _ask(workflow, make_user(can=MANAGER, on=workflow), stage="paused").status_code == 403
    assert _ask(workflow, manager, stage="open").status_code == 422
    assert _ask(workflow, manager, stage="paused", reason="x" * 301).status_code == 422
    assert stage_of(workflow) == ("trial", 0)


def test_command_needs_a_reason_of_the_operator_and_the_rights_of_a_person(
    workflow: Workflow, manager: Any
) -> None:
    with pytest.raises(CommandError, match="1 check is not met"):
        _run("set_stage", "leads", "live")
    with pytest.raises(CommandError, match="who owns it, may open it"):
        _run("set_stage", "leads", "live", "--reason", "It will be fine", "--user", "manager")
    with pytest.raises(CommandError, match="no active user"):
        _run("set_stage", "leads", "live", "--user", "nobody")
    with pytest.raises(CommandError, match="no workflow “none”"):
        _run("set_stage", "none", "live")
    assert stage_of(workflow) == ("trial", 0)
    assert _run("set_stage", "leads", "live", "--reason", "It will be fine") == "leads: live\n"
    _is_kept(way="command", by=None)
    assert workflow.history.first().history_user.username == "system"


def _run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_import_writes_nothing_without_the_gate_or_a_reason(workflow: Workflow, manager: Any) -> None:
    told = {**yaml.safe_load(export_workflow(workflow=workflow)), "name": "Renamed", "stage": "live"}
    with pytest.raises(InvalidInput, match="1 check is not met"):
        import_workflow(text=yaml.safe_dump(told))
    with pytest.raises(NotPermitted, match="who owns it"):
        import_workflow(text=yaml.safe_dump({**told, "stage_reason": "It will be fine"}), by=manager)
    assert stage_of(workflow) == ("trial", 0)
    assert Workflow.objects.get().name == "Leads"
    text = yaml.safe_dump({**told, "stage_reason": "It will be fine"})
    assert import_workflow(text=text)[2] is True
    _is_kept(way="import", by=None)
    assert stage_of(workflow) == ("live", 1)
    # What is live already needs nothing, and a file that says the same changes nothing.
    assert import_workflow(text=text)[2] is False
    assert import_workflow(text=yaml.safe_dump({**told, "stage_reason": ""}))[2] is False
    assert stage_of(workflow) == ("live", 1)


def test_a_new_workflow_from_a_file_passes_the_gate_as_well(workflow: Workflow) -> None:
    told = {
        **yaml.safe_load(export_workflow(workflow=workflow)),
        "slug": "copy",
        "stage": "live",
        "stage_reason": "",
    }
    with pytest.raises(InvalidInput, match="not met"):
        import_workflow(text=yaml.safe_dump(told))
    assert not Workflow.objects.filter(slug="copy").exists()


def test_making_a_version_active_begins_a_trial_and_nothing_more() -> None:
    workflow = make_workflow("new", stage=Stage.SETUP)
    boss = make_user(can=ADMIN, on=workflow)
    version, workflow.version = workflow.version, None
    workflow.save()
    begun = activate_version(version=version, by=boss, start_trial=True)
    assert (begun.stage, begun.version, begun.stage_reason) == ("trial", version, "Begun with version 1")
    assert stage_of(workflow) == ("trial", 0)


# --- the gate itself


@pytest.mark.parametrize("way", ["admin", "api", "command", "import"])
def test_who_manages_it_goes_live_when_all_is_met(workflow: Workflow, manager: Any, way: Any) -> None:
    meet_all()
    # The manager's own grants came after somebody looked through them.
    signed_in(manager).post(f"/admin/workflows/workflow/{workflow.pk}/access-reviewed/")
    live = set_stage(workflow=workflow, stage=Stage.LIVE, by=manager, way=way)
    assert (live.stage_reason, reason_told(live)) == ("", "All 10 checks before it goes live were met")
    launch = Launch.objects.get()
    assert (launch.by, launch.way, launch.reason) == (manager, way, "")
    assert all(one["met"] for one in launch.checks)


def test_a_pause_is_followed_by_the_gate_again(workflow: Workflow) -> None:
    meet_all()
    set_stage(workflow=workflow, stage=Stage.LIVE, by=None, way="command")
    set_stage(workflow=workflow, stage=Stage.PAUSED, by=None, reason="A holiday", way="command")
    assert Workflow.objects.get().stage_reason == "A holiday"
    Case.objects.update(active=False)
    with pytest.raises(InvalidInput, match="2 checks are not met"):
        set_stage(workflow=workflow, stage=Stage.LIVE, by=None, way="command")
    assert stage_of(workflow) == ("paused", 1)


def test_a_superuser_who_does_not_own_it_does_not_pass_either(workflow: Workflow) -> None:
    with pytest.raises(NotPermitted):
        set_stage(
            workflow=workflow, stage=Stage.LIVE, by=make_user("root", superuser=True), reason="I can", way="admin"
        )  # fmt: skip
    assert stage_of(workflow) == ("trial", 0)


def test_an_owner_who_may_no_longer_manage_it_does_not_pass(workflow: Workflow) -> None:
    owner = make_user("former", can=MANAGER, on=workflow)
    Workflow.objects.update(owner=owner)
    with pytest.raises(NotPermitted, match="You may not change the stage"):
        set_stage(workflow=workflow, stage=Stage.LIVE, by=owner, reason="It is mine", way="admin")


def test_without_an_active_version_no_reason_helps() -> None:
    bare = Workflow.objects.create(slug="bare", name="Bare")
    with pytest.raises(InvalidInput, match="no active version"):
        set_stage(workflow=bare, stage=Stage.LIVE, by=None, reason="It will be fine", way="command")


def test_a_tab_of_before_another_change_is_told(workflow: Workflow, manager: Any) -> None:
    set_stage(workflow=workflow, stage=Stage.PAUSED, by=None, reason="A holiday", way="command")
    address = f"/admin/workflows/workflow/{workflow.pk}/stage/"
    client: Client = signed_in(manager)
    answer = client.post(address, {"stage": "retired", "reason": "Old", "stage_before": "trial"})
    assert answer.status_code == 409
    assert "while your tab was open" in answer.content.decode()
    assert client.post(address, {"stage": "open"}).status_code == 422
    assert client.get(address).status_code == 405
    assert stage_of(workflow) == ("paused", 0)


def test_the_page_offers_the_way_round_to_the_owner_alone(workflow: Workflow, manager: Any) -> None:
    address = f"/admin/workflows/workflow/{workflow.pk}/change/"
    assert "Go live without, with a reason…" in signed_in(workflow.owner).get(address).content.decode()
    page = signed_in(manager).get(address).content.decode()
    assert "Go live without, with a reason…" not in page
    assert "who owns it, may go live without them" in page
    assert f"/admin/workflows/workflow/{workflow.pk}/brief/#instructions" in page
    reader = signed_in(make_user(can=MANAGER, on=workflow)).get(address).content.decode()
    assert "Before it goes live" in reader
    assert "Write them" not in reader
    assert "/stage/" not in reader
    staff = signed_in(make_user(can=(*MANAGER[:1],), on=workflow)).get(address).content.decode()
    assert "Before it goes live" not in staff
    assert "So what" not in staff


# --- and nothing else


def test_no_other_code_changes_a_stage() -> None:
    found = {
        f"{path.relative_to(settings.BASE_DIR)}: {told}"
        for app in ("config", "workflows", "reviews", "integrations")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if "migrations" not in path.parts
        for told in _writes_of_stage(path)
    }
    assert found == {"workflows/stages.py: row.stage", "workflows/stages.py: 'stage' in update_fields"}


WRITING = (
    "update",
    "create",
    "get_or_create",
    "update_or_create",
    "Workflow",
    "bulk_update",
    "setattr",
    "save",
)


def _writes_of_stage(path: Path) -> Iterator[str]:
    """Assignments to an attribute `stage`, and calls that write and name it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr == "stage" and isinstance(node.ctx, ast.Store):
            yield ast.unparse(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in WRITING:
            for keyword in node.keywords:
                if keyword.arg == "stage":
                    yield f"stage= in {ast.unparse(node.func)}"
                elif "'stage'" in ast.unparse(keyword.value):
                    yield f"'stage' in {keyword.arg}"
            if any("'stage'" in ast.unparse(argument) for argument in node.args):
                yield f"'stage' for {ast.unparse(node.func)}"


def test_the_search_for_other_writes_finds_them(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text(
        "workflow.stage = 'live'\nWorkflow.objects.update(stage='live')\nsetattr(workflow, 'stage', 'live')\n"
        "Workflow(slug='a', stage='live')\nrows.update(**{'stage': 'live'})\nprint(workflow.stage)\n"
    )
    assert len(list(_writes_of_stage(code))) == 5


def test_that_the_gate_was_passed_is_no_reason_to_pass_another(workflow: Workflow) -> None:
    meet_all()
    live = set_stage(workflow=workflow, stage=Stage.LIVE, by=None, way="command")
    told = yaml.safe_load(export_workflow(workflow=live))
    assert not told.get("stage_reason")
    with pytest.raises(InvalidInput, match="not met"):
        import_workflow(text=yaml.safe_dump({**told, "slug": "another", "name": "Another"}))


def test_only_the_owner_says_anew_why_it_is_live(workflow: Workflow, manager: Any) -> None:
    meet_all()
    set_stage(workflow=workflow, stage=Stage.LIVE, by=None, way="command")
    with pytest.raises(NotPermitted, match="live already"):
        set_stage(
            workflow=workflow, stage=Stage.LIVE, by=manager, reason="All 12 checks were met", way="admin"
        )
    owner = Workflow.objects.get(pk=workflow.pk).owner
    said = set_stage(workflow=workflow, stage=Stage.LIVE, by=owner, reason="The pilot went well", way="admin")
    assert said.stage_reason == "The pilot went well"
