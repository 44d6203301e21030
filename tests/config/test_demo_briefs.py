from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.demo.loading import SLUGS, load_workflow, make_people
from workflows.budgets import budget_of, is_limited
from workflows.models import Brief, Budget, Price, Workflow
from workflows.worth import missing_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(settings: Any) -> dict[str, Any]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return make_people()


@pytest.mark.parametrize("slug", SLUGS)
def test_each_workflow_of_the_demo_says_what_it_is_for_and_what_it_may_cost(
    people: dict[str, Any], slug: str
) -> None:
    workflow, _ = load_workflow(slug=slug, people=people)
    brief = Brief.objects.get(workflow=workflow)
    for column in ("task", "today", "breaks", "tools", "when_late", "when_wrong", "stays_human", "next_step"):
        assert getattr(brief, column), column
    assert brief.deputy == people["senior"]
    assert 0 < brief.per_week_low < brief.per_week_high
    assert 5 <= len(brief.instructions.splitlines()) <= 8
    assert brief.metric_source != Brief.Source.ENTERED
    assert brief.metric_target < brief.metric_baseline
    budget = Budget.objects.get(workflow=workflow)
    assert budget.per_item < budget.per_day < budget.per_month


def test_minutes_by_hand_are_called_an_estimate_and_none_is_said_to_be_timed(people: dict[str, Any]) -> None:
    for slug in SLUGS:
        load_workflow(slug=slug, people=people)
    for brief in Brief.objects.all():
        assert brief.timed == []
        assert "estimate; nobody has timed them" in " ".join(brief.today.split())


def test_the_look_back_is_in_90_days_and_loading_again_moves_and_changes_nothing(
    people: dict[str, Any],
) -> None:
    for slug in SLUGS:
        load_workflow(slug=slug, people=people)
    in_90_days = timezone.localdate() + timedelta(days=90)
    assert set(Brief.objects.values_list("follow_up_on", flat=True)) == {in_90_days}
    earlier = in_90_days - timedelta(days=30)
    Brief.objects.update(follow_up_on=earlier)
    rows = Brief.history.count()
    assert not any(load_workflow(slug=slug, people=people)[1] for slug in SLUGS)
    assert set(Brief.objects.values_list("follow_up_on", flat=True)) == {earlier}
    assert Brief.history.count() == rows


def test_nothing_is_missing_for_what_a_year_is_worth(people: dict[str, Any]) -> None:
    for slug in SLUGS:
        load_workflow(slug=slug, people=people)
    assert Workflow.objects.count() == len(SLUGS)
    for brief in Brief.objects.all():
        assert missing_of(brief=brief) == ()


def test_where_nobody_knows_what_the_model_costs_the_demo_sets_no_limits(
    people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would keep a model at home, like Ollama's, from every item."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_MODEL", "at-home")
    workflow, _ = load_workflow(slug=SLUGS[0], people=people)
    assert not is_limited(budget_of(workflow=workflow))
    Price.objects.create(model="at-home", prompt=0, completion=0)
    workflow, changed = load_workflow(slug=SLUGS[0], people=people)
    assert changed
    assert is_limited(Budget.objects.get(workflow=workflow))
