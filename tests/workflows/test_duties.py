"""What takes two people from live on, superusers included, at every door; and the way round that everybody sees."""

from __future__ import annotations

import io
from typing import Any

import pytest
import yaml
from django.core import mail
from django.core.management import call_command

from reviews.break_glass_mail import tell_of_broken_glass
from tests.factories import ADMIN, SENIOR, VALUES, make_item, make_ready, make_user, make_workflow
from tests.workflows.admin.conftest import signed_in
from workflows.decisions import approve
from workflows.duties import check_second, editors_of, may_activate, may_give_second, takes_two
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import BreakGlass, Brief, Launch, Stage, Version, Workflow
from workflows.stages import set_stage
from workflows.version_rows import activate_version, change_version, copy_version, part_of
from workflows.workflow_file import export_workflow, import_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    """Live, with an owner and a deputy."""
    workflow = make_workflow("leads", name="Leads")
    make_ready(workflow)
    return workflow


@pytest.fixture
def author(workflow: Workflow) -> Any:
    return make_user("author", can=ADMIN, on=workflow)


@pytest.fixture
def second(workflow: Workflow, author: Any) -> Version:
    """Written by the author."""
    version = workflow.version
    assert version is not None
    return copy_version(version=version, by=author)


def active(workflow: Workflow) -> int:
    return Workflow.objects.get(pk=workflow.pk).version.number


# --- versions


@pytest.mark.parametrize("superuser", [False, True])
def test_who_wrote_a_version_does_not_make_it_active_superuser_or_not(
    workflow: Workflow, superuser: bool
) -> None:
    by = make_user("by", can=ADMIN, on=workflow, superuser=superuser)
    version = copy_version(version=workflow.version, by=by)
    with pytest.raises(InvalidInput, match=f"Ask {workflow.owner.username}"):
        activate_version(version=version, by=by)
    assert (active(workflow), BreakGlass.objects.count()) == (1, 0)
    activate_version(version=version, by=workflow.owner)
    assert (active(workflow), BreakGlass.objects.count()) == (2, 0)


def test_whoever_changed_a_rule_of_it_wrote_it_too(workflow: Workflow, author: Any, second: Version) -> None:
    owner = workflow.owner
    change_version(version=second, part=part_of(second).model_copy(update={"max_calls": 3}), by=owner)
    assert not may_activate(version=second, workflow=workflow, by=owner)
    assert not may_activate(version=second, workflow=workflow, by=author)
    assert may_activate(version=second, workflow=workflow, by=make_user("third"))


def test_breaking_the_glass_is_kept_shown_and_mailed_to_owner_and_deputy(
    workflow: Workflow, author: Any, second: Version
) -> None:
    address = f"/admin/workflows/version/{second.pk}/"
    client = signed_in(author)
    page = client.get(f"{address}change/").content.decode()
    assert "Break the glass and make version 2 active" in page
    assert f"Ask {workflow.owner.username}." in page
    assert client.post(f"{address}activate/", {"reason": " "}).status_code == 409
    assert client.post(f"{address}activate/", {"reason": "Prices are wrong since noon"}).status_code == 302
    glass = BreakGlass.objects.get()
    deputy = Brief.objects.get().deputy
    assert (glass.act, glass.by, glass.what) == ("activate", author, "version 2")
    assert set(glass.tell) == {workflow.owner.pk, deputy.pk}
    entry = workflow.history.first()
    assert (entry.history_user, entry.history_change_reason) == (
        author,
        "Version 2 made active, glass broken: Prices are wrong since noon",
    )
    assert tell_of_broken_glass() == 1
    assert tell_of_broken_glass() == 0, "once"
    (sent,) = mail.outbox
    assert set(sent.bcc) == {workflow.owner.email, deputy.email}
    assert "Prices are wrong since noon" in sent.body
    shown = signed_in(make_user(can=SENIOR, on=workflow)).get(
        f"/admin/workflows/workflow/{workflow.pk}/change/"
    )
    told = shown.content.decode()
    assert "Prices are wrong since noon" in told
    assert f"mailed to {', '.join(sorted([workflow.owner.username, deputy.username]))}" in told


def test_a_mail_that_was_not_taken_is_sent_later(
    workflow: Workflow, author: Any, second: Version, settings: Any
) -> None:
    activate_version(version=second, by=author, reason="Now")
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                                    "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 1}}}  # fmt: skip
    assert tell_of_broken_glass() == 0
    assert BreakGlass.objects.get().told_at is None


def test_where_one_person_is_the_team_the_page_says_that_glass_is_the_way(second: Version) -> None:
    alone = make_workflow("alone", name="Alone")
    one = make_user("one", can=ADMIN, on=alone)
    version = copy_version(version=alone.version, by=one)
    assert (
        "Nobody else manages this workflow"
        in signed_in(one).get(f"/admin/workflows/version/{version.pk}/change/").content.decode()
    )
    with pytest.raises(InvalidInput, match="Nobody else manages this workflow"):
        activate_version(version=version, by=one)
    activate_version(version=version, by=one, reason="I am the team")
    assert active(alone) == 2


