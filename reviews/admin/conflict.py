"""Somebody was first: what is saved, what this person typed and what was drafted, side by side. Nothing typed is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict

from reviews.admin.fields_shown import told_input
from reviews.admin.past import who
from reviews.admin.typed_values import Input, inputs_of
from workflows.drafting.fields import FieldSpec
from workflows.models import Item


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    saved: str
    yours: str
    drafted: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """`kept` are the inputs as they were sent, to be sent again."""

    happened: str
    saved_by: str
    saved_at: datetime | None
    rows: tuple[Difference, ...]
    kept: tuple[tuple[str, str], ...]

    @property
    def differing(self) -> int:
        return sum(row.differs for row in self.rows)


def clash_of(
    *, item: Item, specs: Sequence[FieldSpec], drafted: dict[str, Any], typed: QueryDict, said: str
) -> Clash:
    """`said` is the refusal in words."""
    last = item.history.select_related("history_user").order_by("-history_date", "-history_id").first()
    saved = inputs_of(fields=specs, values=item.values or {})
    yours = inputs_of(fields=specs, values={}, typed=typed)
    drafts = inputs_of(fields=specs, values=drafted)
    rows = tuple(
        Difference(
            label=mine.spec.label, saved=told_input(theirs) or "empty", drafted=told_input(draft) or "empty",
            yours=told_input(mine) or "empty" if _was_sent(mine, typed) else "",
            differs=_was_sent(mine, typed) and mine.written() != theirs.written(),
        )
        for theirs, mine, draft in zip(saved, yours, drafts, strict=True)
    )  # fmt: skip
    kept = tuple(
        (name, text)
        for name, texts in typed.lists()
        if name.startswith("value-") or name == "reason"
        for text in texts
    )
    if reason := typed.get(f"reason-{typed.get('verb', '')}"):  # as its dialog sent it
        kept = (*kept, ("reason", reason))
    return Clash(
        happened=said.partition(" Nothing of yours")[0],  # the panel says that itself
        saved_by=who(last.history_user) if last else "", saved_at=last.history_date if last else None, rows=rows, kept=kept
    )  # fmt: skip


def _was_sent(entry: Input, typed: QueryDict) -> bool:
    return entry.name in typed or f"{entry.name}-there" in typed
