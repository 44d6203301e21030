"""A version as rows: written from checked parts, copied, changed while nothing used it, made active.

Every rule about when a version may change stands in the models and in the parts; here is only the order of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from pydantic import ValidationError

from workflows import audit
from workflows.access import Action, may
from workflows.duties import check_activation, takes_two
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import Field, Operator, Rule, Stage, Version, Workflow
from workflows.people import acting, system_user
from workflows.stages import set_stage
from workflows.version_parts import ExamplePart, RulePart, VersionPart, plain


def part_of(version: Version) -> VersionPart:
    """Raises pydantic's ValidationError when the rows do not make a version that could be used."""
    return VersionPart(
        instructions=version.instructions,
        examples=tuple(ExamplePart.model_validate(one) for one in version.examples),
        fields=version.specs(),
        rules=tuple(
            RulePart(field=rule.field, operator=Operator(rule.operator), value=rule.value,
                     action=Rule.Action(rule.action), reason=rule.reason)
            for rule in version.rules.all()
        ),
        review_bar=Decimal(version.review_bar), profile=version.model_profile(), max_calls=version.max_calls,
    )  # fmt: skip


def make_version(*, workflow: Workflow, part: VersionPart, by: Any, why: str) -> Version:
    with transaction.atomic():
        version = Version(workflow=workflow, number=_next_number(workflow), author=by, **_columns(part))
        _save(version, by=by, why=why)
        _write(version=version, part=part, by=by, why=why)
    return version


def make_empty_version(*, workflow: Workflow, by: Any) -> Version:
    """To be filled in: it cannot become active before it has a field."""
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update().get(pk=workflow.pk)
        version = Version(workflow=workflow, number=_next_number(workflow), author=by)
        _save(version, by=by, why="Begun")
    return version


def copy_version(*, version: Version, by: Any) -> Version:
    """A new version that says the same, to be changed. Rows are copied as they are: an old mistake is shown, not hidden."""
    why = f"Made from version {version.number}"
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update().get(pk=version.workflow_id)
        if not may(by, Action.MANAGE, workflow):
            raise NotPermitted("You may not make versions of this workflow. Ask whoever manages its access.")
        copy = Version(
            workflow=workflow, number=_next_number(workflow), author=by, instructions=version.instructions,
            examples=version.examples, review_bar=version.review_bar, profile=version.profile, max_calls=version.max_calls,
        )  # fmt: skip
        _save(copy, by=by, why=why)
        for rows in (version.fields.all(), version.rules.all()):
            for row in rows:
                row.pk, row._state.adding, row.version = None, True, copy
                _save(row, by=by, why=why)
    return copy


def change_version(*, version: Version, part: VersionPart, by: Any) -> None:
    """VersionUsed, and nothing changed, once an item was drafted with it. Conflict where it works for a live workflow."""
    with transaction.atomic():
        version.workflow = Workflow.objects.select_for_update().get(pk=version.workflow_id)
        if _is_at_work(version):
            raise Conflict(
                f"Version {version.number} is active on a live workflow. Nothing was changed. Make a new version from it."
            )
        for name, value in _columns(part).items():
            setattr(version, name, value)
        _save(version, by=by, why="Changed")
        _write(version=version, part=part, by=by, why="Changed")


def may_change(*, version: Version) -> bool:
    """Until an item used it, and never under a workflow that is live: what somebody activated stays what they saw."""
    return version.used_at is None and not _is_at_work(version)


def _is_at_work(version: Version) -> bool:
    return version.workflow.version_id == version.pk and takes_two(version.workflow)


def activate_version(*, version: Version, by: Any, reason: str = "", start_trial: bool = False) -> Workflow:
    """New items are drafted with it from now on. Once the workflow went live, who wrote it breaks the glass with a reason."""
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update().get(pk=version.workflow_id)
        if not may(by, Action.MANAGE, workflow):
            raise NotPermitted(
                "You may not activate versions of this workflow. Ask whoever manages its access."
            )
        if workflow.version_id == version.pk:
            raise Conflict(f"Version {version.number} is active already. Nothing was changed.")
        if problems := problems_of(version):
            raise InvalidInput(f"Version {version.number} cannot be used yet. {' '.join(problems)}")
        make_active(version=version, workflow=workflow, by=by, reason=reason)
        if start_trial and workflow.stage == Stage.SETUP:
            workflow = set_stage(
                workflow=workflow, stage=Stage.TRIAL, by=by, reason=f"Begun with version {version.number}", way="admin"
            )  # fmt: skip
    return workflow


