"""The brief and the budget as parts of a workflow file: read, written, and compared with their rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from django.contrib.auth import get_user_model
from pydantic import Field, field_validator, model_validator

from workflows.briefs import COLUMNS, write_brief
from workflows.budgets import alert_anew
from workflows.models import Brief, Budget, Workflow
from workflows.people import acting
from workflows.version_parts import Line, Part

MOST_TIMED = 200
Words = Annotated[str, Field(max_length=20_000)]
Minutes = Annotated[Decimal, Field(gt=0, le=10_000, decimal_places=2)]
Amount = Annotated[Decimal, Field(ge=0, lt=10**8, decimal_places=4)]
Figure = Annotated[Decimal, Field(gt=-(10**9), lt=10**9, decimal_places=3)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class TimedPart(Part):
    what: Annotated[Line, Field(min_length=1, max_length=120)]
    minutes: Minutes


class BriefPart(Part):
    task: Annotated[Line, Field(max_length=300)] = ""
    deputy: Annotated[Line, Field(max_length=150)] = ""
    today: Words = ""
    breaks: Words = ""
    tools: Words = ""
    per_week_low: Count | None = None
    per_week_high: Count | None = None
    minutes_by_hand: Minutes | None = None
    timed: Annotated[tuple[TimedPart, ...], Field(max_length=MOST_TIMED)] = ()
    hour_cost: Annotated[Decimal, Field(ge=0, lt=10**8, decimal_places=2)] | None = None
    when_late: Words = ""
    when_wrong: Words = ""
    stays_human: Words = ""
    next_step: Words = ""
    metric_name: Annotated[Line, Field(max_length=120)] = ""
    metric_unit: Annotated[Line, Field(max_length=30)] = ""
    metric_baseline: Figure | None = None
    metric_target: Figure | None = None
    metric_source: Brief.Source = Brief.Source.ENTERED
    instructions: Words = ""
    follow_up_on: date | None = None

    @field_validator(
        "today", "breaks", "tools", "when_late", "when_wrong", "stays_human", "next_step", "instructions"
    )
    @classmethod
    def _printable(cls, words: str) -> str:
        if "\x00" in words:
            raise ValueError("a character that cannot be kept is in it")
        return words.strip()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if (
            self.per_week_low is not None
            and self.per_week_high is not None
            and self.per_week_low > self.per_week_high
        ):
            raise ValueError("the fewest items a week are more than the most")
        return self


class BudgetPart(Part):
    per_item: Amount | None = None
    per_day: Amount | None = None
    per_month: Amount | None = None
    alert_percent: Annotated[int, Field(ge=1, le=100)] = 80


# --- rows -> parts


def brief_part_of(*, workflow: Workflow) -> BriefPart | None:
    row = Brief.objects.select_related("deputy").filter(workflow=workflow).first()
    if row is None:
        return None
    told = {name: getattr(row, name) for name in COLUMNS}
    told["deputy"] = row.deputy.get_username() if row.deputy else ""
    part = BriefPart.model_validate(told)
    return part if part != BriefPart() else None


def budget_part_of(*, workflow: Workflow) -> BudgetPart | None:
    row = Budget.objects.filter(workflow=workflow).first()
    return (
        BudgetPart.model_validate({name: getattr(row, name) for name in BudgetPart.model_fields})
        if row
        else None
    )


# --- parts -> rows


def set_brief(*, workflow: Workflow, part: BriefPart, by: Any) -> bool:
    """Whether anything changed. A deputy whom this installation does not know is nobody, as with the owner."""
    columns = columns_of(part)
    columns["deputy"] = get_user_model().objects.filter(username=part.deputy).first() if part.deputy else None
    if brief_part_of(workflow=workflow) == part:
        return False
    return write_brief(workflow=workflow, columns=columns, by=by, why="Imported")


def columns_of(part: BriefPart) -> dict[str, Any]:
    columns: dict[str, Any] = {name: getattr(part, name) for name in COLUMNS if name != "deputy"}
    columns["metric_source"] = part.metric_source.value
    columns["timed"] = [{"what": one.what, "minutes": format(one.minutes, "f")} for one in part.timed]
    return columns


def set_budget(*, workflow: Workflow, part: BudgetPart, by: Any) -> bool:
    row = Budget.objects.filter(workflow=workflow).first()
    if row is not None and budget_part_of(workflow=workflow) == part:
        return False
    row = row or Budget(workflow=workflow)
    for name in BudgetPart.model_fields:
        setattr(row, name, getattr(part, name))
    with acting(by=by, why="Imported", on=row):
        row.save()
    alert_anew(workflow=workflow)
    return True
