"""The demo: four people, three workflows from `fixtures/`, and their inputs as the backlog. Loading again adds nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from config.backends import DEMO_MAIL, DEMO_PASSWORD
from integrations.llm.prices import price_of
from integrations.llm.profiles import deployment_profile
from workflows.access import Action, forget, grant
from workflows.brief_file import BudgetPart
from workflows.evaluation.cases import Imported, import_case_file
from workflows.intake import Upload, submit
from workflows.models import BACKLOG, Brief, Item, Workflow
from workflows.money import own_prices
from workflows.workflow_file import import_workflow, read_workflow_file, write_workflow_file

FOLDER = settings.BASE_DIR / "fixtures"
SLUGS = ("inbound-leads", "supplier-invoices", "call-follow-ups")

LOOK_BACK_AFTER = timedelta(days=90)  # of a launch, in the briefs

ROLES: dict[str, tuple[Action, ...]] = {
    "staff": (Action.VIEW, Action.SUBMIT, Action.REVIEW),
    "senior": (Action.VIEW, Action.SUBMIT, Action.REVIEW, Action.DECIDE_SENSITIVE, Action.HANDLE_ESCALATION),
    "manager": (Action.VIEW, Action.REPORTS, Action.EXPORT),
    "admin": (Action.VIEW, Action.MANAGE, Action.ACCESS),
}


@dataclass(frozen=True, slots=True)
class Gold:
    """What a careful person would enter for one input."""

    slug: str
    inputs: tuple[str, ...]
    held_out: bool
    expect: str  # drafted, attention, skipped
    values: dict[str, Any]
    title: str = ""
    messy: list[str] = field(default_factory=list)

    @property
    def external_id(self) -> str:
        return f"demo:{self.inputs[0]}"


def golds(slug: str) -> list[Gold]:
    rows = yaml.safe_load((FOLDER / slug / "gold.yaml").read_text())
    return [
        Gold(
            slug=slug, inputs=tuple([row["input"]] if isinstance(row["input"], str) else row["input"]),
            held_out=bool(row.get("held_out")), expect=row.get("expect", "drafted"), values=row.get("values") or {},
            title=row.get("title") or "", messy=row.get("messy") or [],
        )
        for row in rows
    ]  # fmt: skip


def load_demo() -> Iterator[str]:
    """Make what is missing; yields a line about each step that did something."""
    people = make_people()
    if not knows_price():
        yield "No price of the model is known, so the demo sets no budgets; enter one under “Prices of models”."
    for slug in SLUGS:
        workflow, changed = load_workflow(slug=slug, people=people)
        if changed:
            yield f"{workflow.name}: {workflow.version} loaded"
        cases = load_cases(workflow=workflow)
        if cases.made or cases.changed:
            yield f"{workflow.name}: {cases.made + cases.changed} cases with their gold values loaded"
        new = sum(_submit(workflow=workflow, gold=gold, by=people["staff"]) for gold in golds(slug))
        if new:
            yield f"{workflow.name}: {new} inputs put in the backlog"


def make_people() -> dict[str, Any]:
    return {name: _person(name) for name in ROLES}


def load_workflow(*, slug: str, people: dict[str, Any]) -> tuple[Workflow, bool]:
    """One of the demo's workflows with everybody's grants, and whether its file said anything new."""
    workflow, _, changed = import_workflow(
        text=_fitted((FOLDER / slug / "workflow.yaml").read_text()),
        by=None,
        break_glass="The demo’s own file has another version",
    )
    _grant(workflow=workflow, people=people)
    return workflow, changed


def load_cases(*, workflow: Workflow) -> Imported:
    """What `golds` reads, as cases to measure a version on; each is named after its input."""
    return import_case_file(
        workflow=workflow, path=FOLDER / workflow.slug / "gold.yaml", by=None, origin="gold"
    )


def demo_items() -> Any:
    return Item.objects.filter(channel="demo", external_id__startswith="demo:")


def _person(name: str) -> Any:
    user, made = get_user_model().objects.get_or_create(
        username=name, defaults={"email": f"{name}{DEMO_MAIL}", "is_staff": True}
    )
    if made:
        user.set_password(DEMO_PASSWORD)
        user.save(update_fields=["password"])
        if name == "admin":
            codenames = ("add_workflow", "view_price", "add_price", "change_price", "delete_price")
            user.user_permissions.add(
                *Permission.objects.filter(codename__in=codenames, content_type__app_label="workflows")
            )
    return user


def _fitted(text: str) -> str:
    """The file as it holds here and today. The day of its look back is counted from the first loading; and where nobody knows
    what the model's calls cost it sets no limits, which would keep the model from every item."""
    file = read_workflow_file(text=text)
    if file.brief is not None:
        before = Brief.objects.filter(workflow__slug=file.slug).values_list("follow_up_on", flat=True).first()
        brief = file.brief.model_copy(
            update={"follow_up_on": before or timezone.localdate() + LOOK_BACK_AFTER}
        )
        file = file.model_copy(update={"brief": brief})
    if file.budget is not None and not knows_price():
        file = file.model_copy(update={"budget": BudgetPart(alert_percent=file.budget.alert_percent)})
    return write_workflow_file(file=file)


def knows_price() -> bool:
    """Whether what the deployment's model costs is known; the model that runs here costs nothing."""
    named = deployment_profile(os.environ)
    return named is None or (
        price_of(
            model=named.model, base_url=named.base_url, overrides=own_prices(), usd_rate=settings.USD_RATE
        )
        is not None
    )


def _grant(*, workflow: Workflow, people: dict[str, Any]) -> None:
    """Through groups, as a team would: reviewers, those who answer escalations, managers, admins."""
    groups = {
        "staff": workflow.reviewers or _group(f"{workflow.name}: reviewers"),
        "senior": workflow.escalation or _group(f"{workflow.name}: seniors"),
        "manager": _group("Managers"),
        "admin": _group("Workflow admins"),
    }
    for role, group in groups.items():
        people[role].groups.add(group)
        for action in ROLES[role]:
            grant(action=action, workflow=workflow, to=group)
        forget(people[role])


def _group(name: str) -> Group:
    return Group.objects.get_or_create(name=name)[0]


def _submit(*, workflow: Workflow, gold: Gold, by: Any) -> bool:
    folder: Path = FOLDER / gold.slug / "inputs"
    uploads = [Upload(name=name, content=(folder / name).read_bytes()) for name in gold.inputs]
    return submit(
        workflow=workflow, by=by, channel="demo", files=uploads, title=gold.title or gold.inputs[0],
        external_id=gold.external_id, priority=BACKLOG,
    ).created  # fmt: skip
