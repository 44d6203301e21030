"""What a version asks the model for: one `FieldSpec` per value of the structured output.

A spec is plain data. The admin's rows, a workflow's YAML file and the tests all become specs, and the schema,
the prompt, the normalisation and the comparison read nothing else.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Kind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"  # {"amount": "12.50", "currency": "EUR"}
    DATE = "date"  # "2026-11-22"
    DATETIME = "datetime"  # "2026-11-22T14:30" local to the source, offset kept where one is written
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"  # several of the listed ones
    EMAIL = "email"
    PHONE = "phone"  # E.164
    URL = "url"
    ROWS = "rows"  # a list of rows whose cells are scalar


SCALAR_KINDS = frozenset(Kind) - {Kind.ROWS}
CHOICE_KINDS = frozenset({Kind.CHOICE, Kind.CHOICES})


class Choice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    label: str = ""
    hint: str = ""  # when to choose it, in the words of the prompt


class FieldSpec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    label: str
    kind: Kind = Kind.TEXT
    hint: str = ""  # what to look for, in the words of the prompt
    required: bool = False
    sensitive: bool = False
    needs_evidence: bool = True
    choices: tuple[Choice, ...] = ()
    minimum: Decimal | None = None  # of a number, an amount; ignored for other kinds
    maximum: Decimal | None = None
    max_length: int | None = Field(default=None, ge=1, le=20_000)  # characters of a text, rows of a list
    columns: tuple[FieldSpec, ...] = ()

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if self.kind in CHOICE_KINDS and not self.choices:
            raise ValueError(f"{self.label}: a choice needs its choices")
        if (self.kind is Kind.ROWS) != bool(self.columns):
            raise ValueError(f"{self.label}: a list of rows needs columns, and nothing else has any")
        if any(column.kind is Kind.ROWS for column in self.columns):
            raise ValueError(f"{self.label}: a cell of a list holds one value, not another list")
        return self
