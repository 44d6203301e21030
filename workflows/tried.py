"""What a version was really tried on: which results of its evaluations are evidence for the launch gate, and of what.

A result counts while its case is as it was then (content, day and gold values), and when the model said something about it: a
server that was away says nothing about the version. A text that is there twelve times is one input.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Max, OuterRef, Subquery

from integrations.llm.outcomes import LASTING, OF_THE_INPUT
from workflows.models import Case, CaseResult, Evaluation, Field, Label, Rule, Version, Workflow

MOST_EVALUATIONS = 10  # the newest ones


@dataclass(frozen=True, slots=True)
class Tried:
    """Counts of inputs. `messy` holds the kinds of each messy one that was tried; `known_messy` counts those that could
    be, `marked_messy` the cases that say so. `some_right` is None while nothing was tried."""

    inputs: int
    measured: int
    without_gold: int
    marked_messy: int
    known_messy: int
    messy: tuple[tuple[str, ...], ...]
    some_right: bool | None
    some_messy_right: bool | None
    last: dict[str, Any] | None  # pk, right, due, ended_at of the newest evaluation


def tried(*, workflow: Workflow, version: Version | None) -> Tried:
    """The active cases, and what the version was tried on since it last changed. Constant in queries."""
    changed = Label.history.filter(case_id=OuterRef("pk")).order_by().values("case_id")
    active = list(
        Case.objects.filter(workflow=workflow, active=True).order_by("pk").annotate(
            gold_at=Subquery(changed.annotate(at=Max("history_date")).values("at")),
            has_gold=Exists(
                Label.objects.filter(
                    case=OuterRef("pk"), origin=Label.Origin.GOLD, key__in=Field.objects.filter(version=version).values("key")
                )
            ),
        )
    )  # fmt: skip
    ended: list[dict[str, Any]] = []
    newest: dict[int, dict[str, Any]] = {}
    if version is not None:
        evaluations: Any = (
            Evaluation.objects.filter(version=version, ended_at__isnull=False, asked_at__gte=_written_at(version))
            .order_by("-ended_at").values("pk", "right", "due", "ended_at")
        )  # fmt: skip
        ended = list(evaluations)
        results: Any = CaseResult.objects.filter(
            evaluation__in=[one["pk"] for one in ended[:MOST_EVALUATIONS]]
        ).order_by("pk")
        said = {case.pk: case for case in active}
        for one in results.values("case", "input_hash", "outcome", "right", "due", "created_at"):
            case = said.get(one["case"])
            if case is not None and _counts(case=case, **{k: v for k, v in one.items() if k != "case"}):
                newest[case.pk] = one
    # A copy is closed by intake without a call of the model: it is no evidence of what the version drafts.
    asked = [case for case in active if case.expect != "skipped"]
    could = [case for case in asked if case.expect != "drafted" or case.has_gold]
    done = [case for case in could if case.pk in newest]
    messy = _distinct(
        case for case in done if case.messy and _was_asked(case=case, outcome=newest[case.pk]["outcome"])
    )
    return Tried(
        inputs=len(_distinct(asked)), measured=len(_distinct(done)), without_gold=len(asked) - len(could),
        marked_messy=sum(bool(case.messy) for case in active), known_messy=len(_distinct(case for case in could if case.messy)),
        messy=tuple(tuple(case.messy) for case in messy), some_right=_some_right(done, newest),
        some_messy_right=_some_right(messy, newest), last=ended[0] if ended else None,
    )  # fmt: skip


def _counts(*, case: Case, input_hash: str, outcome: str, right: int, due: int, created_at: datetime) -> bool:
    as_it_was = input_hash == case.input_hash and (case.gold_at is None or case.gold_at <= created_at)  # type: ignore[attr-defined]
    judged = bool(due) == (case.expect == "drafted")
    return as_it_was and judged and outcome in (*LASTING, *OF_THE_INPUT)


def _was_asked(*, case: Case, outcome: str) -> bool:
    """Where a draft is expected, the model has to have been asked; that a file cannot be read may be what is expected."""
    return outcome in LASTING or case.expect == "attention"


def _some_right(cases: Iterable[Case], newest: dict[int, dict[str, Any]]) -> bool | None:
    found = [
        bool(one["right"]) if case.expect == "drafted" else one["outcome"] != "ok"
        for case in cases
        for one in (newest[case.pk],)
    ]
    return any(found) if found else None


def _distinct(cases: Iterable[Case]) -> list[Case]:
    return list({case.content_hash: case for case in cases}.values())


def _written_at(version: Version) -> datetime:
    """When the version last changed. One that no item used can still be edited, and then it was never measured."""
    kept: tuple[Any, ...] = (
        Version.history.filter(id=version.pk), Field.history.filter(version_id=version.pk),
        Rule.history.filter(version_id=version.pk),
    )  # fmt: skip
    first, *others = (rows.order_by().values_list("history_date", flat=True) for rows in kept)
    found = list(first.union(*others).order_by("history_date"))
    return max(found, default=version.created_at)
