"""Fields as a JSON schema that a server enforces while the model writes, and as a pydantic model of normalised values.

The schema keeps to the strict subset: every property required, none added. Every free string has a maximum length,
since a small model runs away without one. What the model may do besides picking a found text is to write
"other: " and the text as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from workflows.drafting.candidates import Candidate
from workflows.drafting.fields import Choice, FieldSpec, Kind

OTHER = "other: "  # prefix of a text that is none of those offered
QUOTE = "-quote"  # suffix of the property that carries the words a choice rests on; no field's key has a dash
UNCLEAR = "unclear-question"
MOST_ROWS = 30

_LENGTHS = {Kind.TEXT: 120, Kind.LONG_TEXT: 400, Kind.EMAIL: 120, Kind.URL: 200}
_SHORT = 48  # characters of a number, a date, an amount as written
_LAST = (Kind.YES_NO, Kind.CHOICES, Kind.CHOICE)  # judged after the rest was read


def ordered(fields: Sequence[FieldSpec]) -> list[FieldSpec]:
    """Extraction before classification: a choice made after the facts were written down is more often right."""
    return sorted(fields, key=lambda spec: spec.kind in _LAST)


def build_schema(
    *,
    fields: Sequence[FieldSpec],
    candidates: Mapping[str, Sequence[Candidate]],
    quotes: bool = False,
    unclear: bool = False,
) -> dict[str, Any]:
    """`quotes`: a short quote before each choice that needs evidence. `unclear`: room for one question to a person."""
    properties: dict[str, Any] = {}
    for spec in ordered(fields):
        if quotes and wants_quote(spec):
            properties[spec.key + QUOTE] = _or_null(_string(100))
        properties[spec.key] = _property(spec, candidates)
    if unclear:
        properties[UNCLEAR] = _or_null(_string(160))
    return _object(properties)


def wants_quote(spec: FieldSpec) -> bool:
    return spec.kind in _LAST and spec.needs_evidence


def longest(spec: FieldSpec) -> int:
    """Characters that the model may write for this field, or for one cell."""
    most = _LENGTHS.get(spec.kind, _SHORT)
    return spec.max_length if spec.max_length and spec.kind in {Kind.TEXT, Kind.LONG_TEXT} else most


def _property(spec: FieldSpec, candidates: Mapping[str, Sequence[Candidate]]) -> dict[str, Any]:
    if spec.kind is Kind.ROWS:
        cells = {
            column.key: _scalar(column, candidates.get(f"{spec.key}[].{column.key}"))
            for column in ordered(spec.columns)
        }
        return {
            "type": "array",
            "items": _object(cells),
            "maxItems": min(spec.max_length or MOST_ROWS, MOST_ROWS),
        }
    return _scalar(spec, candidates.get(spec.key))


def _scalar(spec: FieldSpec, found: Sequence[Candidate] | None) -> dict[str, Any]:
    if spec.kind is Kind.CHOICE:
        return _or_null({"type": "string", "enum": [choice.key for choice in spec.choices]})
    if spec.kind is Kind.CHOICES:
        keys = [choice.key for choice in spec.choices]
        return {"type": "array", "items": {"type": "string", "enum": keys}, "maxItems": len(keys)}
    if spec.kind is Kind.YES_NO:
        return {"type": ["boolean", "null"]}
    if (
        found is not None
    ):  # a kind that can be found: what code missed may still be written, and null is nearer
        picked = [{"type": "string", "enum": texts}] if (texts := offered(found)) else []
        return {"anyOf": [*picked, {"type": "null"}, {"type": "string", "pattern": _other(longest(spec))}]}
    return _or_null(_string(longest(spec)))


def offered(found: Sequence[Candidate]) -> list[str]:
    """Texts of the candidates, each on one line and once, and after them their shorter forms: a model that would leave the
    currency away must not be led to another number by it."""
    return list(candidates_by_text(found))


def candidates_by_text(found: Sequence[Candidate]) -> dict[str, Candidate]:
    by_text: dict[str, Candidate] = {}
    for candidate in found:
        by_text.setdefault(" ".join(candidate.text.split()), candidate)
    for candidate in found:
        if candidate.shorter:
            by_text.setdefault(" ".join(candidate.shorter.split()), candidate)
    return by_text


def _other(length: int) -> str:
    return f'^{OTHER}[^"\\\\\\n]{{1,{length}}}$'


def _string(length: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": length}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def check_shape(*, raw: Any, fields: Sequence[FieldSpec]) -> str | None:
    """What is wrong with the shape of an answer, in words that can be sent back to the model; None when it can be read. For
    servers that do not enforce the schema: values of the wrong type are left to `read_values`, missing keys are not."""
    if not isinstance(raw, dict):
        return "The answer is not a JSON object."
    missing = [spec.key for spec in fields if spec.key not in raw]
    if missing:
        return f"These keys are missing: {', '.join(missing)}. Give each of them, with null where the document says nothing."
    for spec in fields:
        value = raw[spec.key]
        if spec.kind is Kind.ROWS and not (
            value is None or (isinstance(value, list) and all(isinstance(row, dict) for row in value))
        ):
            return f"{spec.key} must be a list of objects."
        if spec.kind is not Kind.ROWS and isinstance(value, dict) and spec.kind is not Kind.MONEY:
            return f"{spec.key} must be one value, not an object."
    return None


class Money(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Decimal
    currency: str = Field(pattern=r"^[A-Z]{3}$")


def build_model(*, fields: Sequence[FieldSpec]) -> type[BaseModel]:
    """Normalised values of one item; a required field may not be None. `model_dump(mode="json")` gives the stored shape."""
    return create_model("Values", __config__=ConfigDict(extra="forbid"), **_columns(fields))


def _columns(fields: Sequence[FieldSpec]) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    for spec in fields:
        kind = _python_type(spec)
        bounds: dict[str, Any] = {}
        if spec.kind in {Kind.INTEGER, Kind.DECIMAL}:
            bounds = {"ge": spec.minimum, "le": spec.maximum}
        elif spec.max_length and spec.kind in {Kind.TEXT, Kind.LONG_TEXT, Kind.ROWS}:
            bounds = {"max_length": spec.max_length}
        if spec.required:
            definitions[spec.key] = (kind, Field(**bounds))
        else:
            definitions[spec.key] = (kind | None, Field(default=None, **bounds))
    return definitions


def _python_type(spec: FieldSpec) -> Any:
    match spec.kind:
        case Kind.ROWS:
            row: Any = create_model(
                spec.key.title(), __config__=ConfigDict(extra="forbid"), **_columns(spec.columns)
            )
            return list[row]
        case Kind.CHOICE:
            return _literal(spec.choices)
        case Kind.CHOICES:
            one: Any = _literal(spec.choices)
            return list[one]
        case Kind.YES_NO:
            return bool
        case Kind.INTEGER:
            return int
        case Kind.DECIMAL:
            return Decimal
        case Kind.MONEY:
            return Money
        case _:
            return str


def _literal(choices: Sequence[Choice]) -> Any:
    return Literal[tuple(choice.key for choice in choices)]
