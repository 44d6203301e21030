"""A workflow in which every text is a canary, and every address that leads to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from reviews.models import Escalation, Review, Stuck
from tests.factories import make_item, make_run, make_user, make_version, make_workflow
from workflows.access import PATHS, Action
from workflows.api_keys import create_api_key
from workflows.decisions import approve
from workflows.evaluation.cases import import_cases
from workflows.models import (
    Brief,
    Budget,
    Case,
    CaseResult,
    Delivery,
    Destination,
    Evaluation,
    Item,
    MetricActual,
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
    rows: dict[str, Model]  # by model label: one row of each registered model
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
    case, evaluation = _make_evaluation(workflow=workflow, by=boss)
    rows: list[Model] = [
        workflow, make_version(workflow=workflow, number=2, fields=FIELDS, rules=RULES), Destination.objects.get(workflow=workflow),
        item, make_run(item=item, values=values, prompt=f"{CANARY} prompt", raw=f"{CANARY} raw"), delivery,
        RegisterEntry.objects.get(), row, Review.objects.filter(item=item).get(),
        export, case, evaluation,
        Escalation.objects.get(item=asked), Stuck.objects.get(pk=stuck.pk),
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


def addresses(secret: Secret) -> dict[str, str]:
    """Every admin address of every registered model of ours, by the name of its URL."""
    found: dict[str, str] = {}
    for model in our_models():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        pk = secret.rows[model._meta.label_lower].pk
        if getattr(admin.site._registry[model], "list_only", False):
            found[f"{name}_changelist"] = reverse(f"admin:{name}_changelist")
            continue
        for view in ("changelist", "add"):
            found[f"{name}_{view}"] = reverse(f"admin:{name}_{view}")
        for view in ("change", "delete", "history"):
            found[f"{name}_{view}"] = reverse(f"admin:{name}_{view}", args=[pk])
        history: Any = getattr(model, "history", None)
        version = history.filter(id=pk).first().pk if history and history.filter(id=pk).exists() else 1
        found[f"{name}_simple_history"] = reverse(f"admin:{name}_simple_history", args=[pk, version])
    found["reports"] = reverse("admin:reports")
    found["reports_export"] = reverse("admin:reports_export")
    found["workflows_registerentry_export"] = reverse("admin:workflows_registerentry_export")
    item = secret.item
    dead = secret.rows["workflows.delivery"]
    found["workflows_item_find"] = reverse("admin:workflows_item_find", args=[item.pk, item.sources.get().pk])
    found["workflows_item_picture"] = reverse(
        "admin:workflows_item_picture", args=[item.pk, item.sources.get().pk, 1, 1000]
    )
    for act in ("decide", "claim", "renew", "release", "take_over", "move", "split", "check", "reasons"):
        found[f"workflows_item_{act}"] = reverse(f"admin:workflows_item_{act}", args=[item.pk])
    escalation = secret.rows["reviews.escalation"]
    found["reviews_review_next"] = reverse("admin:reviews_review_next")
    found["reviews_escalation_remind"] = reverse("admin:reviews_escalation_remind", args=[escalation.pk])
    found["workflows_item_source"] = reverse(
        "admin:workflows_item_source", args=[item.pk, item.sources.get().pk]
    )
    source = item.sources.get()
    found["workflows_item_find"] = reverse("admin:workflows_item_find", args=[item.pk, source.pk])
    found["workflows_item_picture"] = reverse(
        "admin:workflows_item_picture", args=[item.pk, source.pk, 1, 1000]
    )
    workflow, version = secret.workflow, secret.rows["workflows.version"]
    for view in ("access", "access_reviewed", "stage", "brief", "budget", "actual", "follow_up"):
        found[f"workflows_workflow_{view}"] = reverse(f"admin:workflows_workflow_{view}", args=[workflow.pk])
    key = secret.rows["workflows.apikey"]
    found["workflows_apikey_rotate"] = reverse("admin:workflows_apikey_rotate", args=[key.pk])
    case, evaluation = secret.rows["workflows.case"], secret.rows["workflows.evaluation"]
    found["workflows_case_active"] = reverse("admin:workflows_case_active", args=[case.pk])
    found["workflows_case_source"] = reverse(
        "admin:workflows_case_source", args=[case.pk, case.sources.get().pk]
    )
    found["workflows_evaluation_progress"] = reverse(
        "admin:workflows_evaluation_progress", args=[evaluation.pk]
    )
    found["workflows_evaluation_change, side by side"] = (
        reverse("admin:workflows_evaluation_change", args=[evaluation.pk]) + f"?with={evaluation.pk - 1}"
    )
    for view in ("copy", "activate", "try", "evaluate"):
        found[f"workflows_version_{view}"] = reverse(f"admin:workflows_version_{view}", args=[version.pk])
    found["workflows_version_try_result"] = reverse(
        "admin:workflows_version_try_result", args=[version.pk, secret.attempt.pk]
    )
    destination = secret.rows["workflows.destination"]
    found["workflows_destination_test"] = reverse("admin:workflows_destination_test", args=[destination.pk])
    found["workflows_item_delivery"] = reverse("admin:workflows_item_delivery", args=[dead.item_id, dead.pk])
    return found
