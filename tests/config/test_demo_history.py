from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.db.models import Count, F, Q
from django.utils import timezone

from config.demo.history import add_history, sample_items
from config.demo.loading import SLUGS, load_workflow, make_people
from config.demo.sample_people import sample_people
from config.demo.sample_removal import remove_history
from reviews.counting import stuck
from reviews.models import MOST_SECONDS, Recount, Review
from tests.factories import make_item, make_user
from workflows.access import visible
from workflows.decisions import approve, fields_to_check
from workflows.drafting.typed import validate_values
from workflows.errors import Refused
from workflows.handoff import is_delivery_due
from workflows.leasing import is_work_due
from workflows.models import (
    Decision,
    Delivery,
    Item,
    RegisterEntry,
    Run,
    Source,
    Spending,
    Version,
    Workflow,
)
from workflows.states import RESTING, State

pytestmark = pytest.mark.django_db
ITEMS = 160


@pytest.fixture
def people(settings: Any) -> dict[str, Any]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # four of them a test
    people = make_people()
    for slug in SLUGS:
        load_workflow(slug=slug, people=people)
    return people


def add(**changes: Any) -> int:
    return add_history(**{"weeks": 52, "items": ITEMS, "seed": 7, **changes})


def row_counts() -> dict[str, int]:
    """But for the notes of what to count again: the next tick reads them, and they say nothing of an item."""
    models = apps.get_models(include_auto_created=True)
    return {model._meta.label: model._base_manager.count() for model in models if model is not Recount}


def stored_files() -> set[str]:
    return {str(path) for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}


def test_outside_the_demo_it_refuses_in_words_and_adds_nothing() -> None:
    before = row_counts()
    with pytest.raises(CommandError, match="in the demo alone"):
        call_command("demo_history")
    assert row_counts() == before


def test_a_person_with_a_name_of_the_demo_is_not_taken_for_the_demo(people: dict[str, Any]) -> None:
    people["staff"].email = "staff@firm.example"
    people["staff"].save()
    with pytest.raises(Refused, match="its people or its workflows are not here"):
        add()
    assert not sample_items().exists()


def test_the_command_says_what_it_added_and_how_it_goes_away(people: dict[str, Any]) -> None:
    out = StringIO()
    call_command("demo_history", items=40, weeks=8, stdout=out)
    assert "40 items of sample history were added" in out.getvalue()
    assert "demo_history --remove" in out.getvalue()
    out = StringIO()
    call_command("demo_history", remove=True, stdout=out)
    assert "40 items of sample history were removed" in out.getvalue()
    out = StringIO()
    call_command("demo_history", remove=True, stdout=out)
    assert "There is no sample history" in out.getvalue()


@pytest.mark.parametrize("figures", [{"items": 3}, {"weeks": 0}, {"items": 10**6}])
def test_figures_that_make_no_history_are_refused(people: dict[str, Any], figures: dict[str, int]) -> None:
    before = row_counts()
    with pytest.raises(Refused, match="1 to 260 weeks and 20 to 100,000 items"):
        add(**figures)
    assert row_counts() == before


def test_run_twice_it_adds_nothing(people: dict[str, Any]) -> None:
    assert add() == ITEMS
    before = row_counts()
    assert add() == 0
    assert add(seed=8) == 0
    assert row_counts() == before


def test_every_table_and_every_file_is_as_before_once_it_is_removed(people: dict[str, Any]) -> None:
    workflow = Workflow.objects.get(slug="inbound-leads")
    real = make_item(workflow=workflow, title="A real one", values={}, by=people["staff"])
    versions = list(Version.objects.order_by("pk").values_list("pk", "number", "used_at"))
    before, files = row_counts(), stored_files()
    add()
    assert row_counts() != before
    assert stored_files() > files
    assert remove_history() == ITEMS
    assert row_counts() == before
    assert stored_files() == files
    assert list(Version.objects.order_by("pk").values_list("pk", "number", "used_at")) == versions
    assert Item.objects.get() == real


def test_what_people_did_to_the_sample_goes_with_it(people: dict[str, Any]) -> None:
    before = row_counts()
    add()
    item = sample_items().filter(state=State.IN_REVIEW).first()
    approve(item=item, by=people["senior"], seen=fields_to_check(item=item))
    assert item.history.exists()
    assert item.deliveries.get().history.exists()
    remove_history()
    assert row_counts() == before


