"""What the model was asked for an item, what it said, and what that took. Only for who may see model logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workflows.access import Action, may, visible
from workflows.models import Item, Run
from workflows.money import told_cost

MOST_RUNS = 5
MOST_CHARACTERS = 20_000  # of a prompt or an answer; the page of the run has all of it


@dataclass(frozen=True, slots=True)
class ShownRun:
    run: Run
    spent: str
    prompt: tuple[tuple[str, str], ...]  # role and text
    answer: str


def runs_of(*, item: Item, user: Any) -> list[ShownRun]:
    if not may(user, Action.MODEL_LOGS, item):
        return []
    rows = visible(user, Run.objects.filter(item=item)).defer("draft", "calls")
    return [
        ShownRun(
            run=run, spent=_spent(run), answer=_cut(run.raw_text),
            prompt=tuple((str(one.get("role", "")), _cut(str(one.get("content", "")))) for one in run.prompt),
        )
        for run in rows[:MOST_RUNS]
    ]  # fmt: skip


def _spent(run: Run) -> str:
    told = []
    if run.prompt_tokens is not None or run.completion_tokens is not None:
        told.append(f"{run.prompt_tokens or 0:,} tokens in, {run.completion_tokens or 0:,} out")
    if run.outcome:
        told.append(f"cost: {told_cost(cost=run.cost, cpu_seconds=run.cpu_seconds)}")
    if run.seconds is not None:
        told.append(f"{run.seconds:.1f} s")
    return " · ".join(told)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
