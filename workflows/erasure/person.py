"""Where a person's data stands: looked for by what is known of them, in the workflows that one manages."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from workflows.access import Action, visible
from workflows.erasure.erasing import Beside
from workflows.errors import InvalidInput
from workflows.models import (
    Brief,
    Case,
    CaseResult,
    CaseSource,
    Decision,
    Delivery,
    FieldResult,
    Item,
    Label,
    Page,
    RegisterEntry,
    RegisterExport,
    Run,
    Source,
    Try,
    Version,
    Workflow,
)
from workflows.storable import storable

SHORTEST, FEWEST_DIGITS = 4, 6
_PHONE = re.compile(r"^\+?[\d\s()./-]+$")
_BETWEEN_WORDS = r"(\s|\\[nrt])+"  # JSON writes a line end as two characters
_BETWEEN_DIGITS = r"[^0-9A-Za-z]{0,3}"

# Where the text of an item stands: columns of each model, and its way to the item.
_PLACES: tuple[tuple[str, Any, str, tuple[str, ...]], ...] = (
    ("title, reference, values or note", Item, "pk", ("title", "external_id", "metadata", "values", "problem", "note", "route")),
    ("names of files", Source, "item", ("name", "reading")),
    ("texts of files", Page, "source__item", ("text",)),
    ("drafts", Run, "item", ("raw_text", "draft", "error")),
    ("values of fields", FieldResult, "run__item", ("value",)),
    ("decisions", Decision, "item", ("values", "reason")),
    ("the register", RegisterEntry, "item", ("title", "values")),
    ("deliveries", Delivery, "item", ("payload", "reference", "error")),
)  # fmt: skip


@dataclass(slots=True)
class Found:
    """What would go. `items` with the places in which each was found; duplicates of its files are among them."""

    items: dict[int, list[str]] = field(default_factory=dict)
    beside: dict[int, Beside] = field(default_factory=dict)  # by workflow

    def __bool__(self) -> bool:
        return bool(self.items) or any(self.beside.values())


def search_person(*, text: str, by: Any, workflow: Workflow | None = None) -> Found:
    """`by` None is the command line. Raises InvalidInput for what would find half of everything."""
    text = storable(text).strip()
    pattern = pattern_of(text)
    workflows = Workflow.objects.all() if by is None else visible(by, Workflow.objects.all(), Action.MANAGE)
    if workflow is not None:
        workflows = workflows.filter(pk=workflow.pk)
    allowed = set(workflows.values_list("pk", flat=True))
    found = Found(items=_items(pattern=pattern, workflows=allowed))
    _add_duplicates(found=found, workflows=allowed)
    hashes = frozenset(Source.objects.filter(item__in=found.items).values_list("sha256", flat=True))
    for pk in allowed:
        if beside := _beside(pattern=pattern, workflow_id=pk, hashes=hashes):
            found.beside[pk] = beside
    return found


def pattern_of(text: str) -> str:
    """A regular expression that both databases read: without case, over line ends, telephone numbers however written."""
    digits = re.sub(r"\D", "", text)
    if _PHONE.match(text):
        if len(digits) < FEWEST_DIGITS:
            raise InvalidInput(f"Give at least {FEWEST_DIGITS} digits of a number. Nothing was searched.")
        # The way a country is dialled differs; the last digits do not.
        return _BETWEEN_DIGITS.join(digits.lstrip("0")[-9:])
    if len(re.sub(r"\s", "", text)) < SHORTEST:
        raise InvalidInput(f"Give at least {SHORTEST} letters. Nothing was searched.")
    return _BETWEEN_WORDS.join("".join(_letter(one) for one in word) for word in text.split())


def _letter(letter: str) -> str:
    """As it stands, and as JSON escapes it; each in both cases, for the escapes have none."""
    if letter.isascii():
        return re.escape(letter)
    forms = {letter, letter.lower(), letter.upper()} - {""}
    escapes = {json.dumps(one)[1:-1] for one in forms}
    return "(" + "|".join([*sorted(re.escape(one) for one in forms | escapes)]) + ")"


def _any(columns: Iterable[str], pattern: str) -> Q:
    wanted = Q()
    for column in columns:
        wanted |= Q(**{f"{column}__iregex": pattern})
    return wanted


def _items(*, pattern: str, workflows: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for place, model, path, columns in _PLACES:
        inside = "workflow" if path == "pk" else f"{path}__workflow"
        alive = "erased_at" if path == "pk" else f"{path}__erased_at"
        rows = model._base_manager.filter(_any(columns, pattern), **{f"{inside}__in": workflows, alive: None})
        for pk in rows.order_by().values_list(path, flat=True).distinct():
            found[pk].append(place)
    return dict(sorted(found.items()))


def _add_duplicates(*, found: Found, workflows: Collection[int]) -> None:
    """The same bytes, read or not, are the same person's."""
    hashes = Source.objects.filter(item__in=found.items).values("sha256")
    same = Source.objects.filter(sha256__in=hashes, item__workflow__in=workflows, item__erased_at=None)
    for pk in same.exclude(item__in=found.items).order_by().values_list("item", flat=True).distinct():
        found.items[pk] = ["the same file"]


def _beside(*, pattern: str, workflow_id: int, hashes: frozenset[str]) -> Beside:
    cases = set(
        Case.objects.filter(_any(("name",), pattern), workflow=workflow_id, erased_at=None).values_list(
            "pk", flat=True
        )
    )
    in_cases = {"case__workflow": workflow_id, "case__erased_at": None}
    for model, columns in (
        (Label, ("value",)),
        (CaseResult, ("values", "fields", "error")),
        (CaseSource, ("name",)),
    ):
        rows: Any = model._base_manager.filter(_any(columns, pattern), **in_cases)
        cases |= set(rows.values_list("case", flat=True))
    cases |= set(CaseSource.objects.filter(sha256__in=hashes, **in_cases).values_list("case", flat=True))
    read = re.compile(pattern, re.IGNORECASE)
    for source in CaseSource.objects.filter(media_type__startswith="text/", **in_cases).exclude(
        case__in=cases
    ):
        try:
            with source.file.open("rb") as file:
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            continue
        if read.search(text):
            cases.add(source.case_id)
    tries = Try.objects.filter(
        _any(("text", "result", "said"), pattern), version__workflow=workflow_id
    ).exclude(ended_at=None)
    exports = RegisterExport.objects.filter(_any(("filters",), pattern), workflow=workflow_id)
    return Beside(
        cases=frozenset(cases), tries=frozenset(tries.values_list("pk", flat=True)),
        exports=frozenset(exports.values_list("pk", flat=True)), not_reached=tuple(_unchanged(pattern, workflow_id)),
    )  # fmt: skip


def _unchanged(pattern: str, workflow_id: int) -> list[str]:
    """What people wrote into the workflow itself is theirs to change."""
    versions = Version.objects.filter(
        _any(("instructions", "examples"), pattern), workflow=workflow_id
    ).order_by("number")
    told = [
        f"Version {number} holds it in its instructions or examples: make a new version without it."
        for number in versions.values_list("number", flat=True)
    ]
    written = (
        "task",
        "today",
        "breaks",
        "tools",
        "timed",
        "when_late",
        "when_wrong",
        "stays_human",
        "next_step",
        "instructions",
    )
    if Brief.objects.filter(_any(written, pattern), workflow=workflow_id).exists():
        told.append("The brief of the workflow holds it: change it there.")
    return told
