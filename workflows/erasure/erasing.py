"""Erase the content of items: rows first, in one transaction with the record of it, then what no transaction covers.

The other way round, an erasure that is refused in the end would have lost files already. The record names the files that
are left to do, so whoever is killed in between leaves nothing behind that the next tick does not finish.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import batched
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from workflows import audit
from workflows.access import Action, may, visible
from workflows.erasure.beyond import beyond_of
from workflows.erasure.files import let_go
from workflows.erasure.holds import checked_reason, holds_of
from workflows.erasure.registry import Batch, call_afterwards, parts
from workflows.errors import InvalidInput, NotPermitted
from workflows.models import CaseSource, Delivery, Erasure, Item, LegalHold, RegisterEntry, Source, Workflow
from workflows.people import system_user
from workflows.states import CLOSED, State
from workflows.transitions import move_locked

log = logging.getLogger("countersign.erase")

AT_ONCE = 50  # items of one transaction
SHORTEST = 4  # letters of a title that a reason may not repeat
OPEN = (Delivery.State.WAITING, Delivery.State.SENDING)


@dataclass(frozen=True, slots=True)
class Beside:
    """What was found by itself, not through an item: ids, by workflow."""

    cases: frozenset[int] = frozenset()
    tries: frozenset[int] = frozenset()
    exports: frozenset[int] = frozenset()
    not_reached: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.cases or self.tries or self.exports)


@dataclass(slots=True)
class Erased:
    records: list[Erasure] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)  # by item, why it was left as it is

    @property
    def items(self) -> int:
        return sum(record.items for record in self.records)


def erase(
    *,
    items: Iterable[int],
    by: Any,
    reason: str,
    kind: Erasure.Kind = Erasure.Kind.ITEM,
    beside: dict[int, Beside] | None = None,
    unspoken: Collection[str] = (),
) -> Erased:
    """Erase the content of these items (their ids); `by` None is the command line or the tick, which may do it everywhere.

    Each item is refused by itself, in words; what was erased before is left alone. `unspoken` are words that the reason
    must not repeat, for the reason stays. Raises NotPermitted or InvalidInput, and nothing was erased.
    """
    reason = checked_reason(reason, what="it is erased")
    beside = beside or {}
    rows = Item.objects.filter(pk__in=set(items), erased_at=None)
    if by is not None:
        _check_permitted(rows=rows, beside=beside, by=by)
    titles = {
        text for pair in rows.values_list("title", "external_id") for text in pair if len(text) >= SHORTEST
    }
    _check_unspoken(reason=reason, words={*unspoken, *(titles if kind != Erasure.Kind.RETENTION else ())})
    hashes, contents = _content_of(_not_refused(rows))
    batch = Batch(workflow_id=0, items=(), hashes=hashes, contents=contents, by=by)
    request, done = uuid.uuid4(), Erased()
    by_workflow: dict[int, list[int]] = {pk: [] for pk in beside if beside[pk]}
    for pk, workflow_id in rows.order_by("workflow", "pk").values_list("pk", "workflow"):
        by_workflow.setdefault(workflow_id, []).append(pk)
    for workflow_id, pks in by_workflow.items():
        for number, chunk in enumerate(batched(pks, AT_ONCE) if pks else [()]):
            extra = beside.get(workflow_id, Beside()) if number == 0 else Beside()
            _erase_together(
                pks=list(chunk), done=done, extra=extra, batch=replace(batch, workflow_id=workflow_id),
                record=Erasure(workflow_id=workflow_id, request=request, kind=kind, by=by, reason=reason),
            )  # fmt: skip
    return done


def _check_permitted(*, rows: Any, beside: dict[int, Beside], by: Any) -> None:
    allowed = visible(by, rows, Action.MANAGE).count() == rows.count()
    workflows = Workflow.objects.filter(pk__in=[pk for pk in beside if beside[pk]])
    if not allowed or not all(may(by, Action.MANAGE, one) for one in workflows):
        raise NotPermitted(
            "You may not erase items of this workflow. Nothing was erased. Ask whoever manages its access."
        )


def _check_unspoken(*, reason: str, words: Collection[str]) -> None:
    if any(word.casefold() in reason.casefold() for word in words):
        raise InvalidInput(
            "The reason repeats what is to be erased, and the reason stays. Nothing was erased. Say it without names, "
            "for example “request of 12 March”.",
            problems={"reason": "Say it without names."},
        )


def _not_refused(rows: Iterable[Item]) -> list[int]:
    """What has the same content as an item that is held goes with another of them, not with that one."""
    by_workflow: dict[int, list[Item]] = {}
    for row in rows:
        by_workflow.setdefault(row.workflow_id, []).append(row)
    refused = {pk for key, some in by_workflow.items() for pk in refusals(items=some, workflow_id=key)}
    return [row.pk for some in by_workflow.values() for row in some if row.pk not in refused]


def _content_of(pks: Collection[int]) -> tuple[frozenset[str], frozenset[str]]:
    hashes = Source.objects.filter(item__in=pks).values_list("sha256", flat=True)
    contents = Item.objects.filter(pk__in=pks).exclude(content_hash="").values_list("content_hash", flat=True)
    return frozenset(hashes), frozenset(contents)


def _erase_together(*, pks: list[int], batch: Batch, extra: Beside, record: Erasure, done: Erased) -> None:
    with transaction.atomic():
        rows = list(
            Item.objects.select_for_update(of=("self",))
            .select_related("workflow")
            .filter(pk__in=pks, erased_at=None)
            .order_by("pk")
        )
        # After the items, as everywhere; a hold that is being placed comes before or after this, not in between.
        Workflow.objects.select_for_update(no_key=True).only("pk").get(pk=batch.workflow_id)
        refused = refusals(items=rows, workflow_id=batch.workflow_id)
        rows = [row for row in rows if row.pk not in refused]
        if hold := _hold_of_all(batch.workflow_id) if extra else None:
            extra = Beside()
            log.info(
                "Workflow %s is held (%s): nothing beside its items was erased.", batch.workflow_id, hold.pk
            )
        done.refused.update(refused)
        if not rows and not extra:
            return
        for row in rows:
            if row.state not in CLOSED:
                move_locked(
                    row=row, to=State.SKIPPED, by=batch.by or system_user(), why="Its content is erased", lease=None,
                    lease_until=None,
                )  # fmt: skip
        batch = _with_rows(batch=batch, rows=rows, extra=extra)
        record.at, record.items = timezone.now(), len(rows)
        record.files_left = _files_of(batch)
        record.not_reached = [*beyond_of(items=batch.items, by=batch.by), *extra.not_reached]
        record.save(force_insert=True)
        record.erased = _erase_parts(replace(batch, erasure=record))
        record.save(update_fields=["erased"])
        audit.record(
            kind=audit.Kind.ERASED, by=batch.by or system_user(), workflow=Workflow.objects.get(pk=batch.workflow_id),
            facts={
                "erasure": record.pk, "kind": str(record.kind), "items": list(batch.public_ids), "erased": record.erased,
            },
            content={"reason": record.reason},
        )  # fmt: skip
        done.records.append(record)
        transaction.on_commit(partial(finish, record=record), robust=True)


def _hold_of_all(workflow_id: int) -> LegalHold | None:
    return LegalHold.objects.filter(workflow=workflow_id, item=None, released_at=None).first()


def _with_rows(*, batch: Batch, rows: list[Item], extra: Beside) -> Batch:
    pks = [row.pk for row in rows]
    told = RegisterEntry.objects.filter(item__in=pks).values_list("words", flat=True)
    words = [
        *(row.title for row in rows),
        *(row.external_id for row in rows),
        *(str(row.values or "") for row in rows),
        *told,
    ]
    return replace(
        batch, items=tuple(pks), public_ids=tuple(str(row.public_id) for row in rows), titles=tuple(row.title for row in rows),
        words="\n".join(words).casefold(), since=min((row.created_at for row in rows), default=None),
        cases=extra.cases, tries=extra.tries, exports=extra.exports,
    )  # fmt: skip


def _files_of(batch: Batch) -> list[str]:
    """Of the items and of the cases that go with them: named before their rows are gone."""
    held = {*Source.objects.filter(item__in=batch.items).values_list("file", flat=True)}
    of_cases = CaseSource.objects.filter(case__workflow=batch.workflow_id)
    held |= {*of_cases.filter(case__in=batch.cases).values_list("file", flat=True)}
    held |= {*of_cases.filter(case__content_hash__in=batch.contents).values_list("file", flat=True)}
    same = of_cases.filter(sha256__in=batch.hashes).values("case")
    held |= {*of_cases.filter(case__in=same).values_list("file", flat=True)}
    return sorted(held)


def _erase_parts(batch: Batch) -> dict[str, int]:
    if connection.vendor == "sqlite":
        with (
            connection.cursor() as cursor
        ):  # what is freed from here on is overwritten; see `scrubbing` for the rest
            cursor.execute("PRAGMA secure_delete = ON")
    counts = {part.name: part.erase(batch) for part in parts()}
    return {name: count for name, count in counts.items() if count}


def refusals(*, items: Collection[Item], workflow_id: int) -> dict[int, str]:
    """Why an item cannot be erased now, in words: it is held, or work on it is under way."""
    pks = [item.pk for item in items]
    holds = holds_of(items=pks, workflow_id=workflow_id)
    going = set(Delivery.objects.filter(item__in=pks, state__in=OPEN).values_list("item", flat=True))
    now, found = timezone.now(), {}
    for item in items:
        if (hold := holds.get(item.pk)) is not None:
            found[item.pk] = told_hold(item=item, hold=hold)
        elif item.lease_until is not None and item.lease_until > now:
            found[item.pk] = (
                f"“{item.title}” is being drafted at this moment. It was not erased. Try again in a minute."
            )
        elif item.pk in going or item.state == State.APPROVED:
            found[item.pk] = (
                f"“{item.title}” is on its way to a destination. It was not erased. Wait until it has arrived, or take the "
                "approval back."
            )
    return found


def told_hold(*, item: Item, hold: LegalHold) -> str:
    what = f"“{item.title}” is" if hold.item_id else "The whole workflow is"
    return (
        f"{what} held since {timezone.localtime(hold.at):%-d %b %Y} by {hold.by.get_username()}: {hold.reason}. "
        "Nothing of it was erased. Release the hold first."
    )


def count_parts(*, items: Collection[int], workflow_id: int, extra: Beside | None = None) -> dict[str, int]:
    """What would be erased, by kind. Nothing is changed."""
    rows = list(Item.objects.filter(pk__in=items, workflow=workflow_id, erased_at=None))
    hashes, contents = _content_of([row.pk for row in rows])
    batch = Batch(workflow_id=workflow_id, items=(), hashes=hashes, contents=contents)
    batch = _with_rows(batch=batch, rows=rows, extra=extra or Beside())
    counts = {part.name: part.count(batch) for part in parts()}
    return {name: count for name, count in counts.items() if count}


# What comes after the rows


def finish(*, record: Erasure) -> bool:
    """Files, pictures, mails: idempotent, so that it may be taken up again. Whether nothing is left."""
    items = list(Item.objects.filter(erasure=record.pk).values_list("pk", flat=True))
    call_afterwards(items)
    left = let_go(record.files_left)
    ended = None if left else timezone.now()
    Erasure.objects.filter(pk=record.pk).update(files_left=left, ended_at=ended)
    record.files_left, record.ended_at = left, ended
    return not left


def finish_all() -> int:
    """What a process that was killed left half done, and files that were being stored again at the time."""
    done = 0
    for record in Erasure.objects.filter(ended_at=None).order_by("pk")[:AT_ONCE]:
        done += finish(record=record)
    return done