def test_before_the_first_launch_there_is_no_second_person(author: Any) -> None:
    trial = make_workflow("trial", stage=Stage.TRIAL)
    one = make_user("one", can=ADMIN, on=trial)
    activate_version(version=copy_version(version=trial.version, by=one), by=one)
    assert (active(trial), takes_two(trial)) == (2, False)


def test_a_way_back_to_the_trial_is_no_way_round(workflow: Workflow, author: Any, second: Version) -> None:
    Launch.objects.create(workflow=workflow, from_stage="trial", way="admin", checks=[])
    set_stage(workflow=workflow, stage=Stage.TRIAL, by=author, way="admin")
    with pytest.raises(InvalidInput):
        activate_version(version=second, by=author)
    back = workflow.version
    back.refresh_from_db()
    with pytest.raises(Conflict, match="active on a live workflow"):
        change_version(version=back, part=part_of(back), by=author)


def test_an_imported_version_of_a_live_workflow_waits_for_somebody_else(
    workflow: Workflow, author: Any
) -> None:
    told = yaml.safe_load(export_workflow(workflow=workflow))
    told["version"]["instructions"] = "Read it twice."
    text = yaml.safe_dump(told)
    root = make_user("root", superuser=True)
    for _ in range(2):
        _, version, _ = import_workflow(text=text, by=root)
        assert (version.number, active(workflow)) == (2, 1)
    assert workflow.versions.count() == 2, "the same file makes one version that waits"
    import_workflow(text=text, by=author)
    assert active(workflow) == 2, "somebody else brought the same"
    assert not BreakGlass.objects.exists()


def test_the_command_line_breaks_the_glass_by_name_or_waits(
    workflow: Workflow, author: Any, tmp_path: Any
) -> None:
    told = yaml.safe_load(export_workflow(workflow=workflow))
    told["version"]["instructions"] = "Read it twice."
    file = tmp_path / "leads.yaml"
    file.write_text(yaml.safe_dump(told))
    assert "version 2 waits" in _run("import_workflow", str(file))
    assert _run("import_workflow", str(file)).startswith("leads: nothing to change, version 2 waits")
    assert active(workflow) == 1
    assert "version 2 is active" in _run("import_workflow", str(file), "--break-glass", "The team is asleep")
    glass = BreakGlass.objects.get()
    assert (glass.by, glass.reason, active(workflow)) == (None, "The team is asleep", 2)


def _run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_a_version_that_waits_is_made_active_by_a_manager(workflow: Workflow, author: Any) -> None:
    told = yaml.safe_load(export_workflow(workflow=workflow))
    told["version"]["instructions"] = "Read it twice."
    _, version, changed = import_workflow(text=yaml.safe_dump(told))
    assert changed
    assert (
        "Break the glass"
        not in signed_in(author).get(f"/admin/workflows/version/{version.pk}/change/").content.decode()
    )
    activate_version(version=version, by=author)
    assert active(workflow) == 2


# --- the stage


@pytest.mark.parametrize("reason", ["", "Opened for a test", "It went well"])
def test_a_file_that_is_imported_again_does_not_open_what_somebody_paused(
    workflow: Workflow, reason: str
) -> None:
    if reason == "It went well":
        set_stage(workflow=workflow, stage=Stage.LIVE, by=workflow.owner, reason=reason, way="admin")
    told = yaml.safe_load(export_workflow(workflow=workflow))
    text = yaml.safe_dump({**told, "stage_reason": reason, "hold_seconds": 5})
    set_stage(workflow=workflow, stage=Stage.PAUSED, by=workflow.owner, reason="Wrong dates", way="admin")
    import_workflow(text=text)
    row = Workflow.objects.get(pk=workflow.pk)
    assert (row.stage, row.stage_reason, row.hold_seconds) == ("paused", "Wrong dates", 5)
    again = yaml.safe_dump({**told, "stage_reason": "Dates are right again"})
    import_workflow(text=again)
    assert Workflow.objects.get(pk=workflow.pk).stage == "live"
    set_stage(workflow=workflow, stage=Stage.RETIRED, by=workflow.owner, reason="Not worth it", way="admin")
    import_workflow(text=again)
    assert Workflow.objects.get(pk=workflow.pk).stage == "retired"


# --- the owner


def settings_of(workflow: Workflow, **changed: Any) -> dict[str, Any]:
    return {
        "name": workflow.name, "purpose": "", "owner": workflow.owner.username if workflow.owner else "",
        "review_due_minutes": 5, "escalation_due_minutes": 5, "hold_seconds": 0, **changed,
    }  # fmt: skip


