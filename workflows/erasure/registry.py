"""What can be erased, whoever registered it: a plain list, filled in each app's `ready()`.

Whoever adds a model that hangs on an item registers a part for it, or says why a column holds no content; a test walks
over every text, JSON and file column and its history, and fails for one that nobody spoke for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

from workflows.models import Erasure

HISTORY_REASON = "history_change_reason"


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one workflow, locked by the transaction that erases them, and what has to be known of them afterwards."""

    workflow_id: int
    items: tuple[int, ...]
    public_ids: tuple[str, ...] = ()
    since: datetime | None = None  # the first of them came in
    titles: tuple[str, ...] = ()
    words: str = ""  # titles, external ids and values in one text without case, as people may have typed them elsewhere
    # Of the whole request, so that what stands in several workflows goes in each of them.
    hashes: frozenset[str] = frozenset()  # of files
    contents: frozenset[str] = frozenset()  # of items' contents
    # Found by themselves, when a person's data is erased.
    cases: frozenset[int] = frozenset()
    tries: frozenset[int] = frozenset()
    exports: frozenset[int] = frozenset()
    # None while it is only counted.
    erasure: Erasure | None = None
    by: Any = None


Count = Callable[[Batch], int]
Erase = Callable[[Batch], int]


@dataclass(frozen=True, slots=True)
class Part:
    """`count` and `erase` say how many rows; `erase` runs inside the transaction and may run twice."""

    name: str  # as people read it: "pages of text"
    count: Count
    erase: Erase
    columns: frozenset[str] = field(default_factory=frozenset)  # "workflows.page.text", history as well


_parts: dict[str, Part] = {}
_logged: list[
    tuple[type[Model], str]
] = []  # models whose rows the admin's log may name, and their way to the item
_free: dict[str, str] = {}
_after: dict[str, Callable[[Sequence[int]], object]] = {}
_files: dict[str, Callable[[str], object]] = {}


def register(*, name: str, count: Count, erase: Erase, columns: Iterable[str] = ()) -> None:
    """Have `erase(batch)` called, in the order of registration: what points to other rows before those."""
    _parts[name] = Part(name, count, erase, frozenset(columns))


def register_blanking(*, name: str, model: type[Model], to: Mapping[str, Any], path: str = "item") -> None:
    """The rows stay and count; these columns are emptied, in their history too, with the reason of each change."""
    known = {one.name for one in model._meta.get_fields()}
    assert set(to) <= known, f"{model.__name__} has no {set(to) - known}"

    _logged.append((model, path))

    def erase(batch: Batch) -> int:
        rows = rows_of(model, path, batch)
        if (history := history_of(model)) is not None:
            columns = {one.name for one in history._meta.get_fields()}
            past = rows_of(history, path, batch)
            past.update(
                **{key: value for key, value in to.items() if key in columns}, **{HISTORY_REASON: None}
            )
        return int(rows.update(**to))

    register(
        name=name, count=lambda batch: rows_of(model, path, batch).count(), erase=erase, columns=columns_of(model, to)
    )  # fmt: skip


def register_deleting(*, name: str, model: type[Model], path: str = "item") -> None:
    """The rows go, and their history with them."""

    _logged.append((model, path))

    def erase(batch: Batch) -> int:
        if (history := history_of(model)) is not None:
            bare(rows_of(history, path, batch))
        return bare(rows_of(model, path, batch))

    everything = [one.name for one in model._meta.concrete_fields]
    register(
        name=name, count=lambda batch: rows_of(model, path, batch).count(), erase=erase,
        columns=columns_of(model, everything),
    )  # fmt: skip


def declare_free(*, columns: Mapping[str, str]) -> None:
    """Columns of rows that hang on an item and hold no content, each with why: {"workflows.run.model": "…"}."""
    _free.update(columns)


def afterwards(*, name: str, call: Callable[[Sequence[int]], object]) -> None:
    """Have `call(ids of items)` called once the rows are gone, for what no transaction covers. It may be called twice."""
    _after[name] = call


def with_a_file(*, name: str, call: Callable[[str], object]) -> None:
    """Have `call(sha256)` called when the last holder of a file is gone: for whatever was made of it."""
    _files[name] = call


def parts() -> tuple[Part, ...]:
    return tuple(_parts.values())


def logged() -> tuple[tuple[type[Model], str], ...]:
    return tuple(_logged)


def spoken_for() -> frozenset[str]:
    """Every column that is erased or declared free."""
    return frozenset(_free).union(*(part.columns for part in _parts.values()))


def call_afterwards(items: Sequence[int]) -> None:
    for call in _after.values():
        call(items)


def call_with_file(sha256: str) -> None:
    for call in _files.values():
        call(sha256)


def history_of(model: type[Model]) -> Any:
    """The model of its history, or None."""
    name = getattr(model._meta, "simple_history_manager_attribute", None)
    return getattr(model, name).model if name else None


def columns_of(model: type[Model], names: Iterable[str]) -> list[str]:
    """As `spoken_for` lists them: of the model and of its history, as far as that keeps them."""
    names = list(names)
    found = [f"{model._meta.label_lower}.{name}" for name in names]
    if (history := history_of(model)) is not None:
        kept = {one.name for one in history._meta.get_fields()}
        found += [f"{history._meta.label_lower}.{name}" for name in (*names, HISTORY_REASON) if name in kept]
    return found


def rows_of(model: Any, path: str, batch: Batch) -> QuerySet[Any]:
    return model._base_manager.filter(**{f"{path}__in": batch.items})


def bare(rows: QuerySet[Any]) -> int:
    """Without `delete()`, which would write a line of history about each, or refuse."""
    return rows.order_by()._raw_delete(using=rows.db) or 0