def make_active(
    *, version: Version, workflow: Workflow, by: Any, reason: str = "", why: str = "made active"
) -> None:
    """The one place where a version becomes the active one. On a locked row; `by` None is the command line. Raises InvalidInput."""
    glass = check_activation(version=version, workflow=workflow, by=by, reason=reason)
    was = workflow.version_id
    workflow.version = version
    said = f"Version {version.number} {why}" + (f", glass broken: {glass.reason}" if glass else "")
    with acting(by=by or system_user(), why=said, on=workflow):
        workflow.save(update_fields=["version"])
    audit.record(
        kind=audit.Kind.VERSION_ACTIVATED, by=by or system_user(), workflow=workflow,
        facts={
            "version": version.pk, "number": version.number, "before": was, "stage": workflow.stage,
            "glass_broken": glass is not None,
        },
        content={"reason": reason.strip()} if reason.strip() else None,
    )  # fmt: skip


def problems_of(version: Version) -> list[str]:
    """In words, what keeps it from being used."""
    try:
        part_of(version)
    except ValidationError as error:
        return [said_of(each) for each in error.errors(include_url=False)]
    return []


def said_of(error: Any) -> str:
    said = str(error.get("ctx", {}).get("error") or error["msg"])
    return f"{said[:1].upper()}{said[1:]}."


def _next_number(workflow: Workflow) -> int:
    return (workflow.versions.aggregate(last=Max("number"))["last"] or 0) + 1


def _columns(part: VersionPart) -> dict[str, Any]:
    return {
        "instructions": part.instructions, "examples": [plain(one) for one in part.examples],
        "review_bar": part.review_bar, "max_calls": part.max_calls,
        "profile": part.profile.model_dump(mode="json", exclude_defaults=True),
    }  # fmt: skip


def _write(*, version: Version, part: VersionPart, by: Any, why: str) -> None:
    """Fields by their key and rules by their place: a row that stays the same gets no entry in its history."""
    wanted = []
    for position, spec in enumerate(part.fields):
        told = spec.model_dump(mode="json")
        wanted.append({
            "position": position, "key": spec.key, "label": spec.label, "kind": spec.kind.value, "hint": spec.hint,
            "required": spec.required, "sensitive": spec.sensitive, "needs_evidence": spec.needs_evidence,
            "choices": told["choices"], "minimum": spec.minimum, "maximum": spec.maximum,
            "max_length": spec.max_length, "columns": [plain(column) for column in spec.columns],
        })  # fmt: skip
    known = {field.key: field for field in version.fields.all()}
    fields = [known.get(each["key"]) or Field(version=version) for each in wanted]
    _apply(
        rows=fields,
        wanted=wanted,
        others=[one for one in known.values() if one not in fields],
        by=by,
        why=why,
    )
    rules = list(version.rules.all())
    rules += [Rule(version=version) for _ in range(len(part.rules) - len(rules))]
    _apply(
        rows=rules[: len(part.rules)], others=rules[len(part.rules) :], by=by, why=why,
        wanted=[
            {"position": position, "field": rule.field, "operator": rule.operator.value, "value": rule.value,
             "action": rule.action.value, "reason": rule.reason}
            for position, rule in enumerate(part.rules)
        ],
    )  # fmt: skip


def _apply(
    *, rows: Sequence[Any], wanted: Sequence[dict[str, Any]], others: Sequence[Any], by: Any, why: str
) -> None:
    for row in others:
        with acting(by=by, why=why, on=row):
            row.delete()
    for row, columns in zip(rows, wanted, strict=True):
        if row.pk and all(getattr(row, name) == value for name, value in columns.items()):
            continue
        for name, value in columns.items():
            setattr(row, name, value)
        _save(row, by=by, why=why)


def _save(row: Any, *, by: Any, why: str) -> None:
    with acting(by=by, why=why, on=row):
        row.save()
