"""`manage.py import_cases` and `manage.py evaluate`, in the foreground to the end."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from tests.factories import make_version, make_workflow
from tests.scripted_model import ScriptedModel, scripted_model
from tests.workflows.evaluation.conftest import LETTER
from workflows import beats
from workflows.evaluation.running import SLOT, begin_evaluation
from workflows.models import Case, Evaluation, Workflow

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads", name="Leads")


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModel]:
    with scripted_model() as server:
        for name, value in (("BASE_URL", server.base_url), ("API_KEY", "k"), ("MODEL", "scripted")):
            monkeypatch.setenv(f"OPENAI_{name}", value)
        yield server


@pytest.fixture
def cases(tmp_path: Path, workflow: Workflow) -> Path:
    rows = [
        {"name": "open", "text": LETTER, "values": {"name": "Ines Okafor", "due": "2026-12-24"}},
        {"name": "secret", "text": f"{LETTER}\n", "held_out": True, "values": {"name": "Secret Person"}},
        {"name": "refused", "text": f"{LETTER}[[refusal]]", "values": {"name": "Ines Okafor"}},
    ]
    path = tmp_path / "cases.yaml"
    path.write_text(json.dumps(rows))
    assert run("import_cases", "leads", str(path)) == "leads: 3 new, 0 changed, 0 as they were\n"
    assert run("import_cases", "leads", str(path)) == "leads: 0 new, 0 changed, 3 as they were\n"
    return path


def test_each_case_has_a_line_and_the_end_is_a_table(
    workflow: Workflow, cases: Path, model: ScriptedModel
) -> None:
    printed = run("evaluate", "leads")
    assert "[3/3]" in printed
    assert "open: 1 of 2 fields right" in printed
    assert "refused: 0 of 1 fields right, refused" in printed
    assert "Due date   0 of 1, 0 % (95 % interval 0 to 79 %)" in printed
    assert "    Due date: 2026-11-30, right is 2026-12-24" in printed
    assert "1 of 4 fields right. All 3 cases were asked now." in printed
    assert "1 case without a draft: each of their fields counts as wrong." in printed
    assert "held out: not shown" in printed
    assert "Secret Person" not in printed
    again = run("evaluate", "leads", "--version", "1")
    assert "from a stored run" in again
    assert "3 of 3 from stored runs." in again
    assert not beats.Beat.objects.filter(name=SLOT).exclude(holder=None).exists()


def test_json_is_the_same_for_programs_and_nothing_else_is_printed(
    workflow: Workflow, cases: Path, model: ScriptedModel
) -> None:
    printed = run("evaluate", "leads", "--json")
    told = json.loads(printed)
    assert (told["fields_right"], told["fields_due"], told["reused"], told["cases"]) == (1, 4, 0, 3)
    by_name = {one["case"]: one for one in told["results"]}
    assert by_name["open"]["fields"][1] == {
        "key": "due",
        "drafted": "2026-11-30",
        "gold": "2026-12-24",
        "right": False,
    }
    assert by_name["secret"]["fields"] == [{"key": "name", "right": False}]
    assert by_name["refused"]["outcome"] == "refused"
    assert json.loads(run("evaluate", "leads", "--json"))["reused"] == 3


def test_one_that_was_killed_is_gone_on_with(workflow: Workflow, cases: Path, model: ScriptedModel) -> None:
    row = begin_evaluation(version=workflow.version, by=None)
    Evaluation.objects.filter(pk=row.pk).update(started_at=timezone.now())
    assert "[3/3]" in run("evaluate", "leads")
    assert Evaluation.objects.get().done == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evaluate", "none"), "no workflow “none”"),
        (("evaluate", "leads", "--version", "9"), "no version 9"),
        (("evaluate", "leads"), "No model is configured"),
        (("import_cases", "none", "a.csv"), "no workflow “none”"),
        (("import_cases", "leads", "/no/such/file.csv"), "cannot be read"),
        (("import_cases", "leads", "a.pdf"), "neither a .yaml nor a .csv"),
    ],
)
def test_what_cannot_be_done_says_why_and_fails(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "EMBEDDED_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CommandError, match=said):
        run(*arguments)
    assert not Evaluation.objects.exists()
    assert not Case.objects.exists()


def test_no_case_and_a_model_that_is_away_fail_too(
    workflow: Workflow, model: ScriptedModel, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="has no cases yet"):
        run("evaluate", "leads")
    path = tmp_path / "cases.csv"
    path.write_text(
        "case,text,name\n" + "".join(f"c{number},{number} [[401]],Ines\n" for number in range(40))
    )
    run("import_cases", "leads", str(path))
    with pytest.raises(CommandError, match="The model could not be reached"):
        run("evaluate", "leads")
    make_version(workflow=workflow, number=2)
    assert Evaluation.objects.get().ended_at is not None
