"""The strict subset of JSON schema that every server with structured output takes."""

from collections.abc import Iterator
from typing import Any

_NESTED = ("anyOf", "allOf", "oneOf", "prefixItems")


class NotStrict(ValueError):
    """Some server would refuse this schema or not hold the model to it; the message says where and why."""


def strict_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema as given when every object in it requires all its properties and allows no others. Raises
    NotStrict. A value that may be missing is written as one that may be null."""
    problems = list(_problems(schema, "the schema"))
    if schema.get("type") != "object":
        problems.insert(0, "the schema is not that of an object")
    if problems:
        raise NotStrict("; ".join(problems))
    return schema


def _problems(schema: Any, where: str) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"{where} is not a schema"
        return
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if missing := sorted(properties.keys() - set(schema.get("required", ()))):
            yield f"{where} does not require {', '.join(missing)}"
        if schema.get("additionalProperties") is not False:
            yield f"{where} allows other properties"
        for name, inner in properties.items():
            yield from _problems(inner, f"{where} > {name}")
    if "items" in schema:
        yield from _problems(schema["items"], f"{where} > each")
    for keyword in _NESTED:
        for inner in schema.get(keyword, ()):
            yield from _problems(inner, where)
    for name, inner in schema.get("$defs", {}).items():
        yield from _problems(inner, f"{where} > {name}")
