"""A YAML or CSV file becomes cases that were checked, or a list of what is wrong with it, by row. No rows are written.

YAML is a list. Each entry: `input` (a file name, or several) or `text`; `values` by field key; and, where it is so, `name`,
`expect` (drafted, attention, skipped), `messy` (what makes it hard), `held_out`, `received` (the day it came in). CSV has the
columns `file` (several with ; between) or `text`, the same others, and one column for each field, by its key or label.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from workflows.drafting.fields import FieldSpec, Kind
from workflows.errors import InvalidInput
from workflows.evaluation.labels import gold_value
from workflows.intake import Upload
from workflows.storable import storable, storable_json
from workflows.workflow_file import NotYaml, plain_yaml

FORMATS = ("yaml", "csv")
MOST_CASES = 2_000
MOST_CHARACTERS = 5_000_000
EXPECTED = ("drafted", "attention", "skipped")
OWN_WORDS = ("input", "file", "text", "name", "expect", "messy", "held_out", "received", "title", "why")
MOST_PROBLEMS_TOLD = 12

FindFile = Callable[[str], bytes | None]  # the content of a file named in a row


@dataclass(frozen=True, slots=True)
class CasePart:
    name: str
    text: str
    files: tuple[Upload, ...]
    values: dict[str, Any]
    expect: str = "drafted"
    messy: tuple[str, ...] = ()
    held_out: bool = False
    received: date | None = None


class _Wrong(Exception):
    """What is wrong with a row, in words."""


def read_cases(*, text: str, format: str, specs: Mapping[str, FieldSpec], find: FindFile) -> list[CasePart]:
    """Raises InvalidInput whose problems are keyed by the row, in words."""
    if format not in FORMATS:
        raise InvalidInput("Cases come as YAML or CSV. Nothing was imported.")
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput(
            f"The file has more than {MOST_CHARACTERS:,} characters. Nothing was imported. Split it."
        )
    rows = _yaml_rows(text) if format == "yaml" else _csv_rows(text, specs)
    if not rows:
        raise _refusal({"the file": "there is no case in it"})
    if len(rows) > MOST_CASES:
        raise _refusal(
            {"the file": f"it has {len(rows):,} cases; {MOST_CASES:,} can be taken at once, so split it"}
        )
    problems: dict[str, str] = {}
    parts: dict[str, CasePart] = {}
    for number, row in enumerate(rows, start=1 if format == "yaml" else 2):  # in a CSV, line 1 is the head
        place = f"row {number}"
        try:
            part = _part(row, specs=specs, find=find)
            if part.name in parts:
                raise _Wrong(f"the name “{part.name}” is there twice; each case has a name of its own")
            parts[part.name] = part
        except _Wrong as wrong:
            problems[place] = str(wrong)
    if problems:
        raise _refusal(problems)
    return list(parts.values())


def _refusal(problems: dict[str, str]) -> InvalidInput:
    told = [f"{place}: {said.rstrip('.')}." for place, said in problems.items()]
    more = len(told) - MOST_PROBLEMS_TOLD
    rest = f" {more} more {'row is' if more == 1 else 'rows are'} wrong." if more > 0 else ""
    return InvalidInput(
        f"The cases cannot be imported, and nothing was changed. {' '.join(told[:MOST_PROBLEMS_TOLD])}{rest}",
        problems=problems,
    )


def _yaml_rows(text: str) -> list[Any]:
    try:
        read = plain_yaml(text=text)
    except NotYaml as error:
        raise _refusal({error.place: error.said}) from None
    if not isinstance(read, list):
        raise _refusal(
            {"the file": "it has to be a list of cases, each beginning with “- input:” or “- text:”"}
        )
    return read


def _csv_rows(text: str, specs: Mapping[str, FieldSpec]) -> list[dict[str, Any]]:
    text = text.removeprefix("\ufeff")
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
    except csv.Error as error:
        raise _refusal({"the file": f"this is not CSV that can be read: {error}"}) from None
    if not lines:
        return []
    labels = {spec.label.strip().casefold(): key for key, spec in specs.items()}
    columns: list[tuple[str, str]] = []
    unknown: list[str] = []
    for title in (one.strip() for one in lines[0]):
        if column := _column(title, specs=specs, labels=labels):
            columns.append(column)
        else:
            unknown.append(title or "without a title")
    if unknown:
        raise _refusal({
            f"column “{title}”": f"there is no such field; the fields are {', '.join(specs)}" for title in unknown
        })  # fmt: skip
    if twice := next((one for one in columns if columns.count(one) > 1), None):
        raise _refusal({f"column “{twice[1]}”": "it is there twice"})
    rows: list[dict[str, Any]] = []
    for line in lines[1:]:
        if not any(cell.strip() for cell in line):
            rows.append({"empty": True})
            continue
        cells = list(zip(columns, [*line, *[""] * (len(columns) - len(line))], strict=False))
        row: dict[str, Any] = {key: cell for (of, key), cell in cells if of == "case" and cell.strip()}
        for several in ("file", "messy"):
            if several in row:
                row[several] = [one.strip() for one in row[several].split(";") if one.strip()]
        row["values"] = {key: cell for (of, key), cell in cells if of == "field"}
        if len(line) > len(columns):
            row["too many"] = len(line)
        rows.append(row)
    while rows and "empty" in rows[-1]:
        rows.pop()
    return rows


def _column(
    title: str, *, specs: Mapping[str, FieldSpec], labels: Mapping[str, str]
) -> tuple[str, str] | None:
    """("field", its key) or ("case", a word of ours). A workflow may have a field “name”: then the case's name is “case”."""
    folded = title.casefold()
    if key := title if title in specs else labels.get(folded):
        return "field", key
    if folded == "case":
        return "case", "name"
    return ("case", folded.replace(" ", "_")) if folded.replace(" ", "_") in OWN_WORDS else None


