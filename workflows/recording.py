"""Around the call of the model: what is asked, in one transaction before it; what came of it, in another after it."""

from __future__ import annotations

import logging
import uuid
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.llm.answers import Answer, Request
from integrations.llm.outcomes import Outcome
from workflows import attention, audit
from workflows.asking import Asked, ask_about, draft_of, reference_date
from workflows.budgets import is_limited, problem_of
from workflows.drafting.prompt import TooLong
from workflows.metering import Meter
from workflows.models import MAX_ATTEMPTS, FieldResult, Item, Run, Source
from workflows.money import Refusal, own_prices, settle_lost
from workflows.people import system_user
from workflows.reading import ToRead, notes_of, pages_of, read_plain_sources
from workflows.routing import FieldReading, route
from workflows.states import State
from workflows.transitions import lock, move_locked
from workflows.versions import Snapshot, use_version

log = logging.getLogger("countersign.work")

GIVE_BACK_SECONDS = 3  # doubled each time: the model was away, and may be back
HELD_SECONDS = 10  # what other calls hold of a budget settles as soon as they end


@dataclass(slots=True)
class Prepared:
    """What one call needs, without a database."""

    item_id: int
    lease: uuid.UUID
    run_id: int
    title: str
    request: Request
    version: Snapshot
    notes: list[str]
    by: Any
    asked: Asked
    meter: Meter


def prepare(*, item_id: int, lease: uuid.UUID, by: Any = None) -> Prepared | list[ToRead] | None:
    """The call to make; or what has to be read first; or None when there is nothing to call for (the item was moved)."""
    item = Item.objects.select_related("workflow__budget").filter(pk=item_id, lease=lease).first()
    if item is None:
        return None
    by = by or system_user()
    sources = list(item.sources.all())
    to_read, just_read = read_plain_sources(sources=sources)
    if to_read:
        return to_read
    unreadable = [
        (one.name, one.unreadable) for one in sources if one.unreadable and one.kind != Source.Kind.ATTACHMENT
    ]
    if unreadable:
        _to_attention(
            item=item,
            lease=lease,
            by=by,
            why="A file could not be read",
            problem=attention.of_unreadable(sources=unreadable),
        )
        return None
    version_id = item.version_id or item.workflow.version_id
    assert version_id is not None, "a workflow that takes work has a version"
    version = use_version(pk=version_id)
    came_in = timezone.localdate(item.created_at)
    try:
        asked = ask_about(
            version=version, pages=pages_of(sources=sources, read=just_read), note=item.note,
            reference_date=reference_date(sent=[one.reading.get("sent_at", "") for one in sources], came_in=came_in),
        )  # fmt: skip
    except TooLong as error:
        problem = attention.of_outcome(outcome=Outcome.TOO_LONG, detail=str(error))
        with transaction.atomic():
            run = Run.objects.create(
                item=item,
                version_id=version_id,
                outcome=Outcome.TOO_LONG,
                error=str(error),
                ended_at=timezone.now(),
            )
            audit.record(kind=audit.Kind.RUN_RECORDED, by=by, item=item, facts=_facts_of(run=run))
            _to_attention(item=item, lease=lease, by=by, why="Too long for the model", problem=problem)
        return None
    with transaction.atomic():
        # A run that never ended is the trace of a worker that died; say so where people look.
        if item.attempts > 1:
            Run.objects.filter(item=item, outcome="").update(
                outcome=Outcome.UNAVAILABLE,
                ended_at=timezone.now(),
                error="The worker stopped before the answer came.",
            )
            settle_lost(item=item.pk)
        run = Run.objects.create(item=item, version_id=version_id, prompt=asked.request.messages)
    meter = Meter(
        workflow=item.workflow_id, item=item.pk, request=asked.request, own=own_prices(),
        budgeted=is_limited(getattr(item.workflow, "budget", None)),
    )  # fmt: skip
    return Prepared(
        item_id=item.pk, lease=lease, run_id=run.pk, title=f"{item.workflow.slug} · {item.title}",
        request=asked.request, version=version, notes=notes_of(sources=sources), by=by, asked=asked, meter=meter,
    )  # fmt: skip


def record(*, prepared: Prepared, answer: Answer, cpu_seconds: float | None = None) -> Item | None:
    """Store what the model said and move the item. None: the lease was lost, so only the run was stored."""
    run = Run(pk=prepared.run_id, item_id=prepared.item_id)
    draft = draft_of(asked=prepared.asked, answer=answer)
    with transaction.atomic():
        item = lock(item=Item(pk=prepared.item_id))
        _end_run(
            run=run, answer=answer, draft=draft.as_json() if draft else None, cpu_seconds=cpu_seconds,
            cost=prepared.meter.finish(calls=answer.calls),
        )  # fmt: skip
        audit.record(kind=audit.Kind.RUN_RECORDED, by=prepared.by, item=item, facts=_facts_of(run=run))
        if item.lease != prepared.lease or item.state != State.WORKING:
            return None
        if draft is None:
            return _after_failure(item=item, prepared=prepared, answer=answer)
        FieldResult.objects.bulk_create(
            FieldResult(
                run=run, key=one.key, value=one.value, signal=one.signal, flags=[flag.value for flag in one.flags],
                evidence=one.evidence.as_json(),
            )
            for one in draft.fields.values()
        )  # fmt: skip
        routed = route(
            fields=prepared.version.fields,
            draft={
                one.key: FieldReading(
                    value=one.value,
                    signal=one.signal,
                    evidence=one.evidence.status.value,
                    problems=one.problems,
                )
                for one in draft.fields.values()
            },
            rules=prepared.version.rules,
            review_bar=prepared.version.review_bar,
            question=draft.unclear,
            notes=prepared.notes,
        )
        to = State(routed.target)
        return move_locked(
            row=item, to=to, by=prepared.by, why=f"Drafted: {routed.reasons[0].text}" if routed.reasons else "Drafted",
            values=draft.values, route=routed.as_json(), signal=routed.signal, problem=None, lease=None, lease_until=None,
            attempts=0,
        )  # fmt: skip


