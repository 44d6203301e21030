"""Cases come in: from a file that was checked whole before anything is written. Importing again updates by name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from workflows.access import Action, may
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.evaluation.case_files import CasePart, FindFile, read_cases
from workflows.evaluation.labels import specs_of, write_gold
from workflows.intake import Upload, hash_of, keep_file
from workflows.models import Case, CaseSource, Workflow
from workflows.people import acting, system_user


@dataclass(frozen=True, slots=True)
class Imported:
    made: int = 0
    changed: int = 0
    same: int = 0

    def __str__(self) -> str:
        return f"{self.made} new, {self.changed} changed, {self.same} as they were"


def import_cases(
    *, workflow: Workflow, text: str, format: str, by: Any, find: FindFile = lambda _: None, origin: str = ""
) -> Imported:
    """`find` gives the content of a file named in a row; `by` None is the command line; `origin` is kept with each case.

    Raises NotPermitted or InvalidInput, and nothing was written.
    """
    if by is not None and not may(by, Action.MANAGE, workflow):
        raise NotPermitted(
            f"You may not import cases of {workflow.name}. Nothing was imported. Ask whoever manages its access."
        )
    specs = specs_of(workflow=workflow)
    if not specs:
        raise InvalidInput(
            f"{workflow.name} has no fields yet, so there is nothing a case could be right about. "
            "Nothing was imported. Add fields to a version first."
        )
    parts = read_cases(text=text, format=format, specs=specs, find=find)
    count = {"made": 0, "changed": 0, "same": 0}
    with transaction.atomic():
        Workflow.objects.select_for_update().only("pk").get(pk=workflow.pk)
        known = {case.name: case for case in workflow.cases.all()}
        for part in parts:
            case = known.get(part.name)
            what = _write(
                case=case or Case(workflow=workflow, name=part.name),
                part=part,
                by=by,
                origin=origin or format,
            )
            count[what] += 1
    return Imported(**count)


def import_case_file(*, workflow: Workflow, path: Path, by: Any, origin: str = "") -> Imported:
    """As `import_cases`; the files that its rows name stand beside it, or in a folder `inputs` beside it."""
    format = {".yaml": "yaml", ".yml": "yaml", ".csv": "csv"}.get(path.suffix.lower(), "")
    if not format:
        raise InvalidInput(f"{path.name} is neither a .yaml nor a .csv file. Nothing was imported.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path.name} cannot be read ({error.__class__.__name__}). Nothing was imported."
        ) from None

    def find(name: str) -> bytes | None:
        for folder in (path.parent, path.parent / "inputs"):
            if (folder / name).is_file():
                return (folder / name).read_bytes()
        return None

    return import_cases(workflow=workflow, text=text, format=format, by=by, find=find, origin=origin)


def set_active(*, case: Case, active: bool, by: Any) -> None:
    """One that is left out stays, with its results; evaluations from now on do without it."""
    if not may(by, Action.MANAGE, case):
        raise NotPermitted("You may not change the cases of this workflow. Ask whoever manages its access.")
    if case.active == active:
        return
    if case.erased_at is not None:
        raise Conflict("The content of this case was erased with that of an item. Nothing was changed.")
    case.active = active
    with acting(by=by, why="Part of evaluations again" if active else "Left out of evaluations", on=case):
        case.save(update_fields=["active"])


def _write(*, case: Case, part: CasePart, by: Any, origin: str) -> str:
    made = case.pk is None
    digests = [hashlib.sha256(file.content).digest() for file in part.files]
    wanted: dict[str, Any] = {
        "expect": part.expect, "messy": list(part.messy), "held_out": part.held_out, "origin": origin,
        "content_hash": hash_of(text=part.text, digests=digests), "active": True,
    }  # fmt: skip
    if part.received is not None and (made or timezone.localdate(case.created_at) != part.received):
        wanted["created_at"] = _noon(part.received)
    sources = _uploads(part)
    names = [upload.name for upload in sources]
    other_files = (
        made
        or case.content_hash != wanted["content_hash"]
        or list(case.sources.values_list("name", flat=True)) != names
    )
    changed = made or other_files or any(getattr(case, name) != value for name, value in wanted.items())
    if changed:
        for name, value in wanted.items():
            setattr(case, name, value)
        _save(case, by=by, why="Imported")
    if other_files:
        case.sources.all().delete()
        _write_sources(case=case, uploads=sources)
    if write_gold(case=case, values=part.values, by=by or system_user()):
        if not made:
            _save(case, by=by, why="Gold values imported")
        changed = True
    return "made" if made else "changed" if changed else "same"


def _save(case: Case, *, by: Any, why: str) -> None:
    with acting(by=by or system_user(), why=why, on=case):
        case.save()


def _uploads(part: CasePart) -> list[Upload]:
    """In the order in which an item with the same content is read: its text, then its files."""
    text = [Upload(name="", content=part.text.encode(), media_type="text/plain")] if part.text.strip() else []
    return [*text, *part.files]


def _write_sources(*, case: Case, uploads: Sequence[Upload]) -> None:
    for position, upload in enumerate(uploads):
        source = CaseSource(
            case=case, position=position, name=upload.name[-200:], media_type=upload.media_type[:120],
            sha256=hashlib.sha256(upload.content).hexdigest(), size=len(upload.content),
        )  # fmt: skip
        keep_file(source=source, content=upload.content)
        source.save(force_insert=True)


def _noon(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(12)))
