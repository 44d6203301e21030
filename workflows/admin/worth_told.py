"""What a workflow's page says of its worth, its stage and its launch gate, to one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse

from workflows.access import Action, may
from workflows.briefs import brief_of, follow_up_due
from workflows.gate import Check, checks, currency_told, unmet
from workflows.measuring import measured_of
from workflows.models import Stage, Workflow
from workflows.worth import so_what

# What a person may do from each stage, in the order of the buttons. Live stands apart: it has the gate.
NEXT: dict[str, tuple[tuple[Stage, str], ...]] = {
    Stage.SETUP: ((Stage.TRIAL, "Go on trial"), (Stage.RETIRED, "Retire…")),
    Stage.TRIAL: ((Stage.PAUSED, "Pause…"), (Stage.RETIRED, "Retire…")),
    Stage.LIVE: ((Stage.PAUSED, "Pause…"), (Stage.RETIRED, "Retire…")),
    Stage.PAUSED: ((Stage.TRIAL, "Go on trial"), (Stage.RETIRED, "Retire…")),
    Stage.RETIRED: ((Stage.SETUP, "Set it up again"),),
}
MAY_GO_LIVE = (Stage.SETUP, Stage.TRIAL, Stage.PAUSED)
BUTTONS = {
    "people": "Name them", "reviewers": "Give it to them", "metric": "Fill it in", "messy": "Add cases", "evaluation": "Measure it",
    "destinations": "Send a test", "access": "Look through", "budget": "Set it", "instructions": "Write them",
    "follow_up": "Set the day",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckTold:
    """`link` is empty where this person cannot mend it."""

    check: Check
    link: str
    button: str


def worth_told(*, workflow: Workflow, user: Any) -> dict[str, Any]:
    """Empty for people who see the items and neither manage nor see reports."""
    manages = may(user, Action.MANAGE, workflow)
    if not manages and not may(user, Action.REPORTS, workflow):
        return {}
    brief = brief_of(workflow=workflow)
    found = checks(workflow=workflow)
    missing = unmet(found)
    owns = manages and workflow.owner_id == user.pk
    return {
        "brief": brief,
        "so_what": so_what(brief=brief, measured=measured_of(workflow=workflow), currency=currency_told()),
        "checks": [_told(check, workflow=workflow, manages=manages, user=user) for check in found],
        "met": len(found) - len(missing),
        "unmet": len(missing),
        "goes_live": workflow.stage in MAY_GO_LIVE,
        "owns": owns,
        "next_stages": [
            {"stage": stage.value, "words": words, "asks": words.endswith("…")}
            for stage, words in NEXT[workflow.stage]
        ]
        if manages
        else [],
        "follow_up_due": follow_up_due(workflow=workflow, brief=brief),
        "launch": workflow.launches.select_related("by").first(),
    }


def _told(check: Check, *, workflow: Workflow, manages: bool, user: Any) -> CheckTold:
    mends = may(user, Action.ACCESS, workflow) if check.place == "access" else manages
    if check.met or not mends:
        return CheckTold(check=check, link="", button="")
    return CheckTold(check=check, link=_link(check.place, workflow=workflow), button=BUTTONS[check.key])


def _link(place: str, *, workflow: Workflow) -> str:
    page = reverse("admin:workflows_workflow_change", args=[workflow.pk])
    brief = reverse("admin:workflows_workflow_brief", args=[workflow.pk])
    match place:
        case "brief":
            return f"{brief}#task"
        case "metric" | "often" | "instructions" | "follow_up":
            return f"{brief}#{place}"
        case "cases":
            return _of(
                "workflows_case_changelist",
                query=f"?workflow__id__exact={workflow.pk}",
                otherwise=f"{page}#versions",
            )
        case "budget":
            return _of("workflows_workflow_budget", workflow.pk, otherwise=f"{page}#settings")
        case "evaluation":
            return f"{page}#versions"
    return f"{page}#{place}"


def _of(name: str, *args: Any, query: str = "", otherwise: str) -> str:
    try:
        return reverse(f"admin:{name}", args=args) + query
    except NoReverseMatch:
        return otherwise
