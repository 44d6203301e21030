"""The log as a file, and its verifier, which is run as anybody would run it: plain Python, no Django, no project."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from tests.factories import make_user
from tests.workflows.audit.chains import lifted, make_chain
from workflows.audit import Kind
from workflows.audit.recording import told_of
from workflows.audit.scheduled import check_whole
from workflows.audit.verify_file import hash_of
from workflows.models import AuditCheck, AuditEvent, Workflow

pytestmark = pytest.mark.django_db(transaction=True)
VERIFIER = Path(__file__).parents[3] / "workflows" / "audit" / "verify_file.py"


def export(path: Path, *given: str) -> list[dict[str, Any]]:
    call_command("export_audit", *given, output=str(path), stderr=StringIO())
    return [json.loads(line) for line in path.read_text().splitlines()]


def verify(path: Path, *anchors: Path) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(VERIFIER), str(path), *map(str, anchors)],
        cwd=path.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.returncode, ran.stdout + ran.stderr


def written(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_file_is_verified_without_the_project_and_every_change_of_it_is_found(
    tmp_path: Path, settings: Any
) -> None:
    make_chain(events=12)
    assert check_whole().whole
    whole = tmp_path / "audit.jsonl"
    lines = export(whole, "--with-content")
    assert verify(whole, settings.AUDIT_ANCHORS)[0] == 0, verify(whole)
    assert "1 of 1 anchors met" in verify(whole, settings.AUDIT_ANCHORS)[1]
    at = 6
    changed = {
        "a fact": [*lines[:at], {**lines[at], "facts": {"number": 999}}, *lines[at + 1 :]],
        "a name": [*lines[:at], {**lines[at], "actor": "mallory"}, *lines[at + 1 :]],
        "a content": [{**line, "content": {**line["content"], "body": {}}} if line.get("content") else line for line in lines],
        "left out": lines[:at] + lines[at + 1 :],
        "swapped": [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]],
        "cut off": [*lines[:-2], {**lines[-1], "events": lines[-1]["events"] - 1}],
        "no end": lines[:-1],
    }  # fmt: skip
    for name, told in changed.items():
        code, said = verify(written(tmp_path / "changed.jsonl", told))
        assert code == 1, (name, said)
        assert "BROKEN" in said
    forged = {**lines[at], "actor": "mallory"}
    forged["hash"] = hash_of(forged)
    assert verify(written(tmp_path / "changed.jsonl", [*lines[:at], forged, *lines[at + 1 :]]))[0] == 1
    assert verify(written(tmp_path / "changed.jsonl", lines[1:]))[0] == 2
    assert verify(tmp_path / "nothing.jsonl")[0] == 2


def test_a_part_is_verified_as_far_as_a_part_can_be(tmp_path: Path) -> None:
    make_chain(events=12)
    slug = Workflow.objects.order_by("pk")[0].slug
    part = tmp_path / "part.jsonl"
    lines = export(part, "--workflow", slug)
    assert {line["workflow"] for line in lines[1:-1]} == {slug}
    code, said = verify(part)
    assert code == 0
    assert "left out" in said
    lines[3]["actor"] = "mallory"
    assert verify(written(part, lines))[0] == 1
    middle = AuditEvent.objects.get(pk=6)
    since = export(tmp_path / "since.jsonl", "--since", middle.at.isoformat())
    assert since[1]["sequence"] == 6
    assert verify(tmp_path / "since.jsonl")[0] == 0
    del since[3]
    assert verify(written(part, since))[0] == 1


def test_content_leaves_only_when_it_is_asked_for_and_an_export_is_an_event(tmp_path: Path) -> None:
    make_chain(events=6)
    assert not any("content" in line for line in export(tmp_path / "one.jsonl"))
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.kind, event.facts["content"]) == (Kind.LOG_EXPORTED, False)
    out = StringIO()
    call_command("export_audit", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue().splitlines()[-1])["events"] == event.sequence
    with pytest.raises(CommandError, match="no workflow"):
        call_command("export_audit", workflow="nowhere")
    with pytest.raises(CommandError, match="no day"):
        call_command("export_audit", since="yesterday")


def test_the_command_says_where_it_is_broken_and_superusers_are_told_once_a_day(mailoutbox: Any) -> None:
    make_user("root", superuser=True)
    make_chain(events=8)
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert "are whole" in out.getvalue()
    with lifted():
        AuditEvent.objects.filter(pk=4).update(actor="mallory")
    for _ in range(2):
        with pytest.raises(CommandError, match="BROKEN at event 4"):
            call_command("verify_audit")
    assert [one.bcc for one in mail.outbox] == [["root@people.example"]]
    assert "Event 4" in mail.outbox[0].body
    assert AuditCheck.objects.get(name="whole").broken_at == 4
    anchored = AuditCheck.objects.get(name="anchor").sequence
    assert anchored == 8, "what is broken is not anchored"


def test_the_line_of_an_export_is_the_event_itself() -> None:
    make_chain(events=3)
    event = AuditEvent.objects.get(pk=3)
    assert hash_of(told_of(event)) == event.hash