def test_it_stays_whole_where_a_workflow_works_with_its_older_version(people: dict[str, Any]) -> None:
    add()
    workflow = Workflow.objects.get(slug="inbound-leads")
    Workflow.objects.filter(pk=workflow.pk).update(version=Version.objects.get(workflow=workflow, number=0))
    before = row_counts()
    with pytest.raises(Refused, match="Inbound leads works with version 0"):
        remove_history()
    assert row_counts() == before


def test_a_version_that_real_work_used_stays_used(people: dict[str, Any]) -> None:
    add()
    workflow = Workflow.objects.get(slug="inbound-leads")
    real = make_item(workflow=workflow, values={}, by=people["staff"])
    remove_history()
    assert Version.objects.get(pk=workflow.version_id).used_at == real.runs.get().started_at


def test_the_same_seed_and_end_give_the_same_year(people: dict[str, Any]) -> None:
    until = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)

    def told() -> list[Any]:
        return [
            list(sample_items().order_by("external_id").values_list("public_id", "title", "state", "state_since")),
            list(Decision.objects.order_by("pk").values_list("kind", "by__username", "created_at", "changed")),
            list(Run.objects.order_by("pk").values_list("cost", "seconds", "draft")),
        ]  # fmt: skip

    add(until=until)
    first = told()
    remove_history()
    add(until=until)
    assert told() == first
    remove_history()
    add(until=until, seed=8)
    assert told() != first


def test_everything_is_at_rest_and_wakes_nobody(people: dict[str, Any]) -> None:
    add()
    assert not sample_items().exclude(state__in=RESTING).exists()
    assert not is_work_due()
    assert not is_delivery_due()
    assert not Delivery.objects.exclude(state=Delivery.State.DELIVERED).exists()
    assert mail.outbox == []


def test_a_dozen_at_most_wait_for_a_person_and_none_is_late(people: dict[str, Any]) -> None:
    add(items=600)
    waiting = visible(people["senior"], Review.objects.filter(state=Review.State.OPEN))
    attention = stuck(user=people["senior"])
    assert 0 < waiting.count() + attention.count() <= 12
    assert attention.exists()
    assert {review.item.state for review in waiting} == {State.IN_REVIEW, State.ESCALATED}
    now = timezone.now()
    assert all(review.due_at > now and review.due_at == review.item.due_at for review in waiting)
    assert all(item.due_at > now for item in attention)


def test_nothing_happened_before_its_cause_or_after_now(people: dict[str, Any]) -> None:
    until = timezone.now()
    add(items=400, until=until)
    assert not sample_items().filter(Q(created_at__gt=F("state_since")) | Q(state_since__gt=until)).exists()
    assert not sample_items().exclude(updated_at=F("state_since")).exists()
    assert not Run.objects.filter(Q(started_at__lt=F("item__created_at")) | Q(ended_at__gt=until)).exists()
    assert not Review.objects.filter(
        Q(closed_at__lt=F("opened_at")) | Q(opened_at__lt=F("item__created_at"))
    ).exists()
    assert not Delivery.objects.filter(delivered_at__lt=F("decision__created_at")).exists()
    assert sample_items().filter(created_at__lt=until - timedelta(weeks=45)).exists()


def test_each_state_has_the_rows_that_a_real_one_has(people: dict[str, Any]) -> None:
    add(items=400)
    states = set(sample_items().values_list("state", flat=True))
    assert states == {
        State.DELIVERED, State.REJECTED, State.SKIPPED, State.IN_REVIEW, State.ESCALATED, State.ATTENTION,
    }  # fmt: skip
    delivered = sample_items().filter(state=State.DELIVERED)
    assert RegisterEntry.objects.filter(item__in=delivered).count() == delivered.count()
    accepted = Decision.objects.filter(kind__in=("approve", "edit"))
    assert accepted.count() == delivered.count()
    assert (
        sample_items().filter(state=State.REJECTED).count() == Decision.objects.filter(kind="reject").count()
    )
    for item in sample_items().filter(state__in=(State.SKIPPED, State.ATTENTION)):
        assert item.problem["happened"], item.title
    assert all(one.reason for one in Decision.objects.exclude(kind__in=("approve", "edit")))
    closed = Review.objects.filter(state=Review.State.DONE)
    assert not closed.filter(Q(decision=None) | Q(closed_at=None)).exists()
    assert 0.7 < closed.exclude(worked_seconds=None).count() / closed.count() < 1
    assert not closed.filter(worked_seconds__gt=MOST_SECONDS).exists()
    assert Source.objects.filter(item__channel="sample").count() == 400


