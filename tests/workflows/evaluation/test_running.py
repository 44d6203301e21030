"""A version over its cases, against a model server over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from integrations.llm.deployment import Deployment
from tests.factories import ADMIN, MANAGER, make_user, make_version, make_workflow
from tests.scripted_model import ScriptedModel
from tests.workflows.admin.conftest import signed_in
from tests.workflows.evaluation.conftest import GOLD, LETTER
from workflows.errors import Conflict, InvalidInput, NotPermitted, Refused
from workflows.evaluation import running
from workflows.evaluation.running import (
    GONE,
    MOST_BEGUN,
    NO_MODEL,
    begin_evaluation,
    is_evaluation_due,
    run_evaluations,
    stop_evaluation,
)
from workflows.evaluation.summary import is_right, summarise
from workflows.intake import submit
from workflows.measuring import cost_of_an_item
from workflows.models import (
    Budget,
    Case,
    CaseResult,
    Evaluation,
    Item,
    Price,
    Reservation,
    Run,
    Spending,
    Version,
    Workflow,
)
from workflows.money import told
from workflows.recording import prepare
from workflows.version_rows import change_version, copy_version, part_of

pytestmark = pytest.mark.django_db
Add = Callable[..., None]


def evaluate(version: Version | None, deployment: Deployment, **given: Any) -> Evaluation:
    assert version is not None
    row = begin_evaluation(version=version, by=None)
    run_evaluations(deployment=deployment, **given)
    row.refresh_from_db()
    return row


def outcomes(row: Evaluation) -> dict[str, str]:
    return {one.case.name: one.outcome for one in row.results.select_related("case")}


def test_each_field_is_held_against_gold_and_every_failure_stays_in_the_count(
    workflow: Workflow, deployment: Deployment, add: Add
) -> None:
    add(
        {"name": "right", "text": LETTER, "values": GOLD},
        {"name": "wrong due", "text": LETTER + "again", "values": {**GOLD, "due": "2026-12-01"}},
        {"name": "refused", "text": LETTER + "[[refusal]]", "values": GOLD},
        {"name": "cut off", "text": LETTER + "[[length]]", "values": GOLD},
    )
    row = evaluate(workflow.version, deployment)
    assert outcomes(row) == {"right": "ok", "wrong due": "ok", "refused": "refused", "cut off": "truncated"}
    assert (row.total, row.done, row.right, row.due, row.reused, row.model) == (
        4,
        4,
        7,
        16,
        0,
        "scripted-scripted",
    )
    assert row.ended_at is not None
    assert row.said == ""
    wrong = row.results.get(case__name="wrong due").fields
    assert [one["key"] for one in wrong if not one["right"]] == ["due"]
    summary = summarise(evaluation=row)
    assert (summary.fields["due"].right, summary.fields["due"].due) == (1, 4)
    assert [
        (group.items.right, group.items.due) for group in summary.groups if group.label == "All cases"
    ] == [(1, 4)]
    assert summary.failed == 2
    assert not Item.objects.exists()
    assert not Run.objects.exists()


def test_what_cannot_be_read_is_right_where_nothing_was_to_be_drafted(
    workflow: Workflow, deployment: Deployment, add: Add, model: ScriptedModel
) -> None:
    add(
        {"input": "locked.bin", "expect": "attention"},
        {"input": "empty.txt", "values": GOLD},
        {"name": "one", "text": LETTER, "values": GOLD},
        {"name": "copy", "text": LETTER, "expect": "skipped"},
        {"name": "no copy", "text": "Something else", "expect": "skipped"},
        {"name": "drafted all the same", "text": LETTER + "attention", "expect": "attention"},
        locked_bin=b"\x00\x01\x02" * 50, empty_txt=b"  ",
    )  # fmt: skip
    row = evaluate(workflow.version, deployment)
    right = {one.case.name: is_right(one) for one in row.results.select_related("case")}
    assert right == {
        "locked.bin": True, "empty.txt": False, "one": True, "copy": True, "no copy": False,
        "drafted all the same": False,
    }  # fmt: skip
    assert outcomes(row)["locked.bin"] == "unreadable_source"
    assert (row.right, row.due) == (4, 8)
    assert len(model.requests) == 2


def test_stored_results_of_the_same_input_version_and_model_are_not_asked_again(
    workflow: Workflow, deployment: Deployment, add: Add, model: ScriptedModel
) -> None:
    add(
        {"name": "a", "text": LETTER, "values": GOLD},
        {"name": "b", "text": LETTER + "[[refusal]]", "values": GOLD},
    )
    first = evaluate(workflow.version, deployment)
    asked = len(model.requests)
    second = evaluate(workflow.version, deployment)
    assert len(model.requests) == asked
    assert (second.reused, second.right, second.due, second.model) == (2, first.right, first.due, first.model)
    assert {one.reused_result.evaluation_id for one in second.results.all()} == {first.pk}
    # Gold that was corrected counts at once; an input that was changed is another input.
    add(
        {"name": "a", "text": LETTER, "values": {**GOLD, "due": "2027-01-01"}},
        {"name": "b", "text": LETTER, "values": GOLD},
    )
    third = evaluate(workflow.version, deployment)
    assert (third.reused, third.right, third.due) == (2, 7, 8)
    assert len(model.requests) == asked
    other = replace(deployment, profile=deployment.profile.model_copy(update={"model": "another"}))
    assert evaluate(workflow.version, other).reused == 0
    assert evaluate(make_version(workflow=workflow, number=2), deployment).reused == 0


def test_the_first_draft_of_an_item_with_the_same_content_is_taken(
    workflow: Workflow, deployment: Deployment, add: Add, model: ScriptedModel, admin: Any
) -> None:
    from tests.factories import SENIOR

    staff = make_user("staff", can=SENIOR, on=workflow)
    made = [
        submit(workflow=workflow, by=staff, channel="admin", text=text).item
        for text in (LETTER, LETTER + "told a note", LETTER + "came earlier")
    ]
    call = {"asked": "scripted", "model": "scripted-scripted", "outcome": "ok"}
    for item in made:
        run = Run.objects.create(
            item=item, version=item.version, outcome="ok", model="scripted-scripted", calls=[call]
        )
        for key, value in {**GOLD, "total": {"amount": "12.50", "currency": "EUR"}, "due": None}.items():
            run.results.create(key=key, value=value)
    Item.objects.filter(pk=made[1].pk).update(note="Look at the second page")
    Item.objects.filter(pk=made[2].pk).update(created_at=timezone.now() - timezone.timedelta(days=9))
    add(
        {"name": "same", "text": LETTER, "values": GOLD},
        {"name": "noted", "text": LETTER + "told a note", "values": GOLD},
        {"name": "earlier", "text": LETTER + "came earlier", "values": GOLD},
    )
    row = evaluate(workflow.version, deployment)
    reused = {one.case.name: one.reused_run_id for one in row.results.select_related("case")}
    assert reused == {"same": made[0].runs.get().pk, "noted": None, "earlier": None}
    assert row.reused == 1
    assert len(model.requests) == 2
    assert row.results.get(case__name="same").right == 3


def test_a_case_is_asked_exactly_as_an_item_would_be(
    workflow: Workflow, deployment: Deployment, add: Add, model: ScriptedModel
) -> None:
    import uuid

    from tests.factories import STAFF

    add({"name": "a", "text": LETTER, "values": GOLD})
    evaluate(workflow.version, deployment)
    staff = make_user("staff", can=STAFF, on=workflow)
    item = submit(workflow=workflow, by=staff, channel="admin", text=LETTER).item
    lease = uuid.uuid4()
    Item.objects.filter(pk=item.pk).update(lease=lease, state="working")
    prepared = prepare(item_id=item.pk, lease=lease)
    assert prepared.request.messages == model.requests[0].body["messages"]
    assert prepared.request.schema == model.requests[0].body["response_format"]["json_schema"]["schema"]
    assert item.content_hash == Case.objects.get().content_hash


def test_the_day_it_came_in_is_what_next_friday_counts_from(
    workflow: Workflow, deployment: Deployment, add: Add
) -> None:
    text = "Name: Ines Okafor\nDue: next Friday\n"
    add({"name": "a", "text": text, "received": "2026-03-02", "values": {"due": "2026-03-13"}})
    row = evaluate(workflow.version, deployment)
    drafted = row.results.get().values["due"]
    assert drafted is not None
    assert drafted.startswith("2026-03-")


def test_a_killed_worker_costs_only_what_was_in_flight(
    workflow: Workflow, deployment: Deployment, add: Add, model: ScriptedModel
) -> None:
    add(*({"name": f"case {number}", "text": f"{LETTER}{number}", "values": GOLD} for number in range(6)))
    row = begin_evaluation(version=workflow.version, by=None)

    class Killed(BaseException):
        pass

    def die(_: CaseResult) -> None:
        if row.results.count() == 3:
            raise Killed

    one_lane = replace(deployment, in_flight=1)
    with pytest.raises(BaseException):  # noqa: B017, PT011  as from outside
        run_evaluations(deployment=one_lane, tell=die)
    row.refresh_from_db()
    assert (row.done, row.ended_at) == (3, None)
    assert is_evaluation_due()
    assert run_evaluations(deployment=one_lane) == 3
    row.refresh_from_db()
    assert (row.done, row.right, row.due) == (6, 24, 24)
    assert row.ended_at is not None
    assert len(model.requests) == 6


def test_a_case_that_kills_its_worker_is_given_up_and_takes_no_other_with_it(
    workflow: Workflow, deployment: Deployment, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(*({"name": f"case {number}", "text": f"{LETTER}{number}", "values": GOLD} for number in range(5)))
    row = begin_evaluation(version=workflow.version, by=None)
    killer = Case.objects.get(name="case 2")
    material_of = running.material_of

    class Killed(BaseException):
        pass

    def read(*, case: Case) -> Any:
        if case.pk == killer.pk:
            raise Killed
        return material_of(case=case)

    monkeypatch.setattr(running, "material_of", read)
    deaths = 0
    for _ in range(MOST_BEGUN + 3):
        try:
            run_evaluations(deployment=deployment)
            break
        except BaseException:  # as from outside
            deaths += 1
    row.refresh_from_db()
    assert deaths == MOST_BEGUN
    assert row.ended_at is not None
    found = {one.case.name: (one.outcome, one.error) for one in row.results.select_related("case")}
    assert {name: outcome for name, (outcome, _) in found.items()} == {
        "case 0": "ok", "case 1": "ok", "case 2": "invalid", "case 3": "ok", "case 4": "ok",
    }  # fmt: skip
    assert "died 3 times" in found["case 2"][1]


def test_one_that_is_stopped_asks_nothing_more_and_keeps_what_is_done(
    workflow: Workflow, deployment: Deployment, add: Add, admin: Any, model: ScriptedModel
) -> None:
    add(*({"name": f"case {number}", "text": f"{LETTER}{number}", "values": GOLD} for number in range(6)))
    row = begin_evaluation(version=workflow.version, by=None)

    def stop(_: CaseResult) -> None:
        if row.results.count() == 2:
            stop_evaluation(evaluation=row, by=admin)

    assert run_evaluations(deployment=replace(deployment, in_flight=1), tell=stop) == 2
    row.refresh_from_db()
    assert (row.done, row.total) == (2, 6)
    assert row.said.startswith("admin stopped it. What is done is kept.")
    assert len(model.requests) <= 3  # one may have been in flight
    assert not is_evaluation_due()
    with pytest.raises(Conflict):
        stop_evaluation(evaluation=row, by=admin)
    again = evaluate(workflow.version, deployment)
    assert (again.done, again.reused) == (6, 2)


def test_who_may_stop_one_and_how(workflow: Workflow, add: Add, admin: Any, client: Any) -> None:
    add({"name": "one", "text": LETTER, "values": GOLD})
    row = begin_evaluation(version=workflow.version, by=None)
    address = f"/admin/workflows/evaluation/{row.pk}/stop/"
    manager = make_user("manager", can=MANAGER, on=workflow)
    with pytest.raises(NotPermitted):
        stop_evaluation(evaluation=row, by=manager)
    for person, status in ((make_user("stranger"), 404), (manager, 403)):
        client.force_login(person, backend="config.backends.PasswordBackend")
        assert client.post(address).status_code == status
    client.force_login(admin, backend="config.backends.PasswordBackend")
    assert client.get(address).status_code == 405
    assert "Stop it" in client.get(f"/admin/workflows/evaluation/{row.pk}/change/").content.decode()
    page = client.post(address, follow=True).content.decode()
    assert "0 of 1 cases are kept" in page
    assert "Stop it" not in page
    assert "admin stopped it." in page
    row.refresh_from_db()
    assert row.ended_at is not None


def test_its_time_is_up_its_slot_is_gone_and_the_next_goes_on(
    workflow: Workflow, deployment: Deployment, add: Add, settings: Any
) -> None:
    add(*({"name": f"case {number}", "text": f"{LETTER}{number}", "values": GOLD} for number in range(3)))
    row = begin_evaluation(version=workflow.version, by=None)
    assert run_evaluations(deployment=deployment, most_seconds=0) == 0
    settings.LEASE_SECONDS = 0.001
    lost = replace(deployment, in_flight=1)
    assert run_evaluations(deployment=lost, beat=lambda: False) < 3
    row.refresh_from_db()
    assert row.ended_at is None
    run_evaluations(deployment=deployment)
    row.refresh_from_db()
    assert (row.done, row.total) == (3, 3)


def test_several_calls_are_in_flight_at_once(
    workflow: Workflow, deployment: Deployment, add: Add, model: ScriptedModel
) -> None:
    model.latency = 0.2
    add(*({"name": f"case {number}", "text": f"{LETTER}{number}", "values": GOLD} for number in range(8)))
    evaluate(workflow.version, deployment)
    assert model.most_in_flight == 4


def test_a_model_that_is_away_ends_it_early_and_what_is_done_is_kept(
    workflow: Workflow, deployment: Deployment, add: Add
) -> None:
    add(
        *(
            {"name": f"case {number}", "text": f"{LETTER}[[401]]{number}", "values": GOLD}
            for number in range(5)
        )
    )
    one_lane = replace(deployment, in_flight=1)
    row = evaluate(workflow.version, one_lane)
    assert (row.done, row.right, row.due, row.said) == (3, 0, 12, GONE.format(3))
    again = evaluate(workflow.version, one_lane)
    assert again.reused == 0, "that a server was away says nothing about the version"
    assert begin_evaluation(version=workflow.version, by=None)
    run_evaluations(deployment=None)
    assert Evaluation.objects.first().said == NO_MODEL


def test_a_case_whose_file_is_gone_is_wrong_and_the_others_go_on(
    workflow: Workflow, deployment: Deployment, add: Add
) -> None:
    add({"name": "a", "text": LETTER, "values": GOLD}, {"name": "b", "text": LETTER + "b", "values": GOLD})
    lost = Case.objects.get(name="a").sources.get()
    lost.file.storage.delete(lost.file.name)
    row = evaluate(workflow.version, deployment)
    assert (row.done, row.right, row.due) == (2, 4, 8)
    assert "the log says how" in row.results.get(case__name="a").error


def test_who_may_begin_one_and_when(workflow: Workflow, admin: Any, add: Add) -> None:
    version = workflow.version
    with pytest.raises(InvalidInput, match="has no cases yet"):
        begin_evaluation(version=version, by=admin)
    add({"name": "a", "text": LETTER, "values": GOLD})
    other = make_workflow("other")
    for person in (make_user(can=MANAGER, on=workflow), make_user(can=ADMIN, on=other)):
        with pytest.raises(NotPermitted):
            begin_evaluation(version=version, by=person)
    unused = copy_version(version=version, by=admin)
    part = part_of(unused)
    begin_evaluation(version=unused, by=admin)
    with pytest.raises(Conflict, match="under way"):
        begin_evaluation(version=unused, by=admin)
    unused.refresh_from_db()
    with pytest.raises(Refused):
        change_version(version=unused, part=part, by=admin)
    assert Evaluation.objects.get().by == admin


def test_an_evaluation_counts_to_the_budget_and_ends_in_words_before_it_is_passed(
    workflow: Workflow, deployment: Deployment, model: ScriptedModel, add: Add
) -> None:
    Price.objects.create(model="scripted", prompt=1000, completion=1000)
    Budget.objects.create(workflow=workflow, per_day=Decimal("0.01"))
    add(
        {"name": "one", "text": LETTER, "values": GOLD},
        {"name": "two", "text": LETTER + "more", "values": GOLD},
    )
    row = evaluate(workflow.version, deployment)
    assert not model.requests
    assert "the budget of the day has too little left" in row.said
    assert (row.ended_at is not None, row.results.count()) == (True, 0)
    Budget.objects.update(per_day=1000)
    row = evaluate(workflow.version, deployment)
    assert outcomes(row) == {"one": "ok", "two": "ok"}
    costs = sum(one.cost for one in row.results.all())
    assert costs > 0
    assert {one.spent for one in Spending.objects.filter(span__in=("day", "month"))} == {costs}


def test_a_case_waits_for_money_that_only_its_own_calls_hold(
    workflow: Workflow, deployment: Deployment, model: ScriptedModel, add: Add
) -> None:
    Price.objects.create(model="scripted", prompt=100, completion=200)
    budget = Budget.objects.create(workflow=workflow, per_day=1000)
    add({"name": "first", "text": LETTER, "values": GOLD})
    evaluate(workflow.version, deployment)
    worst = Reservation.objects.get().amount
    # Two calls at their most, and far more of them at what they cost.
    Budget.objects.filter(pk=budget.pk).update(per_day=round(worst * Decimal("2.5"), 4))
    model.latency = 0.2
    add(*({"name": f"case {number}", "text": f"{LETTER}{number}", "values": GOLD} for number in range(7)))
    row = evaluate(workflow.version, deployment)
    assert (row.said, row.done, row.total) == ("", 8, 8)
    assert set(outcomes(row).values()) == {"ok"}
    assert Spending.objects.get(span="day").held == 0


def test_a_repeated_evaluation_says_the_same_of_what_an_item_costs(
    workflow: Workflow, deployment: Deployment, add: Add
) -> None:
    Price.objects.create(model="scripted", prompt=1000, completion=2000)
    add(*({"name": f"case {number}", "text": f"{LETTER}{number}", "values": GOLD} for number in range(2)))
    evaluate(workflow.version, deployment)
    cost = cost_of_an_item(workflow=workflow)
    assert cost
    assert evaluate(workflow.version, deployment).reused == 2
    assert cost_of_an_item(workflow=workflow) == cost


def test_a_server_that_was_away_is_not_the_attention_that_was_expected(
    workflow: Workflow, deployment: Deployment, add: Add
) -> None:
    add(
        {"name": "away", "text": LETTER + "[[401]]", "expect": "attention"},
        {"name": "refused", "text": LETTER + "[[refusal]]", "expect": "attention"},
    )
    row = evaluate(workflow.version, deployment)
    assert {one.case.name: is_right(one) for one in row.results.select_related("case")} == {
        "away": False, "refused": True,
    }  # fmt: skip


def test_cpu_seconds_of_calls_in_flight_add_up_to_what_was_computed(
    workflow: Workflow, deployment: Deployment, model: ScriptedModel, add: Add
) -> None:
    """A process that computes one second in each: eight cases cannot have taken more than what went by."""
    model.latency = 0.2
    add(*({"name": f"case {number}", "text": f"{LETTER}{number}", "values": GOLD} for number in range(8)))
    began = time.monotonic()
    row = evaluate(workflow.version, replace(deployment, cpu_seconds=lambda: time.monotonic() - began))
    told = [one.cpu_seconds for one in row.results.all()]
    assert 0.3 < sum(told) <= time.monotonic() - began
    assert all(told)


def test_a_call_of_another_server_beside_the_embedded_model_took_no_cpu_of_it(
    workflow: Workflow, deployment: Deployment, add: Add, admin: Any
) -> None:
    Price.objects.create(model="scripted", prompt=1000, completion=2000)
    address = deployment.profile.base_url
    Version.objects.filter(pk=workflow.version_id).update(profile={"base_url": address, "model": "scripted"})
    here = deployment.profile.model_copy(update={"base_url": "http://127.0.0.1:1/v1"})
    add({"name": "a", "text": LETTER, "values": GOLD})
    row = evaluate(workflow.version, replace(deployment, profile=here, cpu_seconds=lambda: 1.0))
    result = row.results.get()
    assert (result.outcome, result.cpu_seconds) == ("ok", None)
    page = signed_in(admin).get(f"/admin/workflows/evaluation/{row.pk}/change/").content.decode()
    assert f"cost {told(result.cost)}." in page
