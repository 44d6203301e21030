"""What every connector is, what it is handed and what it gives back.

A connector is a folder beside this file. Its package carries the names of `Connector`: plain functions and a
config model, no class of its own. Nothing here knows the database: what goes in is a `Parcel`, what comes out is a
`Receipt` or a `DeliveryFailed`.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import pydantic


class Repeat(StrEnum):
    """What may follow an answer nobody can be sure of."""

    SAFE = "safe"  # the other side recognises the key: send it again
    FIND_FIRST = "find_first"  # look the record up by our key, create it only if it is not there
    ASK = "ask"  # nobody can tell: a person decides


@dataclass(frozen=True, slots=True)
class Parcel:
    """One accepted result, ready to leave.

    `key` is the idempotency key, the same for every try of one delivery. `values` holds JSON values by field key;
    money stays {"amount": "12.50", "currency": "EUR"}, a list of rows stays a list of objects. `labels` holds the
    words for a field key, and for a column as "lines.amount". `url` is the item's page for people. `try_number`
    counts from 1 and is no part of what is sent, so that a repeat has the same bytes. `test` marks made-up values, and a
    connector says so in what it sends.
    """

    key: str
    item_id: str
    title: str
    workflow: str  # slug
    workflow_name: str
    url: str
    values: dict[str, Any]
    labels: dict[str, str]
    decided_by: str
    decided_at: datetime  # aware
    try_number: int = 1
    test: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side gave back: its own name for the record, where it has one, and what it said."""

    reference: str = ""
    detail: str = ""


class DeliveryFailed(Exception):
    """The result did not arrive, or nobody can be sure that it did.

    `message` is for a person: what happened, what was kept, what to do next. `certain` False means that it may have
    arrived. `retry` says whether another try can help by itself; `retry_after` is in seconds, and only what the
    other side asked for.
    """

    def __init__(self, message: str, *, certain: bool, retry: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.certain = certain
        self.retry = retry
        self.retry_after = retry_after


class Connector(Protocol):
    """The names that the package of each connector carries."""

    @property
    def label(self) -> str: ...

    @property
    def repeat(self) -> Repeat: ...

    @property
    def Config(self) -> type[pydantic.BaseModel]: ...

    def deliver(self, *, parcel: Parcel, config: Any) -> Receipt:
        """Hand over once. Bounded in time; raises `DeliveryFailed` and nothing else for what the outside does."""

    def find(self, *, parcel: Parcel, config: Any) -> Receipt | None:
        """The record that an earlier try left, by `parcel.key`; None only when the other side says there is none."""

    def describe(self, config: Any) -> str:
        """One line for the screen, free of secrets."""


class UnknownConnector(LookupError):
    """No folder carries this kind."""


def cannot_be_asked(*, parcel: Parcel, config: Any) -> Receipt | None:
    """`find` of a connector that is not `find_first`: None would read as "it is not there" and send it twice."""
    raise LookupError("This destination cannot be asked whether a result has arrived.")


@cache
def kinds() -> tuple[str, ...]:
    """The kinds there are: one per folder beside this file."""
    return tuple(
        sorted(each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)]) if each.ispkg)
    )


def connector(kind: str) -> Connector:
    # Only names found on disk are imported: a kind comes from a row or a YAML file, and must not name any module.
    if kind not in kinds():
        raise UnknownConnector(
            f"There is no destination of the kind “{kind}”. There are: {', '.join(kinds())}. "
            "Choose one of these, or add its folder as docs/add-a-connector.md describes."
        )
    return cast(Connector, import_module(f"{__package__}.{kind}"))


def parse_config(*, kind: str, config: dict[str, Any]) -> pydantic.BaseModel:
    """The connector's config model; ValueError with one sentence per mistake, fields named as the form names them."""
    found = connector(kind)
    try:
        return found.Config.model_validate(config)
    except pydantic.ValidationError as error:
        said = [_in_words(model=found.Config, error=each) for each in error.errors(include_url=False)]
        # Not chained: pydantic's text repeats the input, and somebody may have typed a secret there.
        raise ValueError(" ".join(said)) from None


def _in_words(*, model: type[pydantic.BaseModel], error: Any) -> str:
    key = str(error["loc"][0]) if error["loc"] else ""
    known = model.model_fields.get(key)
    title = (known.title if known else None) or key
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"{title}: this has to be filled in."
        case "extra_forbidden":
            names = ", ".join(each.title or name for name, each in model.model_fields.items())
            return f"“{title}” is not a setting of this destination. Its settings are: {names}."
        case "value_error":
            return f"{title}: {context['error']}" if title else str(context["error"])
        case "greater_than_equal" | "less_than_equal":
            bound = context.get("ge", context.get("le"))
            return f"{title}: this has to be {'at least' if 'ge' in context else 'at most'} {bound:g}."
        case "string_type":
            return f"{title}: this has to be text."
        case "string_too_long" | "too_long":
            return f"{title}: this is too long; at most {context['max_length']}."
        case "string_too_short" | "too_short":
            return f"{title}: this has to be filled in."
        case _:
            return f"{title}: {error['msg'][0].lower()}{error['msg'][1:]}."
