"""A version over its workflow's cases, behind the page: the row is the truth, the queue a wake-up.

One evaluation at a time, in a slot, so that workers stay free for the work; within it as many calls as the deployment takes.
What is done stands in CaseResult, so a worker that is killed costs the calls in flight and nothing else: the next one goes on
with the cases that have no result.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from integrations.documents.pages import Unreadable
from integrations.documents.reader import Reader
from integrations.llm.answers import Answer, Request
from integrations.llm.clients import ClientPool
from integrations.llm.cpu import CpuShares
from integrations.llm.deployment import Deployment
from integrations.llm.door import ask
from integrations.llm.outcomes import Outcome
from integrations.llm.profiles import Profile, resolve_profile
from workflows.access import Action, may
from workflows.asking import ask_about, draft_of
from workflows.budgets import budget_of, is_limited
from workflows.drafting.prompt import TooLong
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.evaluation.inputs import Material, came_in_on, material_of, read_input
from workflows.evaluation.labels import gold_of, judge
from workflows.evaluation.stored import Stored, find_stored
from workflows.evaluation.summary import CASE_FAILED, WORKER_DIED
from workflows.metering import Meter
from workflows.models import Case, CaseResult, Evaluation, Version, Workflow
from workflows.money import Refusal, own_prices
from workflows.storable import storable, storable_json
from workflows.version_rows import problems_of
from workflows.versions import Snapshot, use_version
from workflows.waking import wake

log = logging.getLogger("countersign.work")

SLOT = "evaluations"
TASK = "workflows.tasks.evaluate"
MOST_BEGUN = 3  # times that a case is begun without a result: then it is what kills the worker
PASSING_SECONDS = 0.5  # until a case is tried again whose money other calls held
MOST_AWAY = 3  # cases one after the other for which the model could not be reached
NO_MODEL = "No model answers at the moment. Begin again once the model is running."
GONE = (
    "The model could not be reached for {} cases one after the other, so the rest was left. What is done is kept. "
    "Begin again once the model answers: what it said is not asked again."
)
UNPAID = (
    "The model was not called any more: {}. The rest was left and what is done is kept. Raise the budget or wait until it opens "
    "again, then begin again: what was said is not asked again."
)
FAILED = "Countersign itself failed on it; the log says how. What is done is kept. Tell whoever runs this installation."
KILLED = WORKER_DIED + (
    "{} times while it worked on this case, so it is not asked again. Look at what its files are, and tell whoever runs "
    "this installation."
)
STOPPED = "{} stopped it. What is done is kept. To go on, run an evaluation of the version again: what the model said is not asked again."
NO_COPY = "No other case has the same content, so it would be drafted and not skipped."
NO_CASES = "{} has no cases yet, so there is nothing to run. Nothing was begun. Import some under “Cases”."


def begin_evaluation(*, version: Version, by: Any) -> Evaluation:
    """Have the version run over all active cases soon. It stays as it is from now on. `by` None is the command line."""
    if by is not None and not may(by, Action.MANAGE, version):
        raise NotPermitted("You may not run evaluations of this workflow. Ask whoever manages its access.")
    if problems := problems_of(version):
        raise InvalidInput(f"Version {version.number} cannot be evaluated yet. {' '.join(problems)}")
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update().get(pk=version.workflow_id)
        total = workflow.cases.filter(active=True).count()
        if not total:
            raise InvalidInput(NO_CASES.format(workflow.name))
        if Evaluation.objects.filter(version=version, ended_at=None).exists():
            raise Conflict(
                f"An evaluation of version {version.number} is under way. Nothing new was begun. Wait for it to end."
            )
        # What it is measured on must stay what it says.
        Version.objects.filter(pk=version.pk, used_at=None).update(used_at=timezone.now())
        row = Evaluation.objects.create(version=version, by=by, total=total)
        wake(task=TASK)
    return row


def stop_evaluation(*, evaluation: Evaluation, by: Any) -> Evaluation:
    """What was done is kept; what is in flight is not waited for, and an answer that still comes is not kept."""
    if not may(by, Action.MANAGE, evaluation):
        raise NotPermitted("You may not stop evaluations of this workflow. Ask whoever manages its access.")
    with transaction.atomic():
        row = Evaluation.objects.select_for_update().get(pk=evaluation.pk)
        if row.ended_at is not None:
            raise Conflict("This evaluation has ended already. Nothing was changed.")
        _end(row, said=STOPPED.format(by.get_username())[:300])
        row.refresh_from_db()
    return row


def is_evaluation_due() -> bool:
    return Evaluation.objects.filter(ended_at=None).exists()


def run_evaluations(
    *, deployment: Deployment | None, beat: Callable[[], bool] = lambda: True, most_seconds: float | None = None,
    only: int | None = None, tell: Callable[[CaseResult], object] = lambda _: None,
) -> int:  # fmt: skip
    """Those that wait, one after the other; the number of cases done. Call it while holding the slot, which `beat` keeps.

    No case is begun after `most_seconds`: what is left is taken up by the next call.
    """
    deadline = None if most_seconds is None else time.monotonic() + most_seconds
    done = 0
    waiting = Evaluation.objects.filter(ended_at=None).select_related("version__workflow").order_by("pk")
    for row in waiting if only is None else waiting.filter(pk=only):
        if deadline is not None and time.monotonic() >= deadline:
            break
        Evaluation.objects.filter(pk=row.pk, started_at=None).update(started_at=timezone.now())
        if deployment is None:
            _end(row, said=NO_MODEL)
            continue
        evaluating = _Evaluating(row=row, deployment=deployment, beat=beat, deadline=deadline, tell=tell)
        try:
            async_to_sync(evaluating.run)()
        except Exception:
            log.exception("Evaluation %s failed.", row.pk)
            _end(row, said=FAILED)
        done += evaluating.done
        if not evaluating.has_slot:
            break
    return done


class _Later(Exception):
    """Only what calls under way hold is in the way of its money: nothing was measured, and it is asked again soon."""


class _Evaluating:
    """Rows are asked in the thread of the caller, files and texts are read in another, and the loop waits for neither."""

    def __init__(
        self, *, row: Evaluation, deployment: Deployment, beat: Callable[[], bool], deadline: float | None,
        tell: Callable[[CaseResult], object],
    ) -> None:  # fmt: skip
        self.row, self.deployment, self.beat, self.deadline, self.tell = row, deployment, beat, deadline, tell
        self.version: Snapshot = use_version(pk=row.version_id)
        self.profile = resolve_profile(profile=self.version.profile, deployment=deployment.profile)
        self.in_flight = settings.CALLS_IN_FLIGHT or deployment.in_flight
        self.has_slot = True
        self.away = self.done = 0
        self.stopped = False
        self.unpaid = ""  # in words, once a call was refused for want of money
        self.reader = Reader()
        self.clients = ClientPool()
        self.cpu = CpuShares(deployment.cpu_seconds)

    async def run(self) -> None:
        waiting = await sync_to_async(self._waiting)()
        keeping = asyncio.create_task(self._keep_slot())
        try:
            # What was begun before and has no result may be what killed the worker: alone, it takes no other case with it.
            suspects = [case for case in waiting if self.row.begun.get(str(case.pk))]
            await self._lane(suspects, of=waiting)
            async with asyncio.TaskGroup() as lanes:
                for _ in range(min(self.in_flight, len(waiting))):
                    lanes.create_task(self._lane(waiting))
        finally:
            keeping.cancel()
            await self.clients.aclose()
            await asyncio.to_thread(self.reader.close)
        if self.unpaid:
            await sync_to_async(_end)(self.row, said=self.unpaid[:300])
        elif self.away >= MOST_AWAY:
            await sync_to_async(_end)(self.row, said=GONE.format(self.away))
        elif self.has_slot and not waiting:
            await sync_to_async(_end)(self.row)

    def _waiting(self) -> list[Case]:
        cases = Case.objects.filter(workflow=self.row.version.workflow_id, active=True)
        return list(cases.exclude(results__evaluation=self.row).order_by("pk"))

    async def _lane(self, own: list[Case], *, of: list[Case] | None = None) -> None:
        while own and self._may_begin():
            case = own.pop(0)
            if of is not None:
                of.remove(case)
            try:
                begun = await sync_to_async(_begin)(row=self.row, case=case)
                result = await (
                    self._result(case) if begun <= MOST_BEGUN else sync_to_async(self._killed)(case)
                )
            except _Later:
                await sync_to_async(_not_begun)(row=self.row, case=case)
                own.append(case)
                if of is not None:
                    of.append(case)
                await asyncio.sleep(PASSING_SECONDS)
                continue
            except Exception:
                log.exception("Case %s failed.", case.pk)
                result = await sync_to_async(self._failed)(case)
            if result.outcome == Outcome.OVER_BUDGET and self.unpaid:
                await sync_to_async(_not_begun)(row=self.row, case=case)
                return  # not measured, so nothing is kept of it: it is asked when there is money again
            self.away = self.away + 1 if result.outcome == Outcome.UNAVAILABLE else 0
            if await sync_to_async(_keep)(row=self.row, result=result):
                self.done += 1
                await sync_to_async(self.tell)(result)
            else:
                self.stopped = await sync_to_async(_has_ended)(row=self.row)

    def _may_begin(self) -> bool:
        in_time = self.deadline is None or time.monotonic() < self.deadline
        return in_time and self.has_slot and self.away < MOST_AWAY and not self.unpaid and not self.stopped

    async def _keep_slot(self) -> None:
        while True:
            await asyncio.sleep(settings.LEASE_SECONDS / 3)
            try:
                self.has_slot = await sync_to_async(self.beat)() and self.has_slot
            except Exception:
                log.exception("The heartbeat failed; it is tried again.")

    async def _result(self, case: Case) -> CaseResult:
        """Not saved yet."""
        result = CaseResult(evaluation=self.row, case=case, input_hash=case.input_hash, outcome="")
        if case.expect == "skipped":
            # Intake closes a copy without a call of the model.
            result.error = "" if await sync_to_async(_is_copy)(case=case) else NO_COPY
            return result
        stored = await sync_to_async(find_stored)(
            version_id=self.version.pk, model=self.profile.model, case=case
        )
        if stored is not None:
            _take_stored(result, stored)
        else:
            await self._draft(case, result)
        gold = await sync_to_async(gold_of)(case=case)
        if case.expect == "drafted":
            result.fields = judge(fields=self.version.fields, drafted=result.values, gold=gold)
        result.due, result.right = len(result.fields), sum(one["right"] for one in result.fields)
        return result

    def _killed(self, case: Case) -> CaseResult:
        return self._failed(case, why=KILLED.format(MOST_BEGUN))

    def _failed(self, case: Case, *, why: str = CASE_FAILED) -> CaseResult:
        result = CaseResult(
            evaluation=self.row, case=case, input_hash=case.input_hash, outcome=Outcome.INVALID,
            error=why,
        )  # fmt: skip
        if case.expect == "drafted":
            result.fields = judge(fields=self.version.fields, drafted=None, gold=gold_of(case=case))
        result.due = len(result.fields)
        return result

    async def _draft(self, case: Case, result: CaseResult) -> None:
        material = await sync_to_async(material_of)(case=case)
        try:
            asked = await asyncio.to_thread(self._ask_about, material, case)
        except Unreadable as why:
            result.outcome, result.error = Outcome.UNREADABLE_SOURCE, f"{why.message} {why.next_step}"
            return
        except TooLong as why:
            result.outcome, result.error = Outcome.TOO_LONG, str(why)
            return
        meter = await sync_to_async(self._meter)(asked.request)
        answer, cpu_seconds = await self._ask(asked.request, meter)
        result.cost = await sync_to_async(_settle)(meter=meter, answer=answer)
        if answer.outcome is Outcome.OVER_BUDGET and meter.refusal is not None:
            if meter.refusal.passes:
                raise _Later
            self.unpaid = self.unpaid or UNPAID.format(self._why_unpaid(meter.refusal))
        draft = await asyncio.to_thread(draft_of, asked=asked, answer=answer)
        result.outcome, result.model, result.error = (
            answer.outcome,
            answer.model[:200],
            storable(answer.error),
        )
        result.asked_model = (answer.calls[-1].asked if answer.calls else self.profile.model)[:200]
        result.values = storable_json(draft.values) if draft else None
        result.prompt_tokens, result.completion_tokens = (
            answer.totals.prompt_tokens,
            answer.totals.completion_tokens,
        )
        result.seconds, result.cpu_seconds = answer.seconds, cpu_seconds

    def _meter(self, request: Request) -> Meter:
        """Its calls count to the day and the month of the workflow, and not to any item."""
        return Meter(
            workflow=self.row.version.workflow_id, item=None, request=request, own=own_prices(),
            budgeted=is_limited(budget_of(workflow=self.row.version.workflow)), local_url=self.deployment.local_url,
        )  # fmt: skip

    def _why_unpaid(self, refusal: Refusal) -> str:
        if refusal.span:
            return f"the budget of the {refusal.span} has too little left"
        return refusal.why.rstrip(".") or "no price of the model is known"

    def _ask_about(self, material: list[Material], case: Case) -> Any:
        read = read_input(material=material, came_in=came_in_on(case=case), reader=self.reader)
        return ask_about(version=self.version, pages=read.pages, reference_date=read.counts_from)

    async def _ask(self, request: Request, meter: Meter) -> tuple[Answer, float | None]:
        calls = 0

        def count() -> bool:
            nonlocal calls
            calls += 1
            return calls <= self.version.max_calls

        async def before_call(asked: Profile) -> bool:
            begun: bool = await sync_to_async(meter.begin)(profile=asked, count=count)
            if begun and asked.base_url == self.deployment.local_url:
                self.cpu.begin(meter)
            return begun

        try:
            answer = await ask(
                request=request, profile=self.profile, before_call=before_call, client_pool=self.clients
            )
        finally:
            cpu_seconds = self.cpu.end(meter)
        return answer, cpu_seconds


def _settle(*, meter: Meter, answer: Answer) -> Decimal | None:
    with transaction.atomic():
        return meter.finish(calls=answer.calls)


def _is_copy(*, case: Case) -> bool:
    same = {"workflow": case.workflow_id, "content_hash": case.content_hash}
    return Case.objects.filter(**same).exclude(pk=case.pk).exists()


def _take_stored(result: CaseResult, stored: Stored) -> None:
    result.outcome, result.model, result.values, result.error = (
        stored.outcome,
        stored.model,
        stored.values,
        stored.error,
    )
    result.reused_run, result.reused_result = stored.run, stored.result
    result.cost = Decimal(0)  # this time


def _begin(*, row: Evaluation, case: Case) -> int:
    """How often it was begun without a result, with this time. Written before anything is read or asked: whoever is killed
    afterwards leaves it behind."""
    return _count_begun(row=row, case=case, more=1)


def _not_begun(*, row: Evaluation, case: Case) -> None:
    _count_begun(row=row, case=case, more=-1)


def _count_begun(*, row: Evaluation, case: Case, more: int) -> int:
    with transaction.atomic():
        fresh = Evaluation.objects.select_for_update().get(pk=row.pk)
        found = int(fresh.begun.get(str(case.pk), 0)) + more
        fresh.begun[str(case.pk)] = found
        Evaluation.objects.filter(pk=row.pk).update(begun=fresh.begun)
    return found


def _has_ended(*, row: Evaluation) -> bool:
    return Evaluation.objects.exclude(ended_at=None).filter(pk=row.pk).exists()


def _keep(*, row: Evaluation, result: CaseResult) -> bool:
    """False: another worker was first, or the evaluation has ended; then nothing was kept."""
    with transaction.atomic():
        if not Evaluation.objects.select_for_update().filter(pk=row.pk, ended_at=None).exists():
            return False
        try:
            with transaction.atomic():
                result.save(force_insert=True)
        except IntegrityError:
            return False
        # From the results, and not one more each time: whoever was killed in between cannot make it wrong.
        told = row.results.aggregate(
            done=Count("pk"), right=Sum("right"), due=Sum("due"),
            reused=Count("pk", filter=~Q(reused_run=None) | ~Q(reused_result=None)),
        )  # fmt: skip
        if result.model:
            told["model"] = result.model
        Evaluation.objects.filter(pk=row.pk).update(**told)
    return True


def _end(row: Evaluation, *, said: str = "") -> None:
    columns: dict[str, Any] = {"ended_at": timezone.now(), "said": said}
    if not said:
        columns["total"] = row.results.count()  # cases may have come or gone since it was asked for
    Evaluation.objects.filter(pk=row.pk, ended_at=None).update(**columns)
