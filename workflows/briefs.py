"""What people say about a workflow's worth, written down: its brief, actuals of its metric, who looked through access, what a
look back found. Each write names who did it in the history."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from workflows.access import Action, may
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import Brief, FollowUp, MetricActual, Stage, Workflow
from workflows.people import acting
from workflows.storable import storable

# What a person writes; `access_reviewed_*` is written by the act itself.
COLUMNS = (
    "task", "deputy", "today", "breaks", "tools", "per_week_low", "per_week_high", "minutes_by_hand", "timed", "hour_cost",
    "when_late", "when_wrong", "stays_human", "next_step", "metric_name", "metric_unit", "metric_baseline", "metric_target",
    "metric_source", "instructions", "follow_up_on",
)  # fmt: skip


def brief_of(*, workflow: Workflow) -> Brief:
    """Its row, or one that is not saved yet and says nothing."""
    found = Brief.objects.select_related("deputy").filter(workflow=workflow).first()
    return found or Brief(workflow=workflow)


def write_brief(*, workflow: Workflow, columns: dict[str, Any], by: Any, why: str) -> bool:
    """Whether anything changed. Columns that are not given stay as they are."""
    with transaction.atomic():
        brief = _held(workflow)
        if brief.pk and all(getattr(brief, name) == value for name, value in columns.items()):
            return False
        for name, value in columns.items():
            setattr(brief, name, value)
        with acting(by=by, why=why, on=brief):
            brief.save()
    return True


def look_through_access(*, workflow: Workflow, by: Any) -> None:
    """Somebody has read the whole matrix and stands for it. What is granted afterwards was not looked at."""
    if not may(by, Action.ACCESS, workflow):
        raise NotPermitted("You may not see who may do what here. Ask whoever manages its access.")
    with transaction.atomic():
        brief = _held(workflow)
        brief.access_reviewed_at, brief.access_reviewed_by = timezone.now(), by
        with acting(by=by, why="Looked through who may do what", on=brief):
            brief.save()


def record_actual(*, workflow: Workflow, day: date, value: Decimal, by: Any) -> MetricActual:
    """What the metric was on a day. A second figure of a day takes the place of the first, with its history."""
    _refuse_others(workflow=workflow, by=by)
    if day > timezone.localdate():
        raise _wrong("day", "The day is still to come. Enter what was measured, on the day of it.")
    if brief_of(workflow=workflow).metric_source != Brief.Source.ENTERED:
        raise Conflict("This metric is computed, so nothing is entered. Nothing was changed.")
    with transaction.atomic():
        Workflow.objects.select_for_update().get(pk=workflow.pk)
        row = MetricActual.objects.filter(workflow=workflow, day=day).first() or MetricActual(
            workflow=workflow, day=day
        )
        row.value, row.by = value, by
        with acting(by=by, why="Entered", on=row):
            row.save()
    return row


def follow_up_due(*, workflow: Workflow, brief: Brief) -> bool:
    """A look back was promised for a day that has come, of a workflow that is or was at work."""
    return (
        brief.follow_up_on is not None
        and brief.follow_up_on <= timezone.localdate()
        and workflow.stage in (Stage.LIVE, Stage.PAUSED)
    )


def record_follow_up(
    *, workflow: Workflow, findings: str, decision: FollowUp.Decision, next_on: date | None, by: Any
) -> FollowUp:
    """Keeps what was found, and sets the next look back; without one, the launch gate asks for it before the next launch."""
    _refuse_others(workflow=workflow, by=by)
    findings = storable(findings).strip()
    if not findings:
        raise _wrong("findings", "Write down what was found, in a few sentences.")
    if next_on is not None and next_on <= timezone.localdate():
        raise _wrong("next_on", "The next look back is on a day to come, or on none.")
    with transaction.atomic():
        brief = _held(workflow)
        if not follow_up_due(workflow=workflow, brief=brief) or brief.follow_up_on is None:
            raise Conflict(
                "No look back is due here; somebody may have written it down already. Nothing was kept twice."
            )
        row = FollowUp.objects.create(
            workflow=workflow, due_on=brief.follow_up_on, findings=findings, decision=decision, by=by
        )
        brief.follow_up_on = next_on
        with acting(by=by, why=f"Looked back: {FollowUp.Decision(decision).label.lower()}", on=brief):
            brief.save()
    return row


def _held(workflow: Workflow) -> Brief:
    """The workflow's row is the lock: the brief may not be there yet."""
    Workflow.objects.select_for_update().get(pk=workflow.pk)
    return brief_of(workflow=workflow)


def _refuse_others(*, workflow: Workflow, by: Any) -> None:
    if not may(by, Action.MANAGE, workflow):
        raise NotPermitted(
            "You may not write this down for the workflow. Nothing was changed. Ask whoever manages its access."
        )


def _wrong(name: str, said: str) -> InvalidInput:
    return InvalidInput(f"{said} Nothing was changed.", problems={name: said})
