"""What a model said before of the same input under the same version: then it is not asked again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from integrations.llm.outcomes import LASTING, Outcome
from workflows.models import Case, CaseResult, Run


@dataclass(frozen=True, slots=True)
class Stored:
    outcome: str
    model: str
    values: dict[str, Any] | None
    error: str = ""
    run: Run | None = None
    result: CaseResult | None = None


def find_stored(*, version_id: int, model: str, case: Case) -> Stored | None:
    """`model`: the one that would be named. The newest result of a case, else the first draft of an item."""
    result = (
        CaseResult.objects.filter(
            input_hash=case.input_hash, asked_model=model, evaluation__version=version_id,
            outcome__in=LASTING, reused_run=None, reused_result=None,
        )
        .order_by("-pk")
        .first()
    )  # fmt: skip
    if result is not None:
        return Stored(result.outcome, result.model, result.values, result.error, result=result)
    run = _first_run(version_id=version_id, model=model, case=case)
    if run is None:
        return None
    values = {one.key: one.value for one in run.results.all()} if run.outcome == Outcome.OK else None
    return Stored(run.outcome, run.model, values, run.error, run=run)


def _first_run(*, version_id: int, model: str, case: Case) -> Run | None:
    """Only the first draft of an item, and only where no reviewer's note was added to what the model reads."""
    runs = (
        Run.objects.filter(
            item__content_hash=case.content_hash, item__workflow=case.workflow_id, item__note="", version=version_id,
            outcome__in=LASTING,
        )
        .select_related("item")
        .defer("prompt", "raw_text", "draft")
        .order_by("pk")
    )  # fmt: skip
    for run in runs[:20]:
        asked = run.calls[-1].get("asked", "") if run.calls else ""
        if asked == model and _same_day(run=run, case=case):
            return run
    return None


def _same_day(*, run: Run, case: Case) -> bool:
    """A mail brings the day its words count from; of anything else that is the day it came in."""
    if any(source.reading.get("sent_at") for source in run.item.sources.only("item", "reading")):
        return True
    return timezone.localdate(run.item.created_at) == timezone.localdate(case.created_at)
