"""Shares, intervals and what two evaluations have different."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import make_version
from tests.workflows.admin.test_evaluations import import_them, make_evaluation
from workflows.evaluation.comparing import compare
from workflows.evaluation.intervals import wilson
from workflows.evaluation.labels import judge
from workflows.evaluation.summary import summarise
from workflows.models import Case, Workflow

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (1, 2, 0.0945, 0.9055), (81, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval_is_as_in_the_tables(right: int, of: int, low: float, high: float) -> None:
    interval = wilson(right=right, of=of)
    assert interval == pytest.approx((low, high), abs=1e-4)


def test_nothing_due_has_no_interval() -> None:
    assert wilson(right=0, of=0) is None


def test_without_a_draft_every_field_is_wrong_also_where_nothing_is_right(workflow: Workflow) -> None:
    fields = workflow.version.specs()
    gold = {"name": None, "due": "2026-11-30"}
    assert [one["right"] for one in judge(fields=fields, drafted=None, gold=gold)] == [False, False]
    drafted: dict[str, Any] = {"name": None, "due": "2026-11-30", "total": {"amount": "1", "currency": "EUR"}}
    told = judge(fields=fields, drafted=drafted, gold=gold)
    assert [(one["key"], one["right"]) for one in told] == [("name", True), ("due", True)]


def test_groups_tell_open_from_held_out_and_messy_from_clean(workflow: Workflow) -> None:
    import_them(workflow)
    summary = summarise(evaluation=make_evaluation(workflow.version, due="2026-11-30"))
    told = {
        group.label: (group.items.right, group.items.due, group.fields.right, group.fields.due)
        for group in summary.groups
    }
    assert told == {
        "All cases": (1, 2, 3, 6), "Messy": (1, 1, 3, 3), "Not messy": (0, 1, 0, 3), "Open": (1, 1, 3, 3),
        "Held out": (0, 1, 0, 3),
    }  # fmt: skip
    assert {key: (share.right, share.due) for key, share in summary.fields.items()} == {
        "name": (1, 2), "total": (1, 2), "due": (1, 2),
    }  # fmt: skip


def test_a_comparison_counts_cases_of_one_side_apart_and_notes_changed_gold(workflow: Workflow) -> None:
    import_them(workflow)
    first = make_evaluation(workflow.version)
    secret = Case.objects.get(name="secret")
    secret.labels.filter(key="due").update(value="2027-01-01")
    second = make_evaluation(make_version(workflow=workflow, number=2), due="2027-01-01")
    first.results.filter(case__name="open").delete()
    told = compare(first=first, second=second)
    assert (told.shared, told.only_first, told.only_second, told.changed_gold) == (1, 0, 1, 1)
    assert [(one.key, one.verdict) for one in told.cases[0].differences] == [("due", "better")]
    assert told.cases[0].case == secret
    assert [(pair.key, pair.first.due, pair.second.right) for pair in told.fields if pair.key == "due"] == [
        ("due", 1, 1)
    ]
    alike = compare(first=second, second=second)
    assert (alike.cases, alike.count("worse")) == ([], 0)
