"""Try a version on a pasted text: through the one door to the model, and stored as nothing but the try.

The row is the truth and the queue a wake-up, as for items: an embedded model takes 20 to 60 seconds for a draft, and
a web request that waits for it would hold one of few threads. Tries run one after the other in one slot, so that they
leave workers free for the work itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from integrations.llm.answers import Answer, Request
from integrations.llm.deployment import Deployment
from integrations.llm.door import ask
from integrations.llm.outcomes import NEXT_STEPS, Outcome
from integrations.llm.profiles import Profile, resolve_profile
from workflows.access import Action, may, visible
from workflows.asking import ask_about, draft_of
from workflows.attention import HAPPENED
from workflows.budgets import budget_of, is_limited, problem_of
from workflows.drafting.documents import PageText
from workflows.drafting.draft import Draft, FieldDraft
from workflows.drafting.prompt import TooLong
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.metering import Meter
from workflows.models import Try, Version, Workflow
from workflows.money import Refusal, own_prices
from workflows.routing import FieldReading, route
from workflows.storable import storable, storable_json
from workflows.version_rows import problems_of
from workflows.versions import Snapshot, read_version
from workflows.waking import wake

log = logging.getLogger("countersign.work")

SLOT = "tries"
TASK = "workflows.tasks.try_versions"
TRY_SECONDS = 180.0  # for the whole of it; a person waits
MOST_CHARACTERS = 20_000
AWAY = "No model answers at the moment. Nothing was spent. Try again once the model is running."
NEXT = {
    Outcome.UNAVAILABLE: "Try again once the model server answers.", Outcome.RATE_LIMITED: "Try again later.",
    Outcome.TIMEOUT: "Try a shorter text, or allow more time under “Times and limits of a call”.",
    Outcome.TRUNCATED: "Allow a longer answer under “Times and limits of a call”.",
}  # fmt: skip
FAILED = "Countersign itself failed on it; the log says how. Nothing was kept of it. Tell whoever runs this installation."
STOPPED = "The worker stopped before the answer came. Nothing was kept of it. Try again."


def begin_try(*, version: Version, by: Any, text: str) -> Try:
    """Have the version tried soon. One at a time for each person; what came of their earlier ones is cleared."""
    if not may(by, Action.MANAGE, version):
        raise NotPermitted("You may not try versions of this workflow. Ask whoever manages its access.")
    text = storable(text).strip()
    if not text:
        raise InvalidInput("Paste a text to try it on. The model was not called.")
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput(
            f"The text has more than {MOST_CHARACTERS:,} characters. The model was not called. Paste a shorter one."
        )
    if problems := problems_of(version):
        raise InvalidInput(f"Version {version.number} cannot be tried yet. {' '.join(problems)}")
    try:
        with transaction.atomic():
            Try.objects.filter(by=by).exclude(ended_at=None).update(text="", result=None, said="")
            row = Try.objects.create(version=version, by=by, text=text)
            wake(task=TASK)
    except IntegrityError:
        raise Conflict(
            "You are trying a version already. Nothing new was begun. Wait for it, then try again."
        ) from None
    return row


def latest_try(*, version: Version, by: Any) -> Try | None:
    """Of this person and this version. What others pasted is theirs."""
    return visible(by, Try.objects.filter(version=version, by_id=by.pk)).first()


def is_try_due() -> bool:
    return Try.objects.filter(ended_at=None).exists()


def run_tries(*, deployment: Deployment | None, beat: Callable[[], object] = lambda: None) -> int:
    """Those that wait, one after the other. Call it while holding the slot, which `beat` keeps; None: there is no model."""
    # Whoever began these held the slot before us and is gone.
    Try.objects.filter(ended_at=None).exclude(started_at=None).update(
        ended_at=timezone.now(), outcome=Outcome.UNAVAILABLE, said=STOPPED
    )
    done = 0
    while (
        row := Try.objects.filter(ended_at=None).select_related("version__workflow").order_by("pk").first()
    ) is not None:
        Try.objects.filter(pk=row.pk, ended_at=None).update(started_at=timezone.now())
        row.refresh_from_db(fields=["started_at"])
        if deployment is None or (deployment.is_ready and not deployment.is_ready()):
            _end(row, outcome=Outcome.UNAVAILABLE, said=AWAY)
        else:
            try:
                _run(row=row, deployment=deployment, beat=beat)
            except Exception:
                log.exception("Try %s failed.", row.pk)
                _end(row, outcome=Outcome.INVALID, said=FAILED)
        done += 1
    return done


def _run(*, row: Try, deployment: Deployment, beat: Callable[[], object]) -> None:
    version = read_version(pk=row.version_id)
    pages = [PageText(source=0, source_name="", number=1, text=row.text)]
    today = timezone.localdate(row.asked_at)
    try:
        asked = ask_about(version=version, pages=pages, reference_date=today)
    except TooLong as error:
        _end(row, outcome=Outcome.TOO_LONG, said=f"{error} The model was not called.")
        return
    workflow = row.version.workflow
    meter = Meter(
        workflow=workflow.pk, item=None, request=asked.request, own=own_prices(),
        budgeted=is_limited(budget_of(workflow=workflow)), local_url=deployment.local_url,
    )  # fmt: skip
    answer = async_to_sync(_ask)(
        row,
        asked.request,
        resolve_profile(profile=version.profile, deployment=deployment.profile),
        version.max_calls,
        beat,
        meter,
    )
    with transaction.atomic():
        cost = meter.finish(calls=answer.calls)
    spent = {
        "prompt_tokens": answer.totals.prompt_tokens, "completion_tokens": answer.totals.completion_tokens,
        "model": answer.model[:200], "seconds": answer.seconds, "cost": cost,
    }  # fmt: skip
    if answer.outcome is Outcome.OVER_BUDGET and meter.refusal is not None:
        _end(row, outcome=answer.outcome, said=_of_a_refusal(meter.refusal, workflow=workflow), **spent)
        return
    draft = draft_of(asked=asked, answer=answer)
    if draft is None:
        happened = HAPPENED.get(answer.outcome, ("The model gave nothing that could be used.", ""))[
            0
        ].replace(" on this item", "")
        _end(row, outcome=answer.outcome, said=f"{happened} {_of_a_try(answer)}", **spent)
        return
    _end(row, outcome=Outcome.OK, result=storable_json(_told(draft=draft, version=version)), **spent)


async def _ask(
    row: Try, request: Request, profile: Profile, most: int, beat: Callable[[], object], meter: Meter
) -> Answer:
    """The rows are asked in the thread of the caller, whose slot is kept while the model works."""

    count = partial(_count_call, row=row, most=most)

    async def before_call(asked: Profile) -> bool:
        return await sync_to_async(meter.begin)(profile=asked, count=count)

    async def keep() -> None:
        while True:
            await asyncio.sleep(settings.LEASE_SECONDS / 3)
            await sync_to_async(beat)()

    keeping = asyncio.create_task(keep())
    try:
        async with asyncio.timeout(TRY_SECONDS):
            return await ask(request=request, profile=profile, before_call=before_call)
    except TimeoutError:
        return Answer(
            outcome=Outcome.TIMEOUT, values=None, raw_text="", seconds=TRY_SECONDS, model=profile.model,
            error=f"After {TRY_SECONDS:.0f} seconds it was given up. Try a shorter text.",
        )  # fmt: skip
    finally:
        keeping.cancel()


def _of_a_try(answer: Answer) -> str:
    """The door's words are about an item that is kept and tried again; a try is neither."""
    detail = answer.error.removesuffix(NEXT_STEPS[answer.outcome]).strip()
    detail = detail.removesuffix("The text that the model gave is kept.").strip()
    return f"{detail} {NEXT.get(answer.outcome, 'Change the version, or try another text.')}".strip()


