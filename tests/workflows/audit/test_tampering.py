"""Whatever is changed in the log, in its order or in its anchors is found, with the first event that is not as it was."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django.utils import timezone

from tests.workflows.audit.chains import lifted, make_chain
from workflows.audit.anchoring import write_anchor
from workflows.audit.recording import HEAD, told_of
from workflows.audit.scheduled import check_recent, check_whole
from workflows.audit.verify_file import hash_of
from workflows.audit.verifying import verify_log
from workflows.models import AuditContent, AuditEvent, AuditHead

pytestmark = pytest.mark.django_db(transaction=True)
EVENTS = 14
COLUMNS = [field.attname for field in AuditEvent._meta.concrete_fields]


@pytest.fixture
def chain() -> int:
    make_chain(events=EVENTS)
    return int(AuditEvent.objects.count())


def row(sequence: int) -> Any:
    return AuditEvent.objects.filter(pk=sequence)


def another(value: Any, *, dice: random.Random) -> Any:
    """A value of the same type that is not this one."""
    match value:
        case None:
            return dice.randrange(1, 1000)
        case bool():
            return not value
        case int():
            return value + dice.choice((-1, 1, 1000))
        case str():
            place = dice.randrange(len(value) + 1)
            return (
                f"{value[:place]}x{value[place + 1 :]}"[:40]
                if value[place : place + 1] != "x"
                else f"y{value[1:]}"
            )
        case dict():
            return {**value, "number": dice.randrange(1000, 9999)}
    return value + timedelta(microseconds=dice.choice((1, 1000, 10**9)))


def test_a_change_of_any_column_of_any_row_is_found(chain: int) -> None:
    dice = random.Random("any column")
    for column in COLUMNS:
        for sequence in dice.sample(range(1, chain + 1), 5):
            (before,) = row(sequence).values()
            value = before[column]
            if column == "item":
                changed: Any = "11111111-1111-4111-8111-111111111111"
            elif column == "sequence":
                changed = dice.choice((chain + dice.randrange(1, 50), 0, -sequence))
            else:
                changed = another(value, dice=dice)
            with lifted():
                row(sequence).update(**{column: changed})
            verdict = verify_log()
            assert verdict.broken_at is not None, (sequence, column, changed)
            assert verdict.broken_at <= chain + 1
            with lifted():
                row(changed if column == "sequence" else sequence).update(**{column: value})
            assert verify_log().whole


def test_a_row_that_is_deleted_is_found(chain: int) -> None:
    for sequence in (1, chain // 2, chain):
        (before,) = row(sequence).values()
        with lifted():
            row(sequence).delete()
        assert verify_log().broken_at == sequence
        AuditEvent.objects.create(**before)
        assert verify_log().whole


def test_two_rows_that_change_places_are_found(chain: int) -> None:
    dice = random.Random(7)
    for _ in range(6):
        one, other = sorted(dice.sample(range(1, chain + 1), 2))
        a, b = row(one).values().get(), row(other).values().get()
        with lifted():
            row(one).update(**{**b, "sequence": one})
            row(other).update(**{**a, "sequence": other})
        assert verify_log().broken_at == one
        with lifted():
            row(one).update(**a)
            row(other).update(**b)
    assert verify_log().whole


def _append(*, sequence: int, previous: str) -> AuditEvent:
    event = AuditEvent(sequence=sequence, at=timezone.now(), kind="test.forged", facts={}, previous=previous)
    event.hash = hash_of(told_of(event))
    event.save(force_insert=True)
    return event


def test_a_row_that_is_appended_without_the_end_is_found(chain: int) -> None:
    _append(sequence=chain + 1, previous=AuditEvent.objects.get(pk=chain).hash)
    assert verify_log().broken_at == chain + 1


def test_the_end_moved_back_over_deleted_rows_is_found_by_the_anchor(chain: int) -> None:
    assert check_whole().whole
    last = AuditEvent.objects.get(pk=chain - 3)
    with lifted():
        AuditEvent.objects.filter(sequence__gt=last.sequence).delete()
    AuditHead.objects.filter(pk=HEAD).update(sequence=last.sequence, hash=last.hash)
    verdict = verify_log()
    assert verdict.broken_at == last.sequence + 1
    assert "cut off" in verdict.words


def test_a_chain_that_was_written_anew_from_a_row_on_is_found_by_the_anchor(chain: int) -> None:
    """Every hash is right: whoever owns the database and the code can do this. The anchor says otherwise."""
    assert check_whole().whole
    _rewrite(since=5)
    verdict = verify_log()
    assert verdict.broken_at == chain
    assert "anchored" in verdict.words
    Path(_anchors()).unlink()
    assert "gone from the anchors" in verify_log().words


def _rewrite(*, since: int) -> None:
    previous = AuditEvent.objects.get(pk=since - 1).hash
    with lifted():
        for event in AuditEvent.objects.filter(sequence__gte=since).order_by("sequence"):
            event.previous, event.actor = previous, "somebody else"
            event.hash = previous = hash_of(told_of(event))
            event.save()
    AuditHead.objects.filter(pk=HEAD).update(hash=previous)


def _anchors() -> str:
    from django.conf import settings

    return str(settings.AUDIT_ANCHORS)


def _anchor_several() -> list[bytes]:
    for sequence in (4, 9, EVENTS):
        event = AuditEvent.objects.get(pk=sequence)
        assert write_anchor(sequence=sequence, hash=event.hash)
    return Path(_anchors()).read_bytes().splitlines()


def test_a_change_of_any_anchor_is_found(chain: int) -> None:
    as_written = _anchor_several()
    assert verify_log().whole
    for place in range(len(as_written)):
        for part in ("sequence", "hash", "at", "previous", "deleted", "swapped"):
            lines = list(as_written)
            told = json.loads(lines[place])
            if part == "deleted":
                del lines[place]
            elif part == "swapped":
                lines[place], lines[place - 1] = lines[place - 1], lines[place]
            else:
                changed = (
                    told[part] + 1 if part == "sequence" else another(told[part], dice=random.Random(place))
                )
                lines[place] = json.dumps({**told, part: changed}).encode()
            Path(_anchors()).write_bytes(b"".join(line + b"\n" for line in lines))
            assert not verify_log().whole, (place, part)


def test_a_content_that_was_changed_is_found_and_one_that_was_erased_is_not_missed(chain: int) -> None:
    content = AuditContent.objects.filter(body__has_key="after").first()
    assert content is not None
    before = model_to_dict(content)
    for column, value in (("salt", "0" * 64), ("body", {"after": {"total": "1000000.00 €"}})):
        AuditContent.objects.filter(pk=content.pk).update(**{column: value})
        verdict = verify_log()
        assert verdict.broken_at == content.pk
        assert "content was changed" in verdict.words
        AuditContent.objects.filter(pk=content.pk).update(**{column: before[column]})
    content.delete()
    assert verify_log().whole


def test_the_scheduled_look_begins_where_the_last_one_ended_and_the_whole_one_finds_the_rest(
    chain: int,
) -> None:
    first = check_recent()
    assert (first.events, first.sequence) == (chain, chain)
    make_chain(events=chain + 5)
    assert check_recent().events == AuditEvent.objects.count() - chain
    with lifted():
        row(3).update(actor="mallory")
    assert check_recent().whole
    assert check_whole().broken_at == 3


def test_the_hash_of_an_event_does_not_depend_on_the_database() -> None:
    """Fixed: a change of the form would break every log there is."""
    event = AuditEvent(
        sequence=7, at=datetime(2026, 11, 22, 10, 0, 0, 5, tzinfo=UTC),
        kind="item.moved", actor_id=3, actor="änna", workflow_id=1, workflow_slug="inbound-leads",
        item="4ccf1e5c-6e3f-4f4e-9a5e-0d4bb0f0a001", facts={"to": "in_review", "from": "working", "revision": 2},
        content_digest="", previous="0" * 64,
    )  # fmt: skip
    assert hash_of(told_of(event)) == FIXED


FIXED = "e26d37b2cb6e972576b0749a51732dcd2aae5559f5337d310e19394ea4df8eff"
