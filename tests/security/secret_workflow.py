"""A workflow in which every text is a canary. One row of each model that the admin shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import Model
from django.utils import timezone
from django_q.models import Failure, Success

from reviews.models import Escalation, Review, Stuck
from tests.factories import make_item, make_run, make_user, make_version, make_workflow, write_events
from workflows import audit
from workflows.access import PATHS, Action
from workflows.api_keys import create_api_key
from workflows.decisions import approve
from workflows.evaluation.cases import import_cases
from workflows.models import (
    AuditEvent,
    Brief,
    Budget,
    Case,
    CaseResult,
    Delivery,
    Destination,
    Erasure,
    Evaluation,
    Item,
    LegalHold,
    MetricActual,
    Price,
    RegisterEntry,
    RegisterExport,
    Try,
    Workflow,
)
from workflows.register import enter
from workflows.states import State

CANARY = "CANARY"
FIELDS = (
    {"key": "name", "label": f"{CANARY} label", "kind": "text", "hint": f"{CANARY} hint", "required": True},
)
RULES = ({"operator": "always", "reason": f"{CANARY} reason"},)


@dataclass
class Secret:
    workflow: Workflow
    item: Item
    rows: dict[str, Any]  # by model label: one row of each registered model
    key: str
    attempt: Try  # of the boss


def make_secret() -> Secret:
    workflow = make_workflow(
        "canary-workflow", name=f"{CANARY} workflow", fields=FIELDS, rules=RULES,
        destinations=({"kind": "register", "name": f"{CANARY} register"},),
    )  # fmt: skip
    workflow.purpose = f"{CANARY} purpose"
    workflow.save()
    boss = make_user(f"{CANARY}-boss", can=tuple(Action), on=workflow)
    values = {"name": f"{CANARY} value"}
    item = make_item(workflow=workflow, title=f"{CANARY} waiting", text=f"{CANARY} text", values=values)
    accepted = make_item(workflow=workflow, title=f"{CANARY} accepted", values=values)
    approve(item=accepted, by=boss, reason=f"{CANARY} why")
    delivery = Delivery.objects.get(item=accepted)
    delivery.state, delivery.error = Delivery.State.DEAD, f"{CANARY} error"
    delivery.save()
    enter(delivery=delivery, by=boss)
    stuck = make_item(workflow=workflow, title=f"{CANARY} stuck", state=State.ATTENTION)
    attempt = Try.objects.create(
        version=workflow.version, by=boss, text=f"{CANARY} tried", said=f"{CANARY} said", outcome="invalid",
        started_at=timezone.now(), ended_at=timezone.now(),
    )  # fmt: skip
    asked = make_item(workflow=workflow, title=f"{CANARY} asked", state=State.ESCALATED, values=values)
    row, key = create_api_key(workflow=workflow, user=boss, name=f"{CANARY} key")
    export = RegisterExport.objects.create(
        workflow=workflow, by=boss, format="csv", filters=f"search: {CANARY}", rows=1
    )
    Budget.objects.create(workflow=workflow, per_item=77)
    erasure = Erasure.objects.create(
        workflow=workflow, kind="item", by=boss, reason=f"{CANARY} request", items=1, ended_at=timezone.now()
    )
    LegalHold.objects.create(workflow=workflow, item=item, by=boss, reason=f"{CANARY} lawsuit")
    case, evaluation = _make_evaluation(workflow=workflow, by=boss)
    write_events()
    event = AuditEvent.objects.get(kind=audit.Kind.ITEM_DECIDED)
    rows: list[Any] = [
        workflow, make_version(workflow=workflow, number=2, fields=FIELDS, rules=RULES), Destination.objects.get(workflow=workflow),
        item, make_run(item=item, values=values, prompt=f"{CANARY} prompt", raw=f"{CANARY} raw"), delivery,
        RegisterEntry.objects.get(), row, Review.objects.filter(item=item).get(),
        export, case, evaluation, event, erasure,
        Escalation.objects.get(item=asked), Stuck.objects.get(pk=stuck.pk),
        boss, workflow.reviewers, Price.objects.create(model=f"{CANARY} model", prompt=1, completion=1),
        *_tasks(), *_account(make_user(f"{CANARY}-somebody")),
    ]  # fmt: skip
    Brief.objects.create(
        workflow=workflow, task=f"{CANARY} task", deputy=boss, stays_human=f"{CANARY} human", instructions=f"{CANARY} instructions",
        metric_name=f"{CANARY} metric", follow_up_on=timezone.localdate(), timed=[{"what": f"{CANARY} timed", "minutes": "3"}],
    )  # fmt: skip
    MetricActual.objects.create(workflow=workflow, day=timezone.localdate(), value=1, by=boss)
    Try.objects.filter(pk=attempt.pk).update(version=rows[1].pk)
    return Secret(
        attempt=attempt,
        workflow=workflow,
        item=item,
        rows={one._meta.label_lower: one for one in rows},
        key=key,
    )


def _tasks() -> list[Model]:
    """What the queue keeps of a task may say what an item says."""
    ended = {"func": "f", "started": timezone.now(), "stopped": timezone.now(), "result": f"{CANARY} result"}
    return [
        kind.objects.create(id=f"task-{number}", name=f"{CANARY} task", success=kind is Success, **ended)
        for number, kind in enumerate((Success, Failure))
    ]


def _account(person: Any) -> list[Model]:
    """Where somebody is signed in, and what they sign in with."""
    passkey = {
        "name": f"{CANARY} passkey",
        "credential": {"clientExtensionResults": {"credProps": {"rk": True}}},
    }
    return [
        UserSession.objects.create(
            user=person, ip="203.0.113.7", session_key="of-somebody", user_agent=f"{CANARY} browser"
        ),
        Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data=passkey),
    ]


def _make_evaluation(*, workflow: Workflow, by: Any) -> tuple[Case, Evaluation]:
    cases = f"- name: {CANARY} case\n  text: {CANARY} case text\n  values: {{name: {CANARY} gold}}\n"
    import_cases(workflow=workflow, text=cases, format="yaml", by=by)
    case = Case.objects.get()
    ended = {"started_at": timezone.now(), "ended_at": timezone.now()}
    for _ in range(2):
        evaluation = Evaluation.objects.create(
            version=workflow.version, by=by, total=1, done=1, due=1, **ended
        )
        CaseResult.objects.create(
            evaluation=evaluation, case=case, outcome="ok", model=f"{CANARY} model", due=1, input_hash="0",
            values={"name": f"{CANARY} drafted"}, asked_model="m",
            fields=[{"key": "name", "drafted": f"{CANARY} drafted", "gold": f"{CANARY} gold", "right": False}],
        )  # fmt: skip
    return case, evaluation


def our_models() -> list[type[Model]]:
    return [model for model in admin.site._registry if model._meta.label_lower in PATHS]
