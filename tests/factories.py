"""What tests begin with: plain functions, each of which makes one thing and what it cannot be without."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from workflows.access import Action, grant
from workflows.decisions import approve
from workflows.intake import Upload, store_source
from workflows.models import (
    Brief,
    Budget,
    Case,
    CaseResult,
    Delivery,
    Destination,
    Evaluation,
    Field,
    FieldResult,
    Item,
    Label,
    RegisterEntry,
    Rule,
    Run,
    Source,
    Stage,
    Version,
    Workflow,
)
from workflows.people import system_user
from workflows.register import enter
from workflows.states import FOR_A_PERSON, State
from workflows.transitions import move

STAFF = (Action.VIEW, Action.SUBMIT, Action.REVIEW)
SENIOR = (*STAFF, Action.DECIDE_SENSITIVE, Action.HANDLE_ESCALATION)
MANAGER = (Action.VIEW, Action.REPORTS, Action.EXPORT)
ADMIN = (Action.VIEW, Action.MANAGE, Action.ACCESS)

FIELDS: tuple[dict[str, Any], ...] = (
    {"key": "name", "label": "Name", "kind": "text", "required": True},
    {"key": "total", "label": "Total", "kind": "money"},
    {"key": "due", "label": "Due date", "kind": "date"},
    {"key": "topic", "label": "Topic", "kind": "choice", "needs_evidence": False,
     "choices": [{"key": "quote", "label": "Quote", "hint": ""}, {"key": "other", "label": "Other", "hint": ""}]},
)  # fmt: skip
VALUES: dict[str, Any] = {
    "name": "Ines Okafor", "total": {"amount": "12.50", "currency": "EUR"}, "due": "2026-11-30", "topic": "quote",
}  # fmt: skip
# From `received`, the states on the way to each one.
_WAYS: dict[State, tuple[State, ...]] = {
    State.RECEIVED: (),
    State.WORKING: (State.WORKING,),
    State.IN_REVIEW: (State.WORKING, State.IN_REVIEW),
    State.ESCALATED: (State.WORKING, State.ESCALATED),
    State.ATTENTION: (State.WORKING, State.ATTENTION),
    State.REJECTED: (State.WORKING, State.IN_REVIEW, State.REJECTED),
    State.SKIPPED: (State.SKIPPED,),
}
_numbers = itertools.count(1)


def make_user(
    name: str = "",
    *,
    staff: bool = True,
    superuser: bool = False,
    can: Iterable[Action] = (),
    on: Workflow | None = None,
) -> Any:
    """A user who may come into the admin, with grants on one workflow when both are given."""
    name = name or f"person-{next(_numbers)}"
    user = get_user_model().objects.create(
        username=name, email=f"{name}@people.example", is_staff=staff, is_superuser=superuser
    )
    if on is not None:
        grant_all(to=user, on=on, actions=can)
    return user


def grant_all(*, to: Any, on: Workflow, actions: Iterable[Action] = tuple(Action)) -> None:
    for action in actions:
        grant(action=action, workflow=on, to=to)


def make_workflow(
    slug: str = "", *, name: str = "", fields: Sequence[dict[str, Any]] = FIELDS, rules: Sequence[dict[str, Any]] = (),
    stage: Stage = Stage.LIVE, hold_seconds: int = 0, destinations: Sequence[dict[str, Any]] = ({"kind": "register", "name": "Register"},),
    owner: Any = None,
) -> Workflow:  # fmt: skip
    """A workflow with groups, an active version 1 and its fields, and destinations."""
    slug = slug or f"workflow-{next(_numbers)}"
    workflow = Workflow.objects.create(
        slug=slug, name=name or slug.replace("-", " ").capitalize(), stage=stage, stage_reason="Opened for a test",
        hold_seconds=hold_seconds, owner=owner,
        reviewers=Group.objects.get_or_create(name=f"{slug} reviewers")[0],
        escalation=Group.objects.get_or_create(name=f"{slug} seniors")[0],
    )  # fmt: skip
    workflow.version = make_version(workflow=workflow, fields=fields, rules=rules)
    workflow.save()
    for destination in destinations:
        Destination.objects.create(workflow=workflow, **destination)
    return workflow


def make_ready(workflow: Workflow) -> Any:
    """Meets every check before a workflow goes live, but for what its owner may still take away. The owner, who manages it."""
    owner = workflow.owner or make_user()
    grant_all(to=owner, on=workflow, actions=ADMIN)
    workflow.owner = owner
    workflow.save(update_fields=["owner"])
    deputy = make_user(can=STAFF, on=workflow)
    reviewer = make_user(can=SENIOR, on=workflow)
    reviewer.groups.add(workflow.reviewers)
    now = timezone.now()
    Brief.objects.create(
        workflow=workflow, task="Enter what comes in", deputy=deputy, per_week_low=100, per_week_high=120, minutes_by_hand=6,
        hour_cost=30, metric_name="Minutes an item", metric_unit="minutes", metric_baseline=6, metric_target=2,
        instructions="Check the total first.", follow_up_on=timezone.localdate() + timedelta(days=90),
        access_reviewed_at=now + timedelta(seconds=1), access_reviewed_by=owner,
    )  # fmt: skip
    Budget.objects.create(workflow=workflow, per_month=50)
    workflow.destinations.update(tested_at=now)
    make_evaluation(workflow=workflow, cases=12, messy=("scan",))
    return owner


def make_evaluation(
    *, workflow: Workflow, cases: int, messy: Sequence[str] = (), cost: str = "0"
) -> Evaluation:
    """An ended one of the active version over so many new cases."""
    now = timezone.now()
    evaluation = Evaluation.objects.create(
        version=workflow.version, total=cases, done=cases, right=cases, due=cases, started_at=now, ended_at=now
    )  # fmt: skip
    for _ in range(cases):
        number = next(_numbers)
        case = Case.objects.create(
            workflow=workflow, name=f"case {number}", origin="yaml", content_hash=str(number), messy=list(messy)
        )  # fmt: skip
        Label.objects.create(workflow=workflow, case=case, key="name", value="Ines Okafor", origin="gold")
        CaseResult.objects.create(
            evaluation=evaluation,
            case=case,
            outcome="ok",
            cost=cost,
            input_hash=case.input_hash,
            right=1,
            due=1,
        )
    return evaluation


def make_version(
    *,
    workflow: Workflow,
    number: int = 1,
    fields: Sequence[dict[str, Any]] = FIELDS,
    rules: Sequence[dict[str, Any]] = (),
) -> Version:
    version = Version.objects.create(workflow=workflow, number=number, instructions="Read the message.")
    for position, field in enumerate(fields):
        Field.objects.create(version=version, position=position, **field)
    for position, rule in enumerate(rules):
        Rule.objects.create(version=version, position=position, **rule)
    return version


def make_item(
    *, workflow: Workflow, state: State = State.IN_REVIEW, title: str = "", text: str = "Ines Okafor owes 12.50 EUR.",
    values: dict[str, Any] | None = None, by: Any = None, to_check: Sequence[str] = (), **columns: Any,
) -> Item:  # fmt: skip
    """An item with one source that was read, and a run where its state means that it was drafted.

    It comes to its state through the transitions, so its history, its review and its due time are there. `to_check` are
    keys of the fields that a person has to look at.
    """
    item = Item(
        workflow=workflow, version=workflow.version, title=title or f"Item {next(_numbers)}", content_hash=f"{next(_numbers):064d}",
        submitted_by=by or system_user(), **columns,
    )  # fmt: skip
    item.save(force_insert=True)
    source = store_source(
        item=item,
        position=0,
        kind=Source.Kind.TEXT,
        upload=Upload(name="", content=text.encode(), media_type="text/plain"),
    )
    source.pages.create(number=1, text=text, method="text")
    source.read_at = timezone.now()
    source.save()
    values = VALUES if values is None else values
    for step in _WAYS[state]:
        move(
            item=item,
            to=step,
            by=system_user(),
            why="Made for a test",
            **_columns(to=step, item=item, values=values, to_check=to_check),
        )
    item.refresh_from_db()
    return item


def _columns(*, to: State, item: Item, values: dict[str, Any], to_check: Sequence[str]) -> dict[str, Any]:
    if to == State.ATTENTION:
        return {
            "problem": {
                "outcome": "timeout", "happened": "The model did not answer in time.", "detail": "",
                "kept": "The item is kept.", "next_step": "Try again.",
            }
        }  # fmt: skip
    if to not in FOR_A_PERSON:
        return {}
    make_run(item=item, values=values)
    reason = {
        "text": "financial: always reviewed", "kind": "rule", "field": "", "value": "", "bar": "",
        "next_step": "Check the item before you approve it.", "doubtful": False,
    }  # fmt: skip
    route = {
        "target": to.value,
        "reasons": [reason],
        "to_check": list(to_check),
        "signal": 0.5,
        "signal_of": "name",
        "extra": {},
    }
    return {"values": values, "route": route, "signal": 0.5}


def make_run(
    *, item: Item, values: dict[str, Any] | None = None, prompt: str = "the prompt", raw: str = "{}"
) -> Run:
    version = item.version or item.workflow.version
    assert version is not None
    run = Run.objects.create(
        item=item, version=version, outcome="ok", model="scripted", prompt=[{"role": "user", "content": prompt}], raw_text=raw,
        draft={}, prompt_tokens=10, completion_tokens=5, ended_at=timezone.now(),
    )  # fmt: skip
    for key, value in (VALUES if values is None else values).items():
        evidence = {
            "status": "verbatim",
            "quote": "",
            "source": 0,
            "page": 1,
            "start": 0,
            "end": 4,
            "boxes": [],
        }
        FieldResult.objects.create(run=run, key=key, value=value, evidence=evidence, signal=0.5)
    return run


def make_entry(
    *,
    workflow: Workflow,
    by: Any = None,
    values: dict[str, Any] | None = None,
    title: str = "",
    **columns: Any,
) -> RegisterEntry:
    """An accepted result in the register, through a real decision; `accepted_at` and other columns of the entry as given."""
    item = make_item(workflow=workflow, title=title, values=values)
    approve(item=item, by=by or make_user(can=SENIOR, on=workflow))
    delivery = Delivery.objects.filter(item=item, destination__kind="register").get()
    delivery.state = Delivery.State.DELIVERED
    delivery.save()
    entry = enter(delivery=delivery, by=system_user())
    if columns:
        RegisterEntry.objects.filter(pk=entry.pk).update(**columns)
        entry.refresh_from_db()
    return entry


def write_events() -> None:
    """Into the audit log, in a test whose transaction never ends."""
    wrapper: Any = connection
    wrapper.write_collected()
