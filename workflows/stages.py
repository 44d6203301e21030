"""The one place that changes the stage of a workflow. Every door comes through here: admin, API, command, import.

To `live` leads the launch gate: all of its checks, or the owner with a reason. Each launch is kept as it was, with the
checks as they stood, and a workflow that was paused passes the gate again.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from django.db import transaction

from workflows import audit
from workflows.access import Action, may
from workflows.errors import InvalidInput, NotPermitted
from workflows.gate import Check, checks, unmet
from workflows.models import Launch, Stage, Workflow
from workflows.people import acting, system_user
from workflows.storable import storable

Way = Literal["admin", "api", "command", "import"]
MOST_REASON = 300


def set_stage(*, workflow: Workflow, stage: Stage, by: Any, reason: str = "", way: Way) -> Workflow:
    """`by` None is whoever runs the installation: at the command line there is no sign-in, and a reason is due instead.

    Raises NotPermitted or InvalidInput, and nothing was changed. At the stage already, a new reason replaces the old.
    """
    reason = storable(reason).strip()
    if len(reason) > MOST_REASON:
        raise _needs_reason(f"The reason has {len(reason)} characters; {MOST_REASON} can be kept.")
    with transaction.atomic():
        row = Workflow.objects.select_for_update(of=("self",)).get(pk=workflow.pk)
        if by is not None and not may(by, Action.MANAGE, row):
            raise NotPermitted(
                f"You may not change the stage of {row.name}. Nothing was changed. Ask whoever manages its access."
            )
        if row.stage == stage and reason in ("", row.stage_reason):
            return row
        if stage == Stage.LIVE and row.stage != Stage.LIVE:
            if reason == row.stage_reason:
                reason = ""  # that is why it stands where it is; an exported file brings it along
            _launch(workflow=row, by=by, reason=reason, way=way)
        elif stage == Stage.LIVE and by is not None and by.pk != row.owner_id:
            raise NotPermitted(
                f"{row.name} is live already, and why stays as it was said then. Nothing was changed. Who owns it may say it anew."
            )
        was = row.stage
        told = f"Stage “{stage.label}”" + (f": {reason}" if reason else "")
        row.stage, row.stage_reason = stage.value, reason
        with acting(by=by or system_user(), why=told, on=row):
            row.save(update_fields=["stage", "stage_reason"])
        audit.record(
            kind=audit.Kind.STAGE_CHANGED, by=by, workflow=row, facts={"from": was, "to": row.stage, "way": way},
            content={"reason": reason} if reason else None,
        )  # fmt: skip
    return row


def _launch(*, workflow: Workflow, by: Any, reason: str, way: Way) -> None:
    if workflow.version_id is None:
        raise InvalidInput(
            f"{workflow.name} has no active version, so it cannot take work. Nothing was changed. Make a version active first."
        )
    found = checks(workflow=workflow)
    missing = unmet(found)
    if missing:
        _allow_without(workflow=workflow, missing=missing, by=by, reason=reason)
    launch = Launch.objects.create(
        workflow=workflow, from_stage=workflow.stage, by=by, way=way, reason=reason,
        checks=[{name: value for name, value in asdict(check).items() if name != "place"} for check in found],
    )  # fmt: skip
    audit.record(
        kind=audit.Kind.LAUNCHED, by=by, workflow=workflow,
        facts={
            "launch": launch.pk, "version": workflow.version_id, "way": way, "checks": len(found),
            "not_met": [check.key for check in missing],
        },
        content={"reason": reason} if reason else None,
    )  # fmt: skip


def reason_told(workflow: Workflow) -> str:
    """Why it is at its stage. That the gate was passed is told from the launch and never stored as a reason: a reason
    travels in files, and would say of another workflow what is true of this one."""
    if workflow.stage_reason or workflow.stage != Stage.LIVE:
        return workflow.stage_reason
    launch = workflow.launches.order_by("-pk").first()
    if launch is None or not all(check["met"] for check in launch.checks):
        return ""
    return f"All {len(launch.checks)} checks before it goes live were met"


def _allow_without(*, workflow: Workflow, missing: list[Check], by: Any, reason: str) -> None:
    said = f"{workflow.name} cannot go live yet: {told(missing)}. Nothing was changed."
    if by is not None and by.pk != workflow.owner_id:
        owner = workflow.owner
        who = f"{owner.get_full_name() or owner.get_username()}, who owns it," if owner else "An owner"
        raise NotPermitted(f"{said} {who} may open it without them, with a reason that is kept.")
    if not reason:
        raise _needs_reason(f"{said} Mend them, or say why it goes live without them; the reason is kept.")


def told(missing: list[Check]) -> str:
    names = ", ".join(check.title.lower() for check in missing)
    return f"{len(missing)} {'check is' if len(missing) == 1 else 'checks are'} not met ({names})"


def _needs_reason(said: str) -> InvalidInput:
    return InvalidInput(said, problems={"reason": said})
