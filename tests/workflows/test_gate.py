"""Each check of the launch gate, from its rows: met, and not met when what it rests on is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import (
    FIELDS,
    STAFF,
    grant_all,
    make_evaluation,
    make_item,
    make_ready,
    make_run,
    make_user,
    make_version,
    make_workflow,
)
from workflows.access import Action, revoke
from workflows.gate import FEWEST_MESSY, Check, checks, unmet
from workflows.models import (
    Brief,
    Budget,
    Case,
    CaseResult,
    Destination,
    Evaluation,
    Label,
    Run,
    Stage,
    Workflow,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    workflow = make_workflow("leads", stage=Stage.TRIAL)
    make_ready(workflow)
    return workflow


def check(workflow: Workflow, key: str) -> Check:
    return next(one for one in checks(workflow=Workflow.objects.get(pk=workflow.pk)) if one.key == key)


def brief(**columns: Any) -> Callable[[Workflow], Any]:
    return lambda workflow: Brief.objects.filter(workflow=workflow).update(**columns)


def test_all_are_met_when_everything_is_there(workflow: Workflow) -> None:
    found = checks(workflow=workflow)
    assert unmet(found) == []
    assert [one.key for one in found] == [
        "people", "reviewers", "metric", "messy", "evaluation", "destinations", "access", "budget", "instructions", "follow_up",
    ]  # fmt: skip
    assert all(one.evidence for one in found)


def test_none_is_met_by_an_empty_workflow() -> None:
    bare = Workflow.objects.create(slug="bare", name="Bare")
    found = checks(workflow=bare)
    assert len(unmet(found)) == len(found) == 10
    assert all(one.to_do.endswith(".") for one in found)


def _gold(case: Case) -> None:
    Label.objects.create(workflow=case.workflow, case=case, key="name", value="Ines Okafor", origin="gold")


def _regold(label: Label) -> None:
    label.value = "Nobody"
    label.save()


def _say(result: CaseResult, outcome: str) -> None:
    result.outcome, result.right = outcome, 0
    result.save()


def _leave(person: Any) -> None:
    person.is_active = False
    person.save()


BROKEN: list[tuple[str, str, Callable[[Workflow], Any]]] = [
    ("people", "Name a deputy", brief(deputy=None)),
    ("people", "the owner, has left", lambda workflow: _leave(workflow.owner)),
    ("people", "has left", lambda workflow: _leave(workflow.brief.deputy)),
    ("people", "the same person", lambda workflow: brief(deputy=workflow.owner)(workflow)),
    ("people", "Nobody owns it", lambda workflow: Workflow.objects.update(owner=None)),
    ("reviewers", "Nobody of leads reviewers", lambda workflow: workflow.reviewers.user_set.clear()),
    ("reviewers", "no reviewers’ group", lambda workflow: Workflow.objects.update(reviewers=None)),
    ("metric", "a baseline and a target", brief(metric_baseline=None, metric_target=None)),
    ("metric", "are the same", brief(metric_target=6)),
    ("messy", "0 cases are marked messy", lambda workflow: Case.objects.update(messy=[])),
    ("evaluation", "on 12 of 13 cases, as they are today", lambda workflow: _gold(Case.objects.create(
        workflow=workflow, name="new", origin="yaml", content_hash="1"))),
    ("evaluation", "1 case is to be drafted without a gold value", lambda workflow: Label.objects.first().delete()),
    ("evaluation", "Nothing was right", lambda workflow: CaseResult.objects.update(outcome="refused", right=0)),
    ("messy", "Nothing was right", lambda workflow: CaseResult.objects.update(outcome="refused", right=0)),
    ("messy", "12 cases are marked messy, 1 of them count", lambda workflow: Case.objects.update(content_hash="1")),
    ("messy", "12 cases are marked messy, 0 of them count", lambda workflow: Case.objects.update(expect="skipped")),
    ("messy", "12 cases are marked messy, 0 of them count", lambda workflow: Label.objects.all().delete()),
    ("messy", "0 of 12 messy cases were tried", lambda workflow: CaseResult.objects.update(outcome="unavailable", right=0)),
    ("messy", "11 of 12 messy cases were tried", lambda workflow: _say(CaseResult.objects.first(), "timeout")),
    ("messy", "11 of 12 messy cases were tried", lambda workflow: _say(CaseResult.objects.first(), "unreadable_source")),
    ("messy", "11 of 12 messy cases were tried", lambda workflow: Case.objects.filter(pk=Case.objects.first().pk).update(
        content_hash="another text")),
    ("messy", "11 of 12 messy cases were tried", lambda workflow: Case.objects.filter(pk=Case.objects.first().pk).update(
        created_at=timezone.now() - timedelta(days=9))),
    ("messy", "11 of 12 messy cases were tried", lambda workflow: _regold(Label.objects.first())),
    ("evaluation", "not measured on the 12 cases", lambda workflow: Evaluation.objects.update(ended_at=None)),
    ("evaluation", "no cases", lambda workflow: Case.objects.update(active=False)),
    ("destinations", "No test has arrived at CRM", lambda workflow: Destination.objects.create(
        workflow=workflow, kind="email", name="CRM", config={"to": ["a@b.example"]})),
    ("destinations", "No destination is switched on", lambda workflow: Destination.objects.update(active=False)),
    ("access", "Nobody has looked through", brief(access_reviewed_at=None)),
    ("budget", "Set what the model may cost", lambda workflow: Budget.objects.all().delete()),
    ("budget", "Set what the model may cost", lambda workflow: Budget.objects.update(per_month=None)),
    ("budget", "how many items a week", brief(per_week_low=None, per_week_high=None)),
    ("instructions", "None written", brief(instructions="  \n")),
    ("follow_up", "Set the day", brief(follow_up_on=None)),
    ("follow_up", "has come", lambda workflow: brief(follow_up_on=timezone.localdate())(workflow)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "said", "take_away"), BROKEN, ids=[f"{key}: {said}" for key, said, _ in BROKEN]
)
def test_what_is_taken_away_is_asked_for(
    workflow: Workflow, key: str, said: str, take_away: Callable[[Workflow], Any]
) -> None:
    take_away(workflow)
    found = check(workflow, key)
    assert not found.met
    assert said in found.to_do


def test_reviewers_count_only_when_they_see_the_items_and_may_decide_what_is_in_them(
    workflow: Workflow,
) -> None:
    reviewer = workflow.reviewers.user_set.get()
    outside = make_user(can=STAFF, on=workflow)  # may review, and is nobody of the group
    named = make_user()
    named.groups.add(workflow.reviewers)  # of the group, and may nothing
    assert check(workflow, "reviewers").evidence == "1 person of leads reviewers may review"
    revoke(action=Action.VIEW, workflow=workflow, of=reviewer)
    assert not check(workflow, "reviewers").met
    outside.groups.add(workflow.reviewers)
    assert check(workflow, "reviewers").met
    workflow.version = make_version(workflow=workflow, number=2, fields=({**FIELDS[0], "sensitive": True},))
    workflow.save()
    found = check(workflow, "reviewers")
    assert (found.met, "nobody may decide them" in found.to_do) == (False, True)
    grant_all(to=outside, on=workflow, actions=(Action.DECIDE_SENSITIVE,))
    assert check(workflow, "reviewers").evidence.endswith("1 may decide sensitive items")


def test_messy_inputs_count_when_the_active_version_was_tried_on_them(workflow: Workflow) -> None:
    assert check(workflow, "messy").evidence == f"12 of {FEWEST_MESSY} needed: 12 scan"
    workflow.version = make_version(workflow=workflow, number=2)
    workflow.save()
    assert "0 of 12 messy cases were tried" in check(workflow, "messy").to_do
    assert "Version 2 was not measured" in check(workflow, "evaluation").to_do


def test_a_case_of_which_no_draft_is_expected_is_tried_when_it_could_not_be_read(workflow: Workflow) -> None:
    first = CaseResult.objects.first()
    Case.objects.filter(pk=first.case_id).update(expect="attention")
    CaseResult.objects.filter(pk=first.pk).update(outcome="unreadable_source", right=0, due=0)
    assert check(workflow, "messy").met
    assert check(workflow, "evaluation").met


def test_a_copy_is_one_input_and_one_to_be_skipped_is_none(workflow: Workflow) -> None:
    for name, expect in (("copy", "drafted"), ("to skip", "skipped")):
        case = Case.objects.create(
            workflow=workflow,
            name=name,
            expect=expect,
            origin="yaml",
            content_hash=Case.objects.first().content_hash,
        )
        _gold(case)
    found = check(workflow, "evaluation")
    assert (found.met, "on 12 of 12 cases" in found.evidence) == (True, True)


def test_a_version_that_changed_after_it_was_measured_was_not_measured(workflow: Workflow) -> None:
    field = workflow.version.fields.first()
    field.hint = "Another hint"
    field.save()
    assert not check(workflow, "evaluation").met
    make_evaluation(workflow=workflow, cases=1)
    assert "on 1 of 13 cases" in check(workflow, "evaluation").to_do


def test_permissions_that_changed_are_looked_through_again(workflow: Workflow) -> None:
    brief(access_reviewed_at=timezone.now())(workflow)
    assert check(workflow, "access").met
    make_user(can=STAFF, on=workflow)
    assert "changed on" in check(workflow, "access").to_do


def test_the_month_is_expected_from_what_items_cost_and_has_to_fit(workflow: Workflow) -> None:
    make_item(workflow=workflow)
    Run.objects.update(cost=Decimal("0.05"))
    # 100 to 120 items a week at 0.05: 21.67 to 26.00 in the twelfth part of 52 weeks.
    found = check(workflow, "budget")
    assert found.met
    assert found.evidence == "50 USD a month set; 21.67 to 26.00 USD expected"
    Budget.objects.update(per_month=20)
    assert "Raise the budget" in check(workflow, "budget").to_do
    make_run(item=Run.objects.get().item)  # one answer without a price
    assert "is not known" in check(workflow, "budget").to_do


def test_made_up_history_is_evidence_of_nothing(workflow: Workflow) -> None:
    make_item(workflow=workflow, channel="sample")
    Run.objects.update(cost=Decimal(900))
    assert "0 USD expected" in check(workflow, "budget").evidence


def test_it_takes_as_many_queries_for_many_rows_as_for_few(
    workflow: Workflow, django_assert_max_num_queries: Any
) -> None:
    workflow = Workflow.objects.select_related("version", "owner", "reviewers").get(pk=workflow.pk)
    with django_assert_max_num_queries(22) as few:
        checks(workflow=workflow)
    make_evaluation(workflow=workflow, cases=30, messy=("scan", "reply chain"))
    for number in range(10):
        Destination.objects.create(workflow=workflow, kind="register", name=f"Register {number}")
        make_user(can=STAFF, on=workflow).groups.add(workflow.reviewers)
    with django_assert_max_num_queries(len(few)) as many:
        checks(workflow=workflow)
    assert len(many) == len(few)
