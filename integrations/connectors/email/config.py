"""What a person enters for a mail."""

from __future__ import annotations

import re
from string import Template
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import BaseModel, ConfigDict, Field, field_validator

MOST_RECIPIENTS = 20


class EmailConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    to: tuple[str, ...] = Field(title="To", min_length=1, max_length=MOST_RECIPIENTS)
    cc: tuple[str, ...] = Field(title="Copy to", default=(), max_length=MOST_RECIPIENTS)
    # $title, $workflow, $item, or a field's key. A name that is not known stays as it is written.
    subject: str = Field(title="Subject", default="$workflow: $title", min_length=1, max_length=200)
    sender: str = Field(title="From", default="", max_length=254)  # empty: the system's own address

    @field_validator("to", "cc", mode="before")
    @classmethod
    def _split(cls, typed: Any) -> Any:
        """A form gives one text with commas, semicolons or lines; a YAML file gives a list."""
        if isinstance(typed, str):
            return tuple(each for each in re.split(r"[,;\s]+", typed) if each)
        return tuple(typed) if isinstance(typed, list) else typed

    @field_validator("to", "cc")
    @classmethod
    def _are_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_address(each) for each in addresses))

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, sender: str) -> str:
        return _address(sender) if sender else ""

    @field_validator("subject")
    @classmethod
    def _is_one_line(cls, subject: str) -> str:
        # A line break in a subject would begin a header of its own.
        if len(subject.splitlines()) > 1 or any(ord(each) < 32 for each in subject):
            raise ValueError("write it on one line.")
        if not Template(subject).is_valid():
            raise ValueError("a $ is followed by a name, such as $title; for the sign itself write $$.")
        return subject


def _address(typed: str) -> str:
    try:
        validate_email(typed)
    except ValidationError:
        shown = typed if len(typed) <= 100 and typed.isprintable() else "this"
        raise ValueError(f"“{shown}” is not an e-mail address.") from None
    return typed


def describe(config: EmailConfig) -> str:
    others = len(config.to) + len(config.cc) - 1
    return f"Mail to {config.to[0]}" + (f" and {others} more" if others else "")