@pytest.mark.parametrize("stage", [Stage.TRIAL, Stage.LIVE, Stage.PAUSED])
def test_nobody_makes_themselves_the_owner_in_somebodys_place_and_opens_the_gate(stage: Stage) -> None:
    workflow = make_workflow("leads", stage=stage)
    owner = make_ready(workflow)
    manager = make_user("manager", can=ADMIN, on=workflow)
    root = make_user("root", superuser=True, can=ADMIN, on=workflow)
    address = f"/admin/workflows/workflow/{workflow.pk}/change/"
    for by in (manager, root):
        for to in (by.username, ""):
            answer = signed_in(by).post(address, settings_of(workflow, owner=to))
            assert answer.status_code == 422, (by, to)
        assert Workflow.objects.get().owner == owner
    Brief.objects.update(instructions="")
    Workflow.objects.update(stage=Stage.TRIAL)
    with pytest.raises(NotPermitted, match="who owns it, may open it"):
        set_stage(workflow=workflow, stage=Stage.LIVE, by=manager, reason="Mine", way="admin")


def test_an_owner_hands_over_and_others_name_somebody_else(workflow: Workflow, author: Any) -> None:
    address = f"/admin/workflows/workflow/{workflow.pk}/change/"
    first = workflow.owner
    assert signed_in(first).post(address, settings_of(workflow, owner="author")).status_code == 302
    assert Workflow.objects.get().owner == author
    named = signed_in(make_user("third", can=ADMIN, on=workflow)).post(
        address, settings_of(workflow, owner=first.username)
    )
    assert named.status_code == 302
    assert Workflow.objects.get().owner == first
    assert not BreakGlass.objects.exists()


def test_an_owner_who_left_is_followed_by_breaking_the_glass_and_the_deputy_hears_of_it(
    workflow: Workflow, author: Any
) -> None:
    address = f"/admin/workflows/workflow/{workflow.pk}/change/"
    before = workflow.owner
    before.is_active = False
    before.save()
    client = signed_in(author)
    refused = client.post(address, settings_of(workflow, owner="author"))
    assert refused.status_code == 422
    assert "break the glass" in refused.content.decode()
    sent = settings_of(workflow, owner="author", owner_reason="She left, and invoices wait")
    assert client.post(address, sent).status_code == 302
    glass = BreakGlass.objects.get()
    assert (glass.act, glass.what) == ("owner", f"owner: author, before: {before.username}")
    assert Workflow.objects.get().owner == author
    tell_of_broken_glass()
    assert mail.outbox[0].bcc == [Brief.objects.get().deputy.email], "and not whoever took it over"


def test_before_live_a_workflow_that_nobody_owns_is_taken_on(author: Any) -> None:
    new = make_workflow("new", stage=Stage.TRIAL)
    one = make_user("one", can=ADMIN, on=new)
    answer = signed_in(one).post(f"/admin/workflows/workflow/{new.pk}/change/", settings_of(new, owner="one"))
    assert answer.status_code == 302
    assert Workflow.objects.get(pk=new.pk).owner == one


def test_a_file_names_nobody_the_owner_who_imports_it(workflow: Workflow, author: Any) -> None:
    told = yaml.safe_load(export_workflow(workflow=workflow))
    owner = workflow.owner
    with pytest.raises(InvalidInput, match="owns it"):
        import_workflow(text=yaml.safe_dump({**told, "owner": "author"}), by=author)
    import_workflow(text=yaml.safe_dump({**told, "owner": "", "hold_seconds": 9}))
    row = Workflow.objects.get(pk=workflow.pk)
    assert (row.owner, row.hold_seconds) == (owner, 9)


# --- the second approval


def test_who_edited_does_not_give_the_second_approval(workflow: Workflow) -> None:
    editor = make_user("editor", can=SENIOR, on=workflow, superuser=True)
    item = make_item(workflow=workflow)
    approve(item=item, by=editor, values={**VALUES, "name": "Ines Okafor-Brandt"})
    other = make_user("other", can=SENIOR, on=workflow)
    assert editors_of(item) == {editor.pk}
    assert not may_give_second(item=item, by=editor)
    assert may_give_second(item=item, by=other)
    with pytest.raises(NotPermitted, match="somebody else gives the second approval"):
        check_second(item=item, by=editor)
    glass = check_second(item=item, by=editor, reason="Nobody else is here")
    assert glass is not None
    assert (glass.act, glass.by, str(item.public_id) in glass.what) == ("second", editor, True)
    assert check_second(item=item, by=other) is None


def test_before_live_who_edited_may_give_it(workflow: Workflow) -> None:
    trial = make_workflow("trial", stage=Stage.TRIAL)
    editor = make_user("editor", can=SENIOR, on=trial)
    item = make_item(workflow=trial)
    approve(item=item, by=editor, values={**VALUES, "name": "Ines Okafor-Brandt"})
    assert may_give_second(item=item, by=editor)


def test_what_was_broken_is_written_once(workflow: Workflow, author: Any, second: Version) -> None:
    activate_version(version=second, by=author, reason="Now")
    glass = BreakGlass.objects.get()
    with pytest.raises(TypeError):
        glass.save()
    with pytest.raises(TypeError):
        glass.delete()
    with pytest.raises(InvalidInput, match="301 characters"):
        activate_version(
            version=copy_version(version=second, by=author),
            by=author, reason="x" * 301,
        )  # fmt: skip
