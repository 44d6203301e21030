"""Two evaluations side by side: what one has right and the other has not, field by field and case by case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workflows.drafting.compare import same_value
from workflows.drafting.fields import FieldSpec
from workflows.evaluation.labels import specs_of
from workflows.evaluation.summary import Share
from workflows.models import Case, CaseResult, Evaluation


@dataclass(frozen=True, slots=True)
class Side:
    """`right` None: the field was not due on this side, such as one that only the other version has."""

    drafted: Any
    right: bool | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Difference:
    key: str
    label: str
    gold: Any
    first: Side
    second: Side

    @property
    def verdict(self) -> str:
        """better, worse, or other: both wrong in different ways, or both right in different words."""
        if self.first.right == self.second.right:
            return "other"
        return "better" if self.second.right else "worse"


@dataclass(slots=True)
class CaseDifference:
    case: Case
    differences: list[Difference]


@dataclass(slots=True)
class FieldPair:
    key: str
    label: str
    first: Share
    second: Share


@dataclass(slots=True)
class Comparison:
    """Of the cases that both ran over; `only_first` and `only_second` count the others, which are left out."""

    first: Evaluation
    second: Evaluation
    shared: int = 0
    only_first: int = 0
    only_second: int = 0
    changed_gold: int = 0  # shared cases whose gold values were changed between the two
    fields: list[FieldPair] = field(default_factory=list)
    cases: list[CaseDifference] = field(default_factory=list)

    def count(self, verdict: str) -> int:
        return sum(one.verdict == verdict for case in self.cases for one in case.differences)


def compare(*, first: Evaluation, second: Evaluation) -> Comparison:
    """Evaluations of the same workflow."""
    ours, theirs = _results(first), _results(second)
    specs = specs_of(workflow=second.version.workflow)
    told = Comparison(
        first=first, second=second, only_first=len(ours.keys() - theirs.keys()),
        only_second=len(theirs.keys() - ours.keys()),
    )  # fmt: skip
    pairs: dict[str, FieldPair] = {}
    for pk, one in sorted(ours.items(), key=lambda each: each[1].case.name):
        if pk not in theirs:
            continue
        told.shared += 1
        other = theirs[pk]
        found, gold_changed = _differences(one, other, specs=specs, pairs=pairs)
        told.changed_gold += gold_changed
        if found:
            told.cases.append(CaseDifference(case=one.case, differences=found))
    told.fields = [pairs[key] for key in specs if key in pairs]
    return told


def _results(evaluation: Evaluation) -> dict[int, CaseResult]:
    return {one.case_id: one for one in evaluation.results.select_related("case")}


def _differences(
    one: CaseResult, other: CaseResult, *, specs: dict[str, FieldSpec], pairs: dict[str, FieldPair]
) -> tuple[list[Difference], bool]:
    ours, theirs = ({row["key"]: row for row in result.fields} for result in (one, other))
    found, gold_changed = [], False
    for key, spec in specs.items():
        if key not in ours and key not in theirs:
            continue
        pair = pairs.setdefault(key, FieldPair(key, spec.label, Share(spec.label), Share(spec.label)))
        for rows, share in ((ours, pair.first), (theirs, pair.second)):
            if key in rows:
                share.add(rows[key]["right"])
        mine, yours = _side(ours.get(key), one), _side(theirs.get(key), other)
        if key in ours and key in theirs:
            gold_changed |= ours[key]["gold"] != theirs[key]["gold"]
        alike = mine.outcome == yours.outcome and same_value(
            spec=spec, drafted=mine.drafted, gold=yours.drafted
        )
        if mine.right != yours.right or not alike:
            gold = (theirs.get(key) or ours[key])["gold"]
            found.append(Difference(key=key, label=spec.label, gold=gold, first=mine, second=yours))
    if one.case.expect != "drafted" and (one.values is None) != (other.values is None):
        said = "Nothing was to be drafted"
        sides = [Side(None, result.values is None, result.outcome) for result in (one, other)]
        found.append(Difference(key="", label=said, gold=None, first=sides[0], second=sides[1]))
    return found, gold_changed


def _side(row: dict[str, Any] | None, result: CaseResult) -> Side:
    if row is None:
        return Side(None, None, result.outcome)
    return Side(row["drafted"], row["right"], result.outcome)
