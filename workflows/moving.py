"""Work that came in at the wrong place, or as two in one: move an item to another workflow, split one in two.

Either makes a new item that names the old one as its origin. Nothing is copied on the disk: a source is its row and a file
that is stored once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import transaction

from workflows import audit
from workflows.access import Action, may
from workflows.decisions import (
    NEW_DRAFT,
    check_revision,
    may_decide,
    needed_reason,
    record_decision,
    refusal,
)
from workflows.errors import Conflict, InvalidInput, NotPermitted, TooLarge
from workflows.intake import Upload, check_takes_work, hash_of, store_source
from workflows.models import SUBMITTED, Decision, Delivery, Item, Page, Source, Workflow
from workflows.people import acting
from workflows.states import LABELS, TO_DECIDE, State
from workflows.storable import storable
from workflows.transitions import lock, move_locked
from workflows.waking import wake

FROM = TO_DECIDE | {State.ATTENTION}


def move_to_workflow(
    *, item: Item, workflow: Workflow, by: Any, reason: str, revision: int | None = None
) -> Item:
    """Give the work to another workflow: a new item there with the same sources, and this one closed with a link to it.

    Takes the right to decide here and to submit there. Raises NotPermitted, NotTaking, Conflict or InvalidInput, and nothing
    was changed.
    """
    with transaction.atomic():
        row = lock(item=item)
        _check(row=row, by=by, revision=revision, verb="move this item")
        reason = needed_reason(reason)
        if workflow.pk == row.workflow_id:
            raise InvalidInput(
                f"“{row.title}” is in {workflow.name} already. Choose another workflow.",
                problems={"workflow": "Choose another workflow."},
            )
        if not may(by, Action.SUBMIT, workflow):
            raise NotPermitted(
                "You may not submit items to that workflow. Nothing was changed. Ask whoever manages its access."
            )
        check_takes_work(workflow=workflow)
        sources = list(row.sources.prefetch_related("pages"))
        made = _make(
            row=row, workflow=workflow, by=by, content=row.content_hash, why=f"Moved from another workflow: {reason}",
            title=row.title, external_id=_free_external_id(row=row, workflow=workflow), metadata=row.metadata,
        )  # fmt: skip
        for source in sources:
            _copy(source=source, to=made)
        # Not which one: whoever may see it finds the link on the page, and its name may be a secret to others.
        said = f"Moved to another workflow: {reason}"
        record_decision(item=row, by=by, kind=Decision.Kind.SKIP, values=None, changed=[], reason=said[:300])
        move_locked(
            row=row, to=State.SKIPPED, by=by, why=said, lease=None, lease_until=None,
            problem={
                "happened": f"{said[:300].rstrip('.')}.",
                "kept": "This item and its files are kept.",
                "next_step": "Nothing here: the work goes on there.",
            },
        )  # fmt: skip
        return made


def split_item(
    *,
    item: Item,
    by: Any,
    sources: Collection[int] = (),
    excerpt: str = "",
    reason: str,
    revision: int | None = None,
) -> Item:
    """Make a second item of some sources of this one (their ids), of a text taken from it, or of both.

    Sources go along with what was read of them; then the first is drafted again, since it holds less than before. With a
    text alone it stays as it is. Takes the right to decide and to submit. Raises as `move_to_workflow` does.
    """
    with transaction.atomic():
        row = lock(item=item)
        _check(row=row, by=by, revision=revision, verb="split this item")
        if not may(by, Action.SUBMIT, row.workflow):
            raise NotPermitted(refusal(item=row, verb="submit items"))
        reason = needed_reason(reason)
        check_takes_work(workflow=row.workflow)
        excerpt = storable(excerpt).strip()
        going = _chosen(row=row, sources=sources, excerpt=excerpt)
        made = _make(
            row=row, workflow=row.workflow, by=by, why=f"Split from “{row.title}”: {reason}", title=_second_title(row.title),
            content=hash_of(text=excerpt, digests=[bytes.fromhex(one.sha256) for one in going]),
        )  # fmt: skip
        if excerpt:
            text = Upload(name="", content=excerpt.encode(), media_type="text/plain")
            store_source(item=made, position=0, kind=Source.Kind.TEXT, upload=text)
        why = f"Split in two: {reason}"
        if not going:
            with acting(by=by, why=why, on=row):
                row.save(update_fields=["updated_at"])
            return made
        Source.objects.filter(pk__in=[one.pk for one in going]).update(item=made)
        record_decision(item=row, by=by, kind=Decision.Kind.BACK, values=None, changed=[], reason=why[:300])
        move_locked(
            row=row, to=State.RECEIVED, by=by, why=why, version=row.workflow.version or row.version, **NEW_DRAFT
        )  # fmt: skip
        return made


def _check(*, row: Item, by: Any, revision: int | None, verb: str) -> None:
    if not (may_decide(item=row, by=by) if row.state in TO_DECIDE else may(by, Action.REVIEW, row)):
        raise NotPermitted(refusal(item=row, verb=verb))
    check_revision(item=row, revision=revision)
    if row.state not in FROM:
        raise Conflict(
            f"“{row.title}” is {LABELS[State(row.state)].lower()} now. Nothing was changed. "
            "Only what waits for a person is moved or split."
        )
    if row.deliveries.exclude(state=Delivery.State.CANCELLED).exists():
        raise Conflict(
            f"A result of “{row.title}” was handed over, so it stays where it is. Nothing was changed. "
            "Submit the file again to have it done elsewhere too."
        )


def _chosen(*, row: Item, sources: Collection[int], excerpt: str) -> list[Source]:
    there = list(row.sources.all())
    going = [one for one in there if one.pk in sources]
    problem = ""
    if len(going) != len(set(sources)):
        problem = "One of the chosen files is no longer part of this item. Reload the page and choose again."
    elif not going and not excerpt:
        problem = "Choose what goes to the second item: files, a text, or both."
    elif len(going) == len(there):
        problem = "Leave at least one file in the first item."
    elif len(excerpt) > settings.MAX_TEXT_CHARACTERS:
        raise TooLarge(
            f"The text has {len(excerpt):,} characters; {settings.MAX_TEXT_CHARACTERS:,} can be taken. Nothing was changed."
        )
    if problem:
        raise InvalidInput(f"{problem} Nothing was changed.", problems={"sources": problem})
    return going


def _make(
    *, row: Item, workflow: Workflow, by: Any, content: str, why: str, title: str, external_id: str = "",
    metadata: dict[str, Any] | None = None,
) -> Item:  # fmt: skip
    # One after the other from here to the commit, as when work comes in: the same content is taken once.
    Workflow.objects.select_for_update(no_key=True).only("pk").get(pk=workflow.pk)
    # What was closed there was not done there, so an item can be moved back.
    same = (
        Item.objects.filter(workflow=workflow, content_hash=content)
        .exclude(pk=row.pk)
        .exclude(state=State.SKIPPED)
        .order_by("pk")
        .first()
    )
    if same is not None:
        raise Conflict(
            f"The same content is in {workflow.name} already, as “{same.title}”. Nothing was changed. "
            "Close this item instead, if it is done there."
        )
    made = Item(
        workflow=workflow, version_id=workflow.version_id, title=title[:200], channel=row.channel, submitted_by=by,
        content_hash=content, priority=SUBMITTED, origin=row, external_id=external_id, metadata=metadata or {},
    )  # fmt: skip
    with acting(by=by, why=why, on=made):
        made.save(force_insert=True)
    audit.record(
        kind=audit.Kind.ITEM_RECEIVED, by=by, item=made,
        facts={"channel": made.channel, "version": made.version_id, "origin": row.public_id},
        content={"title": made.title, "external_id": external_id, "why": why},
    )  # fmt: skip
    wake(task="workflows.tasks.work")
    return made


def _free_external_id(*, row: Item, workflow: Workflow) -> str:
    taken = row.external_id and Item.objects.filter(workflow=workflow, external_id=row.external_id).exists()
    return "" if taken else row.external_id


def _copy(*, source: Source, to: Item) -> None:
    """With what was read of it. Read again, a mail would bring attachments that went to another item in a split."""
    read = source.read_at is not None and source.unreadable is None
    made = Source.objects.create(
        item=to, position=source.position, kind=source.kind, name=source.name, media_type=source.media_type,
        sha256=source.sha256, size=source.size, file=source.file.name,
        read_at=source.read_at if read else None, reading=source.reading if read else {},
    )  # fmt: skip
    if not read:
        return
    pages = [
        Page(
            source=made, number=one.number, text=one.text, width=one.width, height=one.height, pieces=one.pieces,
            method=one.method,
        )
        for one in source.pages.all()
    ]  # fmt: skip
    Page.objects.bulk_create(pages)


def _second_title(title: str) -> str:
    return f"{title[:185]} (second part)"