def _of_a_refusal(refusal: Refusal, *, workflow: Workflow) -> str:
    if refusal.passes:
        return "The rest of the budget is set aside for calls under way. The model was not called. Try again in a minute."
    problem = problem_of(refusal=refusal, workflow=workflow)
    next_step = (
        problem["next_step"]
        .replace(" Complete it by hand, or have", " Or have")
        .replace(", or complete it by hand", "")
    )
    return f"{problem['happened']} {problem['detail']} {next_step}"


def _count_call(*, row: Try, most: int) -> bool:
    """Counted before it is made, as for items."""
    return bool(Try.objects.filter(pk=row.pk, ended_at=None, calls__lt=most).update(calls=F("calls") + 1))


def _end(row: Try, *, outcome: Outcome, **columns: Any) -> None:
    Try.objects.filter(pk=row.pk, ended_at=None).update(outcome=outcome, ended_at=timezone.now(), **columns)


def _told(*, draft: Draft, version: Snapshot) -> dict[str, Any]:
    routed = route(
        fields=version.fields, rules=version.rules, review_bar=version.review_bar, question=draft.unclear,
        draft={
            one.key: FieldReading(value=one.value, signal=one.signal, evidence=one.evidence.status.value, problems=one.problems)
            for one in draft.fields.values()
        },
    )  # fmt: skip
    return {
        "fields": [_field(one) for one in draft.fields.values()],
        "target": routed.target,
        "reasons": [{"text": one.text, "doubtful": one.doubtful} for one in routed.reasons],
        "to_check": list(routed.to_check),
    }


def _field(one: FieldDraft) -> dict[str, Any]:
    return {
        "key": one.key, "value": one.value, "signal": one.signal, "evidence": one.evidence.as_json(),
        "problems": list(one.problems),
    }  # fmt: skip
