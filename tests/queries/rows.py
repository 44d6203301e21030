"""Rows of every kind, as many as asked, and every address of the admin that shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import RequestFactory
from django.urls import NoReverseMatch, URLPattern, URLResolver, reverse
from django.utils import timezone

from tests.factories import (
    ADMIN,
    MANAGER,
    SENIOR,
    STAFF,
    grant_all,
    make_evaluation,
    make_item,
    make_run,
    make_version,
    make_workflow,
    write_events,
)
from workflows.access import PATHS, Action, grant
from workflows.api_keys import create_api_key
from workflows.decisions import approve
from workflows.evaluation.cases import import_cases
from workflows.handoff import deliver_due
from workflows.intake import Upload, store_source
from workflows.models import (
    Brief,
    CaseResult,
    Delivery,
    Erasure,
    Evaluation,
    FollowUp,
    Item,
    Launch,
    MetricActual,
    Source,
    Workflow,
)
from workflows.states import State

ROLES: dict[str, tuple[Action, ...]] = {
    "staff": STAFF, "senior": SENIOR, "manager": MANAGER, "admin": ADMIN, "everything": tuple(Action),
}  # fmt: skip
TOTAL: dict[str, Any] = {"key": "total", "label": "Total", "kind": "money"}
# Screens of superusers are Django's own, and these are no screens.
NOT_OURS = ("auth_", "django_q_", "workflows_price_")
NO_SCREENS = {
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "autocomplete",
    "jsi18n",
    "view_on_site",
    "app_list",
}


@dataclass(frozen=True)
class Large:
    """The rows whose own pages are measured: each has as many parts as there are rows."""

    workflow: Workflow
    item: Item
    others: dict[str, Item]  # by state


def make_rows(*, count: int, people: dict[str, Any]) -> Large:
    """`count` of what a list shows, and one workflow and one item with `count` of what their pages show."""
    boss = people["everything"]
    many = make_workflow(fields=[{"key": "name", "label": "Name", "kind": "text", "required": True}, TOTAL])
    large = make_workflow(fields=_fields(count), rules=_rules(count), destinations=_destinations(count))
    for workflow in (many, large):
        for role, actions in ROLES.items():
            grant_all(to=people[role], on=workflow, actions=actions)
    others: dict[str, Item] = {}
    for number in range(count):
        values = {"name": "Ines Okafor", "total": {"amount": "12.50", "currency": "EUR"}}
        for state in (State.IN_REVIEW, State.ESCALATED, State.ATTENTION, State.REJECTED):
            others[state] = make_item(workflow=many, state=state, title=f"{state} {number}", values=values)
        accepted = make_item(workflow=many, title=f"accepted {number}", values=values)
        approve(item=accepted, by=boss)
        others["accepted"] = accepted
        create_api_key(workflow=many, user=boss, name=f"key {number}")
        group = Group.objects.create(name=f"group {number} of {large.pk}")
        grant(action=Action.VIEW, workflow=large, to=group)
    _worth(workflow=large, count=count, by=boss)
    for number in range(2, count + 2):
        make_version(workflow=large, number=number, fields=_fields(count), rules=_rules(count))
    _evaluations(workflow=large, count=count, by=boss)
    deliver_due(limit=10 * count)
    Delivery.objects.filter(item=others["accepted"]).update(state=Delivery.State.DEAD, error="refused")
    write_events()
    return Large(workflow=large, item=_large_item(workflow=large, count=count), others=others)


def _evaluations(*, workflow: Workflow, count: int, by: Any) -> None:
    """`count` cases, and as many evaluations over all of them; in the newest every field of every case is wrong."""
    specs = workflow.version.specs()
    head = ",".join(["case", "text", "messy", *(spec.key for spec in specs)])
    lines = "".join(f"case {n},Text {n},scan,{'Ines,' * (len(specs) - 1)}12.50 EUR\n" for n in range(count))
    import_cases(workflow=workflow, text=f"{head}\n{lines}", format="csv", by=by)
    ended = {"started_at": timezone.now(), "ended_at": timezone.now(), "total": count, "done": count}
    rows = [Evaluation.objects.create(version=workflow.version, by=by, **ended) for _ in range(count)]
    told = [
        {"key": spec.key, "drafted": None, "gold": "Ines", "right": False}
        for spec in specs
        if spec.key != "total"
    ]
    CaseResult.objects.bulk_create(
        CaseResult(
            evaluation=row, case=case, outcome="ok", values={}, fields=told, due=len(told), input_hash="h",
            asked_model="m",
        )
        for row in rows
        for case in workflow.cases.all()
    )  # fmt: skip


def _worth(*, workflow: Workflow, count: int, by: Any) -> None:
    """What its page and its brief show of its worth: cases, launches, timed items, actuals, look backs that were."""
    today = timezone.localdate()
    Brief.objects.create(
        workflow=workflow, deputy=by, follow_up_on=today, instructions="Look twice.",
        timed=[{"what": f"item {number}", "minutes": "3"} for number in range(count)],
    )  # fmt: skip
    make_evaluation(workflow=workflow, cases=count, messy=("scan",))
    for number in range(count):
        MetricActual.objects.create(
            workflow=workflow, day=today - timedelta(days=number), value=number, by=by
        )
        FollowUp.objects.create(workflow=workflow, due_on=today, findings="It was.", decision="keep", by=by)
        Erasure.objects.create(workflow=workflow, kind="retention", reason="Kept long enough", items=1)
        Launch.objects.create(workflow=workflow, from_stage="trial", by=by, way="admin", checks=[])


def _fields(count: int) -> list[dict[str, Any]]:
    return [
        {"key": f"field-{n}".replace("-", "_"), "label": f"Field {n}", "kind": "text"}
        for n in range(count - 1)
    ] + [TOTAL]


def _rules(count: int) -> list[dict[str, Any]]:
    return [
        {"field": "total", "operator": "above", "value": str(n), "reason": f"rule {n}"} for n in range(count)
    ]


def _destinations(count: int) -> list[dict[str, Any]]:
    return [{"kind": "register", "name": f"Register {n}", "active": n == 0} for n in range(count)]


def _large_item(*, workflow: Workflow, count: int) -> Item:
    """Several pages, sources, runs, and a mark for each field."""
    values: dict[str, Any] = {spec["key"]: "Ines" for spec in _fields(count) if spec is not TOTAL}
    values["total"] = {"amount": "12.50", "currency": "EUR"}
    item = make_item(workflow=workflow, title="large", values=values)
    source = item.sources.get()
    text = "Ines Okafor owes 12.50 EUR."
    for number in range(2, count + 1):
        source.pages.create(number=number, text=text, method="text")
        upload = Upload(name=f"{number}.txt", content=f"{number} {text}".encode(), media_type="text/plain")
        other = store_source(item=item, position=number, kind=Source.Kind.FILE, upload=upload)
        other.pages.create(number=1, text=text, method="text")
        other.read_at = timezone.now()
        other.save()
        make_run(item=item, values=values)
    return item


def addresses(*, large: Large, person: Any) -> dict[str, str]:
    """Every address of the admin that can be opened, by a name of ours; `person` sees all rows."""
    found: dict[str, str] = {}
    mains: dict[str, Model] = {
        "workflows_workflow": large.workflow,
        "workflows_item": large.item,
        "workflows_version": large.workflow.versions.get(number=2),
    }
    for model, screen in admin.site._registry.items():
        if model._meta.label_lower not in PATHS:
            continue
        request = RequestFactory().get("/")
        request.user = person
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        row = mains.get(name) or screen.get_queryset(request).order_by("-pk").first()
        if row is not None:
            mains[name] = row
        if screen.search_fields:
            found[f"{name}_changelist, searched"] = reverse(f"admin:{name}_changelist") + "?q=review"
    for name in sorted(set(_names(admin.site.get_urls()))):
        if name.startswith(NOT_OURS) or name.endswith("_delete") or name in NO_SCREENS:
            continue
        model_name = "_".join(name.split("_")[:2])
        if (address := _address(name=name, row=mains.get(model_name))) is not None:
            found[name] = address
    newest = mains["workflows_evaluation"]
    found["workflows_evaluation_change, side by side"] = (
        reverse("admin:workflows_evaluation_change", args=[newest.pk]) + f"?with={newest.pk - 1}"
    )
    for state, item in large.others.items():
        found[f"workflows_item_change, {state}"] = reverse("admin:workflows_item_change", args=[item.pk])
    return found


def _names(patterns: list[Any]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name


def _address(*, name: str, row: Model | None) -> str | None:
    for arguments in ([], [row.pk] if row else []):
        try:
            return reverse(f"admin:{name}", args=arguments)
        except NoReverseMatch:
            continue
    return None