def _end_run(
    *, run: Run, answer: Answer, draft: dict[str, Any] | None, cpu_seconds: float | None, cost: Decimal | None
) -> None:  # fmt: skip
    run.outcome = answer.outcome.value
    run.model, run.profile = answer.model[:200], answer.profile[:80]
    run.raw_text, run.draft, run.error = answer.raw_text.replace("\x00", ""), draft, answer.error
    run.calls = [_call_as_json(call) for call in answer.calls]
    run.prompt_tokens, run.completion_tokens = answer.totals.prompt_tokens, answer.totals.completion_tokens
    run.seconds, run.cpu_seconds = answer.seconds, cpu_seconds
    run.cost = cost
    run.ended_at = timezone.now()
    run.save(update_fields=[
        "outcome", "model", "profile", "raw_text", "draft", "error", "calls", "prompt_tokens", "completion_tokens",
        "seconds", "cpu_seconds", "cost", "ended_at",
    ])  # fmt: skip


def _facts_of(*, run: Run) -> dict[str, Any]:
    return {
        "run": run.pk, "outcome": run.outcome, "model": run.model, "calls": len(run.calls), "prompt_tokens": run.prompt_tokens,
        "completion_tokens": run.completion_tokens, "cost": run.cost,
    }  # fmt: skip


def _call_as_json(call: Any) -> dict[str, Any]:
    return {**asdict(call), "outcome": str(call.outcome), "raw_text": call.raw_text.replace("\x00", "")}


def _after_failure(*, item: Item, prepared: Prepared, answer: Answer) -> Item:
    outcome, detail = answer.outcome, answer.error
    if outcome is Outcome.OVER_BUDGET and prepared.meter.refusal is not None:
        return _after_refusal(item=item, prepared=prepared, refusal=prepared.meter.refusal, answer=answer)
    if outcome is Outcome.OVER_BUDGET:
        # The ceiling ended it, but what is wrong is what the last call met.
        if answer.calls:
            outcome = Outcome(answer.calls[-1].outcome)
        else:
            last = (
                Run.objects.filter(item=item)
                # Not an answer either that came after its lease was lost.
                .exclude(outcome__in=("", Outcome.OVER_BUDGET, Outcome.OK))
                .exclude(pk=prepared.run_id)
                .first()
            )
            outcome = Outcome(last.outcome) if last else outcome
            detail = last.error if last else detail
    # At the last lease that is left it is told as what it is: the next one would blame the worker.
    if (
        answer.outcome is Outcome.UNAVAILABLE
        and item.calls < prepared.version.max_calls
        and item.attempts < MAX_ATTEMPTS
    ):
        wait = GIVE_BACK_SECONDS * 2 ** max(0, item.attempts - 1)
        return move_locked(
            row=item, to=State.RECEIVED, by=prepared.by, why="The model was away; it is tried again",
            not_before=timezone.now() + timedelta(seconds=wait), lease=None, lease_until=None,
        )  # fmt: skip
    if outcome is Outcome.OVER_BUDGET:
        problem = attention.of_calls_spent(calls=item.calls)
    else:
        problem = attention.of_outcome(outcome=outcome, detail=detail)
    return _attend(row=item, by=prepared.by, why=problem["happened"], problem=problem)


def _after_refusal(*, item: Item, prepared: Prepared, refusal: Refusal, answer: Answer) -> Item:
    """The call was not made for want of money; it was not counted either."""
    if refusal.passes:
        if not answer.calls:
            Run.objects.filter(
                pk=prepared.run_id
            ).delete()  # nothing was asked: there would be one every few seconds
        return move_locked(
            row=item, to=State.RECEIVED, by=prepared.by, why="The rest of the budget is set aside for calls under way",
            not_before=timezone.now() + timedelta(seconds=HELD_SECONDS), lease=None, lease_until=None,
            attempts=max(0, item.attempts - 1),
        )  # fmt: skip
    problem = problem_of(refusal=refusal, workflow=item.workflow, called=bool(answer.calls))
    return _attend(row=item, by=prepared.by, why=problem["happened"], problem=problem)


def _attend(*, row: Item, by: Any, why: str, problem: dict[str, Any]) -> Item:
    return move_locked(
        row=row, to=State.ATTENTION, by=by, why=why, problem=problem, lease=None, lease_until=None, attempts=0
    )


def _to_attention(*, item: Item, lease: uuid.UUID, by: Any, why: str, problem: dict[str, Any]) -> None:
    with transaction.atomic():
        row = lock(item=item)
        if row.lease != lease or row.state != State.WORKING:
            return
        _attend(row=row, by=by, why=why, problem=problem)


def give_up(*, item_id: int, lease: uuid.UUID, error: BaseException) -> None:
    """A fault of ours: the item goes to a person instead of round and round."""
    item = Item.objects.filter(pk=item_id, lease=lease).first()
    if item is not None:
        _to_attention(
            item=item,
            lease=lease,
            by=system_user(),
            why="Countersign failed on it",
            problem=attention.of_our_error(error=error),
        )
        settle_lost(item=item_id)
