"""What a version says, as plain parts that were checked: a file, a form and a row all become these before they count."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from integrations.llm.profiles import Profile
from workflows.drafting.fields import FieldSpec
from workflows.models import Operator, Rule

NEEDS_NO_VALUE = frozenset({Operator.ALWAYS, Operator.IS_EMPTY, Operator.IS_SET})

Line = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExamplePart(Part):
    source: str
    values: dict[str, Any]


class RulePart(Part):
    field: str = ""
    operator: Operator
    value: Any = None
    action: Rule.Action = Rule.Action.REVIEW
    reason: Annotated[Line, Field(min_length=1, max_length=120)]

    @field_validator("reason")
    @classmethod
    def _in_words(cls, reason: str) -> str:
        if "_" in reason:
            raise ValueError("a reason is read by people; write it without underscores")
        return reason

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if (self.operator is Operator.ALWAYS) == bool(self.field):
            raise ValueError("“always” names no field, and every other rule names one")
        if self.operator not in NEEDS_NO_VALUE and self.value in (None, "", []):
            raise ValueError(f"“{self.operator.label}” needs a value to compare with")
        if self.operator in NEEDS_NO_VALUE and self.value is not None:
            raise ValueError(f"“{self.operator.label}” compares with nothing; leave the value out")
        if self.operator is Operator.ONE_OF and not isinstance(self.value, list):
            raise ValueError("“is one of” needs a list of values")
        if self.operator is Operator.MATCHES:
            try:
                re.compile(str(self.value))
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError(f"the pattern cannot be read: {error}") from None
        return self


class VersionPart(Part):
    instructions: str = ""
    examples: tuple[ExamplePart, ...] = ()
    fields: Annotated[tuple[FieldSpec, ...], Field(max_length=60)]
    rules: Annotated[tuple[RulePart, ...], Field(max_length=100)] = ()
    review_bar: Annotated[Decimal, Field(ge=0, le=1, decimal_places=2)] = Decimal("0.90")
    profile: Profile = Profile()
    max_calls: Annotated[int, Field(ge=1, le=50)] = 6

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        keys = [spec.key for spec in self.fields]
        if not keys:
            raise ValueError("a version needs at least one field")
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"the field “{twice[0]}” is there more than once")
        for number, rule in enumerate(self.rules, start=1):
            if rule.field and rule.field not in keys:
                raise ValueError(f"rule {number} looks at a field “{rule.field}”, and there is none")
        for number, example in enumerate(self.examples, start=1):
            if unknown := sorted(example.values.keys() - set(keys)):
                raise ValueError(
                    f"example {number} has a value for “{unknown[0]}”, and there is no such field"
                )
        for spec in self.fields:
            _fits_its_columns(spec)
        return self


def _fits_its_columns(spec: FieldSpec) -> None:
    if len(spec.label) > 80 or len(spec.hint) > 400:
        raise ValueError(f"“{spec.label[:40]}”: a label has at most 80 characters, a hint at most 400")
    for bound in (spec.minimum, spec.maximum):
        if bound is not None and (abs(bound) >= Decimal(10) ** 14 or bound != round(bound, 6)):
            raise ValueError(f"“{spec.label}”: a bound has at most 14 digits and 6 decimal places")
    for column in spec.columns:
        _fits_its_columns(column)


def plain(part: BaseModel) -> dict[str, Any]:
    """In the order of the model, without defaults, numbers as they are read back."""
    told: dict[str, Any] = {}
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        if not info.is_required() and value == info.get_default(call_default_factory=True):
            continue
        told[name] = plain_value(value)
    return told


def plain_value(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return plain(value)
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return str.__str__(value)  # of an enumeration the value
    if isinstance(value, dict):
        return {key: plain_value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(one) for one in value]
    return value


def _number(value: Decimal) -> int | str:
    return int(value) if value == int(value) else format(value.normalize(), "f")
