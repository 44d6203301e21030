"""What an evaluation came to: per field, per group of cases, and per case. Plain data, read from its results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from integrations.llm.outcomes import LASTING, OF_THE_INPUT
from workflows.evaluation.intervals import wilson
from workflows.models import Case, CaseResult, Evaluation

WORKER_DIED = "The worker died "
CASE_FAILED = "Countersign itself failed on this case; the log says how. Tell whoever runs this installation."
SAYS_ATTENTION = (*LASTING, *OF_THE_INPUT)


@dataclass(slots=True)
class Share:
    """`wrong` are the cases in which it was wrong, by name."""

    label: str
    right: int = 0
    due: int = 0
    wrong: list[CaseResult] = field(default_factory=list)

    def add(self, right: bool) -> None:
        self.right, self.due = self.right + right, self.due + 1

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(right=self.right, of=self.due)


@dataclass(slots=True)
class Group:
    """`items`: whole cases, right when nothing about them is wrong. `fields` are pooled, so they carry no interval."""

    label: str
    items: Share
    fields: Share


@dataclass(slots=True)
class Summary:
    fields: dict[str, Share]  # by key
    groups: list[Group]
    results: list[CaseResult]
    reused: int
    failed: int  # outcomes other than ok where a draft was due


GROUPS: tuple[tuple[str, Callable[[Case], bool]], ...] = (
    ("All cases", lambda case: True),
    ("Messy", lambda case: bool(case.messy)),
    ("Not messy", lambda case: not case.messy),
    ("Open", lambda case: not case.held_out),
    ("Held out", lambda case: case.held_out),
)


def summarise(*, evaluation: Evaluation) -> Summary:
    """Results carry their case."""
    results = list(evaluation.results.select_related("case").order_by("case__name"))
    names = {row.key: row.label for row in evaluation.version.fields.all()}
    fields: dict[str, Share] = {key: Share(label) for key, label in names.items()}
    for result in results:
        for one in result.fields:
            share = fields.setdefault(one["key"], Share(one["key"].replace("_", " ")))
            share.add(one["right"])
            if not one["right"]:
                share.wrong.append(result)
    groups = [_group(label, [one for one in results if belongs(one.case)]) for label, belongs in GROUPS]
    return Summary(
        fields={key: share for key, share in fields.items() if share.due},
        groups=[group for group in groups if group.items.due],
        results=results,
        reused=sum(is_reused(one) for one in results),
        failed=sum(one.case.expect == "drafted" and one.outcome != "ok" for one in results),
    )


def _group(label: str, results: Sequence[CaseResult]) -> Group:
    group = Group(label, Share(label), Share(label))
    for result in results:
        group.items.add(is_right(result))
        group.fields.right += result.right
        group.fields.due += result.due
    return group


def is_right(result: CaseResult) -> bool:
    """A case of which no draft is expected is right when nothing was drafted; a copy, when there is something it copies."""
    if result.case.expect == "drafted":
        return result.outcome == "ok" and result.right == result.due
    if result.case.expect == "skipped":
        return result.values is None and not result.error
    # A server that was away or slow, or a fault of ours, says nothing about the input.
    return (
        result.values is None
        and result.outcome in SAYS_ATTENTION
        and not result.error.startswith((CASE_FAILED, WORKER_DIED))
    )


def is_reused(result: CaseResult) -> bool:
    return result.reused_run_id is not None or result.reused_result_id is not None
