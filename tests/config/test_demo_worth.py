from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from config.demo.loading import SLUGS, load_cases, load_workflow, make_people
from config.demo.worth import evaluation_lines, evaluations_under_way, measure_demo
from workflows.models import Destination, Evaluation, Workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(settings: Any) -> dict[str, Any]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    people = make_people()
    for slug in SLUGS:
        workflow, _ = load_workflow(slug=slug, people=people)
        load_cases(workflow=workflow)
    return people


def test_each_workflow_is_evaluated_once_on_all_its_cases(people: dict[str, Any]) -> None:
    said = list(measure_demo(people=people))
    assert len(said) == len(SLUGS)
    for workflow in Workflow.objects.all():
        evaluation = Evaluation.objects.get(version=workflow.version)
        assert evaluation.total == workflow.cases.filter(active=True).count() > 0
        assert evaluation.by == people["admin"]
        assert f"{workflow.name}: version 1 is evaluated on {evaluation.total} cases" in said
    assert evaluations_under_way() == len(SLUGS)
    assert list(measure_demo(people=people)) == []
    assert Evaluation.objects.count() == len(SLUGS)


def test_one_that_ended_for_want_of_a_model_is_begun_again_and_one_that_came_to_its_end_is_not(
    people: dict[str, Any],
) -> None:
    list(measure_demo(people=people))
    Evaluation.objects.update(ended_at=timezone.now(), said="No model answers at the moment.")
    first = Evaluation.objects.order_by("pk").first()
    Evaluation.objects.filter(pk=first.pk).update(said="")
    assert len(list(measure_demo(people=people))) == len(SLUGS) - 1
    assert Evaluation.objects.filter(version=first.version).count() == 1


def test_what_it_says_in_the_end_is_what_was_counted(people: dict[str, Any]) -> None:
    assert next(iter(evaluation_lines())) == "Inbound leads: not evaluated"
    list(measure_demo(people=people))
    Evaluation.objects.update(ended_at=timezone.now(), right=70, due=96, reused=12, total=14)
    assert "Inbound leads: 70 of 96 fields right, 12 of 14 from stored runs." in list(evaluation_lines())


def test_a_destination_outside_really_gets_its_test(people: dict[str, Any]) -> None:
    workflow = Workflow.objects.get(slug="inbound-leads")
    mailbox = Destination.objects.create(
        workflow=workflow, kind="email", name="Sales desk", config={"to": ["sales@brackwell.example"]}
    )
    said = list(measure_demo(people=people))
    assert any("Sales desk: the test arrived" in line for line in said)
    assert [one.to for one in mail.outbox] == [["sales@brackwell.example"]]
    mailbox.refresh_from_db()
    assert mailbox.tested_at is not None
    assert not any("Sales desk" in line for line in measure_demo(people=people))