def test_edits_name_just_what_differs_from_the_draft_and_results_fit_their_fields(
    people: dict[str, Any],
) -> None:
    add(items=300)
    edits = Decision.objects.filter(kind="edit", run__isnull=False).select_related("run")
    assert edits.exists()
    for decision in edits:
        drafted = {one.key: one.value for one in decision.run.results.all()}
        assert decision.changed == [key for key in drafted if drafted[key] != decision.values[key]]
    specs = {version.pk: version.specs() for version in Version.objects.all()}
    for item in sample_items().filter(state=State.DELIVERED):
        assert validate_values(values=item.values, fields=specs[item.version_id]) == {}, item.title


def test_evidence_stands_where_it_says(people: dict[str, Any]) -> None:
    add()
    found = 0
    for run in Run.objects.filter(outcome="ok").prefetch_related("results", "item__sources__pages"):
        text = run.item.sources.all()[0].pages.all()[0].text
        for result in run.results.all():
            if result.evidence["status"] in ("verbatim", "normalised"):
                assert text[result.evidence["start"] : result.evidence["end"]] == result.evidence["quote"]
                found += 1
    assert found > ITEMS


def test_the_newer_version_is_edited_less(people: dict[str, Any]) -> None:
    add(items=800)
    shares = {}
    for number in (0, 1):
        of = Decision.objects.filter(run__version__number=number, kind__in=("approve", "edit"))
        kinds = dict(of.values_list("kind").annotate(n=Count("pk")))
        shares[number] = kinds["edit"] / (kinds["edit"] + kinds["approve"])
    assert shares[1] < shares[0]


def test_one_reviewer_stopped_weeks_ago_and_nobody_signs_in_as_the_sample(people: dict[str, Any]) -> None:
    add(items=500)
    last = {
        name: Decision.objects.filter(by__username=name).latest("created_at").created_at
        for name in ("staff", "reviewer-2", "reviewer-3")
    }
    assert timezone.now() - last["reviewer-3"] > timedelta(weeks=6)
    assert timezone.now() - last["reviewer-2"] < timedelta(weeks=2)
    for person in sample_people():
        assert not person.has_usable_password()
        assert not person.is_active
        assert not person.is_staff
        assert person.first_name == "Sample"


def test_a_person_who_has_the_name_already_is_left_alone(people: dict[str, Any]) -> None:
    make_user("reviewer-2")
    before = row_counts()
    with pytest.raises(Refused, match="a person with the name reviewer-2"):
        add()
    assert row_counts() == before


def test_spending_is_of_spans_before_the_workflow_was_made_and_adds_up(people: dict[str, Any]) -> None:
    workflow = Workflow.objects.get(slug="supplier-invoices")
    made = timezone.localdate(workflow.created_at)
    add()
    months = Spending.objects.filter(workflow=workflow, span="month")
    assert months.exists()
    assert not Spending.objects.filter(span="day", starts_on__gte=made).exists()
    assert not Spending.objects.filter(span="month", starts_on__gte=made.replace(day=1)).exists()
    month = months.latest("starts_on")
    runs = Run.objects.filter(
        item__workflow=workflow,
        started_at__year=month.starts_on.year,
        started_at__month=month.starts_on.month,
    )
    assert month.spent == sum(run.cost for run in runs if run.cost is not None)
    days = Spending.objects.filter(
        workflow=workflow,
        span="day",
        starts_on__year=month.starts_on.year,
        starts_on__month=month.starts_on.month,
    )
    assert month.spent == sum(day.spent for day in days)


def test_who_sees_the_workflow_sees_its_sample_and_an_outsider_none_of_it(people: dict[str, Any]) -> None:
    add()
    assert visible(people["manager"], sample_items()).count() == ITEMS
    assert visible(make_user(), sample_items()).count() == 0


def test_an_item_of_each_state_opens_in_the_admin(people: dict[str, Any], client: Any, settings: Any) -> None:
    settings.DEMO = True
    add(items=300)
    client.force_login(people["senior"])
    for state in set(sample_items().values_list("state", flat=True)):
        item = sample_items().filter(state=state, runs__isnull=False).first()
        if item is not None:
            assert client.get(f"/admin/workflows/item/{item.pk}/change/").status_code == 200, state
    assert "Sample: " in client.get("/admin/reviews/review/").content.decode()
    assert "Sample: " in client.get("/admin/workflows/registerentry/").content.decode()
