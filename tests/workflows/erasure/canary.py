"""A word that stands in everything a person's data can stand in, driven there by the ways that people and machines take."""

from __future__ import annotations

import json
import os
import re
import uuid
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import Task
from django_q.tasks import async_task

from tests.integrations.documents.samples import pdf
from workflows import handoff
from workflows.api_keys import create_api_key
from workflows.decisions import approve, escalate, reject, send_back
from workflows.evaluation.cases import import_cases
from workflows.models import Case, CaseResult, Delivery, Evaluation, Item, Label, Try, Workflow

CANARY = "Zilvinas-Quokkadottir"
LINES = f"Name: {CANARY}\nTotal: 12.50 EUR\nDue: 30 November 2026\nTopic: quote\n"


def letter(*, number: int = 1) -> bytes:
    """A mail whose text, subject, sender and attachment's name and pages say it."""
    mail = EmailMessage()
    mail["Subject"], mail["From"] = f"Order {number} of {CANARY}", f"{CANARY} <{CANARY}@people.example>"
    mail["To"], mail["Date"] = "desk@firm.example", "Mon, 02 Nov 2026 10:00:00 +0000"
    mail.set_content(f"{LINES}Number {number}")
    content = pdf(lambda canvas: canvas.drawString(60, 700, f"Attachment {number} for {CANARY}"))
    mail.add_attachment(content, maintype="application", subtype="pdf", filename=f"{CANARY}-{number}.pdf")
    return mail.as_bytes()


def submit_by_api(*, workflow: Workflow, by: Any, number: int = 1, content: bytes = b"") -> Item:
    from django.core.files.uploadedfile import SimpleUploadedFile

    _, key = create_api_key(workflow=workflow, user=by)
    file = SimpleUploadedFile(
        f"{CANARY}.eml", content or letter(number=number), content_type="message/rfc822"
    )
    answer = Client().post(
        f"/api/v1/workflows/{workflow.slug}/items",
        {
            "files": file, "text": f"Please, {number}.", "title": f"{CANARY} wants {number}",
            "external_id": f"{CANARY}-{number}-{uuid.uuid4().hex[:4]}", "metadata": json.dumps({"sender": f"{CANARY} {number}"}),
        },
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": f"{CANARY}-{number}-{uuid.uuid4()}"},
    )  # fmt: skip
    assert answer.status_code in (200, 202), answer.content
    return Item.objects.get(public_id=answer.json()["id"])


def live(*, workflow: Workflow, by: Any, work: Any, receiver: Any) -> list[Item]:
    """Items that were accepted, rejected and copied, with all that is written on the way."""
    handed, turned_down = (submit_by_api(workflow=workflow, by=by, number=number) for number in (1, 2))
    work()
    handed.refresh_from_db()
    assert handed.state == "in_review", handed.problem
    send_back(item=fresh(handed), by=by, note=f"{CANARY} spells it otherwise")
    work()
    escalate(item=fresh(handed), by=by, reason=f"Is {CANARY} allowed to?")
    approve(
        item=fresh(handed),
        by=by,
        values={"name": f"{CANARY} the elder"},
        seen=["topic"],
        reason=f"{CANARY} called",
    )
    receiver.answer = json.dumps({"id": f"R-{CANARY}"}).encode()
    handoff.deliver_due()
    assert fresh(handed).state == "delivered", [(one.state, one.error) for one in handed.deliveries.all()]
    reject(item=fresh(turned_down), by=by, reason=f"{CANARY} took it back")
    with handed.sources.get(media_type="message/rfc822").file.open("rb") as file:
        copy = submit_by_api(workflow=workflow, by=by, number=1, content=file.read())
    assert copy.state == "skipped", "the same content came in before"
    around(item=handed, by=by)
    return [handed, turned_down, copy]


