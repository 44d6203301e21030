"""The subject and the body of a mail.

Values come from documents of strangers: a value may fill its own place and nothing else. It cannot begin a header,
and in the body its further lines are indented, so that it cannot pass for another field.
"""

from __future__ import annotations

from datetime import UTC
from string import Template
from typing import Any

from integrations.connectors.base import Parcel
from integrations.connectors.words import one_line

NOT_GIVEN = "(not given)"
SUBJECT_CHARACTERS = 200


def subject(*, template: str, parcel: Parcel) -> str:
    """`template` with $title, $workflow, $item and $<field key> filled in; unknown names stay as written."""
    # The field keys first: a field called "title" must not hide the item's own title.
    names = {key: _short(value) for key, value in parcel.values.items()}
    names |= {"title": parcel.title, "workflow": parcel.workflow_name, "item": parcel.item_id}
    # string.Template looks names up and does nothing else: no attributes, no calls.
    written = one_line(Template(template).safe_substitute(names), at_most=SUBJECT_CHARACTERS)
    return f"[Test] {written}" if parcel.test else written


def body(parcel: Parcel) -> str:
    lines = [f"{one_line(parcel.workflow_name, at_most=200)}: {one_line(parcel.title, at_most=500)}", ""]
    if parcel.test:
        lines += ["This is a test. The values are made up, and nothing was approved.", ""]
    for key, value in parcel.values.items():
        lines += _field(label=_label(key=key, parcel=parcel), key=key, value=value, parcel=parcel)
    decided = parcel.decided_at.astimezone(UTC)
    lines += [
        "",
        f"{'Tested' if parcel.test else 'Approved'} by {one_line(parcel.decided_by, at_most=200)} on {decided:%Y-%m-%d at %H:%M} UTC.",
        f"Open it: {one_line(parcel.url, at_most=2000)}",
        f"Reference: {one_line(parcel.key, at_most=100)}",
    ]
    return "\n".join(lines) + "\n"


def _field(*, label: str, key: str, value: Any, parcel: Parcel) -> list[str]:
    if isinstance(value, list) and any(isinstance(each, dict) and not _is_money(each) for each in value):
        lines = [f"{label}:"]
        for number, row in enumerate(value, start=1):
            cells = row if isinstance(row, dict) else {key: row}
            said = [
                f"{_label(key=f'{key}.{name}', parcel=parcel)}: {_short(cell)}"
                for name, cell in cells.items()
            ]
            lines.append(f"  {number}. " + "; ".join(said))
        return lines
    first, *further = _long(value).splitlines() or [NOT_GIVEN]
    return [f"{label}: {first}", *(f"    {line}" for line in further)]


def _label(*, key: str, parcel: Parcel) -> str:
    known = parcel.labels.get(key)
    return one_line(known or key.rpartition(".")[2].replace("_", " ").capitalize(), at_most=200)


def _long(value: Any) -> str:
    match value:
        case None | "" | []:
            return NOT_GIVEN
        case bool():
            return "yes" if value else "no"
        case {"amount": amount, "currency": currency}:
            return f"{amount} {currency}"
        case list():
            return ", ".join(_short(each) for each in value)
        case dict():
            return "; ".join(f"{name}: {_short(each)}" for name, each in value.items())
        case _:
            return "\n".join(one_line(line, at_most=5000) for line in str(value).splitlines())


def _short(value: Any) -> str:
    return one_line(_long(value), at_most=500)


def _is_money(value: dict[str, Any]) -> bool:
    return value.keys() == {"amount", "currency"}
