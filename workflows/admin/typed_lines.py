"""What an admin types line by line: choices, columns, values of an example. Each is read back as it was written.

What a line cannot say (the bounds of a column, a number that is not a text) is kept from what stood there before.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from workflows.drafting.fields import SCALAR_KINDS, FieldSpec, Kind
from workflows.drafting.telling import in_order
from workflows.version_words import KINDS

HINT = re.compile(r"\s+[—–]\s+")
KEYED = re.compile(r"^([a-z][a-z0-9_.-]*)\s*:\s*(.*)$")
NOTHING = "nothing"
MARKS = {
    "required": ("required", True),
    "sensitive": ("sensitive", True),
    "no evidence": ("needs_evidence", False),
}


def key_from(label: str, *, taken: Collection[str] = ()) -> str:
    """“Due date” -> due_date. Small letters, digits and underscores, a letter first, none of those taken."""
    plain = unicodedata.normalize("NFKD", label.casefold()).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:58]
    if not key[:1].isalpha():
        key = f"field_{key}".rstrip("_")
    number, first = 2, key
    while key in taken:
        key, number = f"{first}_{number}", number + 1
    return key


# Choices


def choice_lines(choices: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for one in choices:
        label = f"{one['key']}: {one['label']}" if one.get("label") else str(one["key"])
        lines.append(f"{label} — {one['hint']}" if one.get("hint") else label)
    return "\n".join(lines)


def read_choices(text: str) -> list[dict[str, str]]:
    """“key: Label — when to choose it”, one a line; of the three only the label or the key has to be there."""
    choices: list[dict[str, str]] = []
    for line in _lines(text):
        said, hint = _with_hint(line)
        keys = [one["key"] for one in choices]
        if found := KEYED.match(said):
            key, label = found[1], found[2].strip()
        elif re.fullmatch(r"[a-z][a-z0-9_.-]*", said):
            key, label = said, ""
        else:
            key, label = key_from(said, taken=keys), said
        if key in keys:
            raise ValueError(f"The choice “{key}” is there more than once.")
        choices.append({"key": key, "label": label, "hint": hint})
    return choices


# Columns of a list of rows


def column_lines(columns: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for one in columns:
        spec = FieldSpec.model_validate(one)
        words = [KINDS[spec.kind].lower()]
        if spec.choices:
            words[0] += f" ({'; '.join(each.key for each in spec.choices)})"
        words += [mark for mark, (name, value) in MARKS.items() if getattr(spec, name) == value]
        line = f"{spec.key}: {spec.label} — {', '.join(words)}"
        lines.append(f"{line} — {spec.hint}" if spec.hint else line)
    return "\n".join(lines)


def read_columns(text: str, *, before: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """“key: Label — kind, required — hint”, one a line; the label alone is a text."""
    known = {str(one.get("key")): dict(one) for one in before}
    columns: list[dict[str, Any]] = []
    for line in _lines(text):
        name, *more = HINT.split(line, maxsplit=2)
        found = KEYED.match(name)
        label = (found[2] if found else name).strip()
        key = found[1] if found else key_from(label, taken=[one["key"] for one in columns])
        column: dict[str, Any] = {
            "key": key,
            "label": label or key.replace("_", " "),
            "kind": Kind.TEXT.value,
        }
        column |= _kind_and_marks(more[0], label=label) if more else {}
        if len(more) > 1:
            column["hint"] = more[1].strip()
        old = known.get(key, {})
        if old.get("kind", Kind.TEXT.value) == column["kind"]:
            kept: dict[str, Any] = {
                one: old[one] for one in ("minimum", "maximum", "max_length") if one in old
            }
            same = [each["key"] for each in old.get("choices", ())]
            if [each["key"] for each in column.get("choices", ())] == same and same:
                kept["choices"] = old["choices"]
            column |= kept
        columns.append(column)
    return columns


def _kind_and_marks(words: str, *, label: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if found := re.search(r"\(([^()]*)\)", words):
        told["choices"] = read_choices("\n".join(found[1].split(";")))
        words = words[: found.start()] + words[found.end() :]
    kinds = {KINDS[kind].lower(): kind for kind in SCALAR_KINDS} | {kind.value: kind for kind in SCALAR_KINDS}
    for word in (one.strip().lower() for one in words.split(",")):
        if word in MARKS:
            name, value = MARKS[word]
            told[name] = value
        elif word in kinds:
            told["kind"] = kinds[word].value
        elif word:
            raise ValueError(
                f"{label}: “{word}” is not known. A column is one of: {', '.join(sorted(KINDS[one].lower() for one in SCALAR_KINDS))}; "
                f"and may be: {', '.join(MARKS)}."
            )
    return told


# Values of an example


def value_lines(*, values: Mapping[str, Any], specs: Sequence[FieldSpec]) -> str:
    """“Label: value”; a further line of a value is indented; each row of a list has a line of its own."""
    known = {spec.key: spec for spec in specs}
    lines = []
    for key, value in in_order(values=values, specs=specs).items():
        spec = known.get(key)
        label = spec.label if spec else key
        rows = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
        lines += [f"{label}: {_told(row, spec)}" for row in rows]
    return "\n".join(lines)


def _told(value: Any, spec: FieldSpec | None) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        columns = {column.key: column.label for column in spec.columns} if spec else {}
        return "; ".join(f"{columns.get(key, key)} = {_told(cell, None)}" for key, cell in value.items())
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "\n    ".join(str(value).splitlines())


def read_values(text: str, *, specs: Sequence[FieldSpec], before: Mapping[str, Any]) -> dict[str, Any]:
    """By field key, as the document writes them. ValueError names the line that no field is known for."""
    by_name = {name.casefold(): spec for spec in specs for name in (spec.key, spec.label)}
    typed: dict[str, list[str]] = {}
    last = ""
    for line in text.splitlines():
        if not line.strip():
            continue
        if line.startswith("    ") and last:
            typed[last][-1] += f"\n{line.strip()}"
            continue
        # A label may hold a colon itself: the longest one that is known counts.
        name, value = next(
            ((line[:at].strip(), line[at + 1 :].strip()) for at in _colons(line) if line[:at].strip().casefold() in by_name),
            (None, ""),
        )  # fmt: skip
        if name is None:
            raise ValueError(f"“{line.strip()[:60]}” does not begin with the label of a field and a colon.")
        last = by_name[name.casefold()].key
        typed.setdefault(last, []).append(value)
    return {
        key: _read(said, spec=by_name[key.casefold()], before=before.get(key)) for key, said in typed.items()
    }


def _colons(line: str) -> list[int]:
    return [at for at, sign in reversed(list(enumerate(line))) if sign == ":"]


def _read(said: list[str], *, spec: FieldSpec, before: Any) -> Any:
    rows = before if isinstance(before, list) and before and isinstance(before[0], dict) else [before]
    if before is not None and [_told(row, spec) for row in rows] == [
        "\n    ".join(one.splitlines()) for one in said
    ]:
        return before  # what was not touched keeps its type
    if said == [NOTHING] or said == [""]:
        return None
    if spec.kind is Kind.ROWS:
        return [_read_row(one, spec=spec) for one in said]
    if len(said) > 1:
        raise ValueError(
            f"{spec.label}: there is more than one line for it. Indent the further lines of a value."
        )
    if spec.kind is Kind.CHOICES:
        return [one.strip() for one in said[0].split(",") if one.strip()]
    return said[0]


def _read_row(text: str, *, spec: FieldSpec) -> dict[str, Any]:
    by_name = {name.casefold(): column.key for column in spec.columns for name in (column.key, column.label)}
    row: dict[str, Any] = {}
    for cell in text.split(";"):
        name, sign, value = cell.partition("=")
        key = by_name.get(name.strip().casefold())
        if not sign or key is None:
            raise ValueError(f"{spec.label}: write a row as “{spec.columns[0].label} = value; …”.")
        row[key] = None if value.strip() in ("", NOTHING) else value.strip()
    return row


# Values of a rule


def rule_value_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(rule_value_text(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def read_rule_value(text: str, *, operator: str, spec: FieldSpec | None, before: Any) -> Any:
    text = text.strip()
    if before is not None and rule_value_text(before) == text:
        return before
    if not text:
        return None
    keys = {(one.label or one.key).casefold(): one.key for one in spec.choices} if spec else {}
    if operator == "one_of":
        return [keys.get(one.strip().casefold(), one.strip()) for one in text.split(",") if one.strip()]
    if operator in ("above", "below") and spec is not None:
        if spec.kind in (Kind.DATE, Kind.DATETIME):
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                raise ValueError("Write a date such as 2026-11-30.")
            return text
        if spec.kind not in (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY):
            raise ValueError(f"{spec.label} is neither a number nor a date, so nothing is above or below it.")
        if not re.fullmatch(r"-?\d+(\.\d+)?", text):
            raise ValueError("Write a number such as 1000 or 1000.50.")
        number = Decimal(text)
        return int(number) if number == int(number) else text
    return keys.get(text.casefold(), text)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _with_hint(line: str) -> tuple[str, str]:
    said, *hint = HINT.split(line, maxsplit=1)
    return said.strip(), hint[0].strip() if hint else ""