def around(*, item: Item, by: Any) -> None:
    """What people and libraries leave beside it."""
    client = Client()
    client.force_login(by, backend="config.backends.PasswordBackend")
    for source in item.sources.filter(media_type="application/pdf"):
        shown = client.get(f"/admin/workflows/item/{item.pk}/sources/{source.pk}/pages/1/1000/")
        assert shown.status_code == 200, shown.content[:300]
    assert (
        client.post("/admin/workflows/registerentry/export/?q=zilvinas-quokka", {"format": "csv"}).status_code
        == 200
    )
    kind = ContentType.objects.get_for_model(Item)
    LogEntry.objects.create(
        user=by, content_type=kind, object_id=str(item.pk), object_repr=item.title, action_flag=CHANGE,
        change_message=f"Changed the title to {CANARY}",
    )  # fmt: skip
    session = SessionStore()
    session["_messages"] = f"{item.title}: approved. " * 20
    session.save()
    Task.objects.create(
        id=uuid.uuid4().hex, name="work", func="workflows.tasks.work", started=timezone.now(), stopped=timezone.now(),
        success=False, result=f"Traceback: ValueError: {CANARY} is no number",
    )  # fmt: skip
    async_task("workflows.tasks.work")
    Try.objects.create(
        version=item.workflow.version, by=by, text=LINES, result={"fields": [{"value": CANARY}]}, said=CANARY,
        started_at=timezone.now(), ended_at=timezone.now(),
    )  # fmt: skip
    with item.sources.get(media_type="message/rfc822").file.open("rb") as file:
        sent = file.read()
    rows = f"- name: {CANARY} case\n  input: {CANARY}.eml\n  values: {{name: {CANARY}}}\n"
    import_cases(workflow=item.workflow, text=rows, format="yaml", by=by, find=lambda _: sent)
    case = Case.objects.get(name=f"{CANARY} case")
    evaluation = Evaluation.objects.create(version=item.workflow.version, by=by, total=1, done=1)
    CaseResult.objects.create(
        evaluation=evaluation, case=case, outcome="ok", values={"name": CANARY}, error=f"{CANARY} misread", right=1, due=1,
        fields=[{"key": "name", "drafted": CANARY, "gold": CANARY, "right": True}], input_hash="h",
    )  # fmt: skip
    Label.objects.create(workflow=item.workflow, item=item, key="name", value=CANARY, origin="blind", by=by)


def fresh(item: Item) -> Item:
    return Item.objects.select_related("workflow", "version").get(pk=item.pk)


def in_database() -> list[str]:
    """Where the word, or its JSON or hexadecimal writing, stands in the database: files of SQLite, or every table."""
    if connection.vendor == "sqlite":
        name = Path(str(connection.settings_dict["NAME"]))
        files = [name, name.with_name(f"{name.name}-wal"), name.with_name(f"{name.name}-journal")]
        return [file.name for file in files if file.exists() and _has(file.read_bytes())]
    found = []
    chosen = connection.get_connection_params()
    with psycopg.connect(
        dbname=chosen["dbname"], user=chosen.get("user"), password=chosen.get("password"), host=chosen.get("host"), port=chosen.get("port"),
    ) as own, own.cursor() as cursor:  # fmt: skip
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            with cursor.copy(f'COPY "{table}" TO STDOUT') as copied:
                if _has(b"".join(bytes(part) for part in copied)):
                    found.append(table)
    return found


def in_folders(*folders: Path) -> list[str]:
    """Files that hold the word, or are named by it; the content of a PDF is packed, so each file that is left is told."""
    return [str(file) for folder in folders for file in folder.rglob("*") if file.is_file()]


def in_mails(folder: Path) -> list[str]:
    return [file.name for file in folder.glob("*") if _has(file.read_bytes())]


def _has(content: bytes) -> bool:
    return bool(re.search(b"zilvinas|quokkad", content, re.IGNORECASE))


def media() -> Path:
    return Path(os.fspath(settings.MEDIA_ROOT))


__all__ = [
    "CANARY",
    "Delivery",
    "fresh",
    "in_database",
    "in_folders",
    "in_mails",
    "letter",
    "live",
    "media",
    "submit_by_api",
]
