"""A version tried on a pasted text, against a model server over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.llm.deployment import Deployment
from integrations.llm.profiles import Profile
from tests.factories import ADMIN, MANAGER, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in
from tests.scripted_model import ScriptedModel, scripted_model
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import Item, Run, Try, Workflow
from workflows.trying import MOST_CHARACTERS, begin_try, run_tries

pytestmark = pytest.mark.django_db
LETTER = "Name: Ines Okafor\nTotal: 12.50 EUR\nDue: 30 November 2026\nTopic: quote\n"


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted_model() as server:
        yield server


@pytest.fixture
def deployment(model: ScriptedModel) -> Deployment:
    profile = Profile(
        base_url=model.base_url, model="scripted", read_seconds=2, total_seconds=4, backoff_seconds=0.05
    )
    return Deployment(profile=profile, in_flight=1)


@pytest.fixture
def workflow() -> Workflow:
    rules = [{"operator": "always", "reason": "always reviewed"}]
    return make_workflow("leads", name="Leads", rules=rules)


@pytest.fixture
def admin(workflow: Workflow) -> Any:
    return make_user("admin", can=ADMIN, on=workflow)


def test_a_pasted_text_is_drafted_and_told_and_makes_no_item(
    workflow: Workflow, admin: Any, deployment: Deployment, model: ScriptedModel
) -> None:
    version = workflow.version
    assert version is not None
    client = signed_in(admin)
    address = f"/admin/workflows/version/{version.pk}/"
    assert client.post(f"{address}try/", {"text": LETTER}).status_code == 302
    waiting = client.get(f"{address}change/").content.decode()
    assert "It waits for its turn." in waiting
    assert run_tries(deployment=deployment) == 1
    row = Try.objects.get()
    assert (row.outcome, row.calls, row.model) == ("ok", 1, "scripted-scripted")
    shown = client.get(f"{address}tries/{row.pk}/").content.decode()
    for said in (
        "Ines Okafor",
        "12.50 EUR",
        "2026-11-30",
        "Found word for word",
        "always reviewed",
        "It would go to review.",
    ):
        assert said in shown
    assert "hx-get" not in shown
    version.refresh_from_db()
    assert version.used_at is None
    assert not Item.objects.exists()
    assert not Run.objects.exists()
    assert len(model.requests) == 1


def test_one_at_a_time_and_what_came_of_the_last_is_cleared(
    workflow: Workflow, admin: Any, deployment: Deployment
) -> None:
    version = workflow.version
    assert version is not None
    first = begin_try(version=version, by=admin, text=LETTER)
    with pytest.raises(Conflict, match="trying a version already"):
        begin_try(version=version, by=admin, text="another")
    begin_try(
        version=version, by=make_user(can=ADMIN, on=workflow), text=LETTER
    )  # somebody else's does not wait for it
    run_tries(deployment=deployment)
    begin_try(version=version, by=admin, text="another")
    first.refresh_from_db()
    assert (first.text, first.result, first.outcome, first.calls) == ("", None, "ok", 1)


@pytest.mark.parametrize(
    ("marker", "outcome"),
    [("[[refusal]]", "refused"), ("[[401]]", "unavailable"), ("[[silence]]", "timeout")],
)
def test_a_model_that_fails_is_told_in_words(
    workflow: Workflow, admin: Any, deployment: Deployment, marker: str, outcome: str
) -> None:
    version = workflow.version
    assert version is not None
    row = begin_try(version=version, by=admin, text=f"{LETTER}{marker}")
    run_tries(deployment=deployment)
    row.refresh_from_db()
    assert (row.outcome, row.result) == (outcome, None)
    assert " item" not in row.said
    page = signed_in(admin).get(f"/admin/workflows/version/{version.pk}/change/").content.decode()
    assert 'role="alert"' in page
    assert row.said.split(".")[0] in page.replace("&#x27;", "'")
    assert "Name: Ines Okafor" in page


def test_no_model_and_a_worker_that_died_are_told_too(
    workflow: Workflow, admin: Any, deployment: Deployment
) -> None:
    from django.utils import timezone

    version = workflow.version
    assert version is not None
    away = begin_try(version=version, by=admin, text=LETTER)
    run_tries(deployment=None)
    away.refresh_from_db()
    assert away.said.startswith("No model answers at the moment.")
    lost = begin_try(version=version, by=admin, text=LETTER)
    Try.objects.filter(pk=lost.pk).update(started_at=timezone.now())
    assert run_tries(deployment=deployment) == 0
    lost.refresh_from_db()
    assert lost.said.startswith("The worker stopped")
    begin_try(version=version, by=admin, text=LETTER)


def test_who_may_try_what(workflow: Workflow, admin: Any) -> None:
    version = workflow.version
    assert version is not None
    with pytest.raises(NotPermitted):
        begin_try(version=version, by=make_user(can=MANAGER, on=workflow), text=LETTER)
    for text in ("", " \x00 ", "x" * (MOST_CHARACTERS + 1)):
        with pytest.raises(InvalidInput):
            begin_try(version=version, by=admin, text=text)
    row = begin_try(version=version, by=admin, text="For my eyes only")
    other = signed_in(make_user("other", can=ADMIN, on=workflow))
    assert other.get(f"/admin/workflows/version/{version.pk}/tries/{row.pk}/").status_code == 404
    assert (
        "For my eyes only" not in other.get(f"/admin/workflows/version/{version.pk}/change/").content.decode()
    )