def _part(row: Any, *, specs: Mapping[str, FieldSpec], find: FindFile) -> CasePart:
    if not isinstance(row, dict):
        raise _Wrong("a case is written as “input: …” and “values: …”")
    if row.get("empty"):
        raise _Wrong("the row is empty")
    if "too many" in row:
        raise _Wrong(
            "it has more cells than the head has columns; a text with a comma or a line break stands in quotes"
        )
    if unknown := next((key for key in row if key not in (*OWN_WORDS, "values")), None):
        raise _Wrong(f"“{unknown}” is not known here; values of fields stand under “values”")
    text = storable(str(row.get("text") or ""))
    names = _names(row.get("input") or row.get("file") or [])
    if not text.strip() and not names:
        raise _Wrong("there is nothing to read: give it a text or a file")
    if len(text) > settings.MAX_TEXT_CHARACTERS:
        raise _Wrong(f"the text has {len(text):,} characters; {settings.MAX_TEXT_CHARACTERS:,} can be taken")
    name = storable(str(row.get("name") or (names[0] if names else ""))).strip()
    if not name:
        raise _Wrong("it has no name; a case with a text needs one (in a CSV, the column “case” or “name”)")
    if len(name) > 200:
        raise _Wrong("its name is longer than 200 characters")
    expect = str(row.get("expect") or "drafted").strip().casefold()
    if expect not in EXPECTED:
        raise _Wrong(f"“expect” is one of {', '.join(EXPECTED)}, not “{expect}”")
    return CasePart(
        name=name, text=text, files=tuple(_file(one, find=find) for one in names), expect=expect,
        messy=_messy(row.get("messy")), held_out=_yes(row.get("held_out")), received=_day(row.get("received")),
        values=_values(row.get("values"), specs=specs),
    )  # fmt: skip


def _names(given: Any) -> list[str]:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(one, str) and one.strip() for one in names):
        raise _Wrong("“input” is the name of a file, or a list of names")
    if len(names) > settings.MAX_FILES_PER_ITEM:
        raise _Wrong(f"it has {len(names)} files; {settings.MAX_FILES_PER_ITEM} can be taken")
    return [one.strip() for one in names]


def _file(name: str, *, find: FindFile) -> Upload:
    content = None if "/" in name or "\\" in name or name in (".", "..") else find(name)
    if content is None:
        raise _Wrong(f"the file “{name}” did not come with it")
    if len(content) > settings.MAX_FILE_BYTES:
        raise _Wrong(f"“{name}” is larger than {settings.MAX_FILE_BYTES // 2**20} MB")
    return Upload(name=name, content=content)


def _messy(given: Any) -> tuple[str, ...]:
    several: Sequence[Any] = [given] if isinstance(given, str) and given.strip() else given or []
    if not isinstance(several, list) or not all(isinstance(one, str) for one in several):
        raise _Wrong("“messy” is a list of words: what makes the input hard")
    return tuple(storable_json(several))


def _yes(given: Any) -> bool:
    if given is None or isinstance(given, bool):
        return bool(given)
    word = str(given).strip().casefold()
    if word not in ("yes", "no", "true", "false", "1", "0", ""):
        raise _Wrong(f"“held out” is yes or no, not “{word}”")
    return word in ("yes", "true", "1")


def _day(given: Any) -> date | None:
    if given in (None, ""):
        return None
    try:
        return date.fromisoformat(str(given).strip())
    except ValueError:
        raise _Wrong(f"“received” is a day like 2026-11-22, not “{given}”") from None


def _values(given: Any, *, specs: Mapping[str, FieldSpec]) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise _Wrong("“values” holds one line for each field: its key and what is right")
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in specs:
            raise _Wrong(f"there is no field “{key}”; the fields are {', '.join(specs)}")
        if specs[key].kind is Kind.ROWS and isinstance(value, str) and value.strip():
            value = _rows_in_a_cell(value, label=specs[key].label)
        try:
            values[key] = storable_json(gold_value(spec=specs[key], value=value))
        except ValueError as problem:
            raise _Wrong(f"{specs[key].label}: {problem}") from None
    return values


def _rows_in_a_cell(text: str, *, label: str) -> Any:
    try:
        return plain_yaml(text=text)  # JSON is YAML as well
    except NotYaml:
        raise _Wrong(f"{label}: a list of rows stands in one cell as JSON") from None
