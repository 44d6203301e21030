from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from tests.factories import SENIOR, make_item, make_user, make_workflow
from tests.workflows.audit.chains import lifted, make_chain
from workflows.audit import Entry, record, record_many
from workflows.audit.triggers import check_triggers, make_triggers, missing_triggers
from workflows.audit.verifying import verify_log
from workflows.models import AuditContent, AuditEvent, AuditHead, Workflow

pytestmark = pytest.mark.django_db(transaction=True)


def kinds() -> list[str]:
    return list(
        AuditEvent.objects.filter(kind__startswith="test.")
        .order_by("sequence")
        .values_list("kind", flat=True)
    )


def test_an_event_is_written_with_its_transaction_and_chained_to_the_one_before() -> None:
    item = make_item(workflow=make_workflow())
    by = make_user("anna")
    with transaction.atomic():
        record(kind="test.one", by=by, item=item, facts={"count": 1})
        assert kinds() == []
    event, before = AuditEvent.objects.all()[:2]
    assert (event.kind, event.actor, event.actor_id) == ("test.one", "anna", by.pk)
    assert (event.item, event.workflow_id, event.workflow_slug) == (
        item.public_id,
        item.workflow_id,
        item.workflow.slug,
    )
    assert event.facts == {"count": 1}
    assert event.previous == before.hash
    assert AuditHead.objects.get().sequence == event.sequence
    assert verify_log().whole


def test_what_is_rolled_back_leaves_no_event_and_no_gap() -> None:
    record(kind="test.before", by=None)
    with pytest.raises(ZeroDivisionError):
        _record_and_fail("test.rolled_back")
    with transaction.atomic():
        record(kind="test.outer", by=None)
        with pytest.raises(ZeroDivisionError):
            _record_and_fail("test.inner")
        with transaction.atomic():
            record(kind="test.kept", by=None)
    assert kinds() == ["test.before", "test.outer", "test.kept"]
    sequences = list(AuditEvent.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
    assert verify_log().whole


def _record_and_fail(kind: str) -> None:
    with transaction.atomic():
        record(kind=kind, by=None)
        raise ZeroDivisionError


def test_when_the_event_cannot_be_written_nothing_of_the_transaction_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workflow = make_workflow(name="As it was")

    def full(*_: Any, **__: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr("workflows.audit.recording.hold_head", full)
    with pytest.raises(OSError, match="no room"):
        _rename_and_record(workflow)
    monkeypatch.undo()
    workflow.refresh_from_db()
    assert workflow.name == "As it was"
    record(kind="test.two", by=None)  # the connection is as good as new
    assert kinds() == ["test.two"]
    assert verify_log().whole


def _rename_and_record(workflow: Workflow) -> None:
    with transaction.atomic():
        workflow.name = "Changed"
        workflow.save()
        record(kind="test.one", by=None)


def test_what_is_personal_stands_beside_the_event_and_not_in_it() -> None:
    item = make_item(workflow=make_workflow())
    by = make_user(can=SENIOR, on=item.workflow)
    record(kind="test.one", by=by, item=item, content={"reason": "CANARY", "before": {"name": "CANARY"}})
    event = AuditEvent.objects.get(kind="test.one")
    assert "CANARY" not in json.dumps({name: str(value) for name, value in event.__dict__.items()})
    content = AuditContent.objects.get(event_sequence=event.sequence)
    assert content.body == {"reason": "CANARY", "before": {"name": "CANARY"}}
    assert (content.item_id, content.person_id) == (item.pk, by.pk)
    assert len(content.salt) == 64
    content.delete()
    verdict = verify_log()
    assert verdict.whole
    assert "was erased" in verdict.words


def test_numbers_and_letters_come_back_from_the_database_as_they_were_hashed() -> None:
    facts = {
        "float": 1e22, "small": 1e-7, "one": 1.0, "money": Decimal("12.50"), "large": 2**62, "text": "ä漢\x00\ud800 “", "none": None,
        "z": 1, "a": {"y": [True, False]}, "": 0,
    }  # fmt: skip
    record(kind="test.one", by=None, facts=facts, content=facts)
    assert AuditEvent.objects.get(kind="test.one").facts["money"] == "12.50"
    verdict = verify_log()
    assert verdict.whole, verdict.words


def test_a_batch_takes_one_lock_and_one_insert() -> None:
    record(kind="test.first", by=None)

    def statements(count: int) -> int:
        entries = [Entry(kind="test.many", by=None, facts={"n": n}, content={"n": "x"}) for n in range(count)]
        with CaptureQueries() as asked:
            record_many(entries)
        return len(asked)

    assert statements(2) == statements(40) <= 7


def CaptureQueries() -> Any:
    from django.test.utils import CaptureQueriesContext

    return CaptureQueriesContext(connection)


@pytest.mark.parametrize("how", ["update", "delete", "replace", "truncate"])
def test_the_database_refuses_to_change_an_event(how: str) -> None:
    make_chain(events=3)
    table = "workflows_auditevent"
    statement = {
        "update": f"UPDATE {table} SET actor = 'mallory' WHERE sequence = 2",
        "delete": f"DELETE FROM {table} WHERE sequence = 2",
        "replace": f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE sequence = 2",
        "truncate": f"TRUNCATE {table}",
    }[how]
    if how == ("truncate" if connection.vendor == "sqlite" else "replace"):
        pytest.skip("not a statement of this database")
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        AuditEvent.objects.filter(sequence=2).update(sequence=F("sequence") + 100)
    assert verify_log().whole


def test_missing_triggers_are_demanded_and_a_migration_makes_them_again() -> None:
    assert check_triggers(databases=["default"]) == []
    with lifted():
        (error,) = check_triggers(databases=["default"])
        assert error.id == "countersign.E001"
        assert "migrate --skip-checks" in (error.hint or "")
        assert not verify_log().whole
        make_triggers(using="default")
        assert missing_triggers() == []


def test_a_trigger_of_the_same_name_that_does_nothing_is_none() -> None:
    if connection.vendor == "sqlite":
        changed = (
            "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON workflows_auditevent BEGIN SELECT 1; END"
        )
        undo = "DROP TRIGGER audit_event_no_update"
    else:
        changed = "ALTER TABLE workflows_auditevent DISABLE TRIGGER audit_event_no_change"
        undo = ""
    with connection.cursor() as cursor:
        if undo:
            cursor.execute(undo)
        cursor.execute(changed)
    assert len(missing_triggers()) == 1
    make_triggers(using="default")
    assert missing_triggers() == []


def test_where_the_row_of_the_end_is_gone_the_chain_goes_on_and_verification_tells() -> None:
    make_chain(events=4)
    AuditHead.objects.all().delete()
    assert not verify_log().whole
    record(kind="test.after", by=None)
    assert verify_log().whole
