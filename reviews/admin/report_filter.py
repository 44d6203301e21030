"""Lets a report's link narrow the list of items to exactly what a figure counted: by the same functions, within the same rights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin import ListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.llm.outcomes import Outcome
from reviews.reports.exceptions import REASONS
from reviews.reports.filters import NAMES, in_words, read_filter
from reviews.reports.parts import narrow
from workflows.access import countable
from workflows.models import Item
from workflows.states import LABELS, State

WORDS = {
    "all": "all items", "accepted": "accepted", "rejected": "rejected", "skipped": "skipped", "open": "still open",
    "reviewed": "ended after a review", "accepted after review": "accepted after a review", "unedited": "accepted without edits",
    "edited": "accepted with edits", "to people": "went to a person", "reason": "went to a person", "outcome": "an attempt failed",
    "handed over": "handed over", "why": "skipped", "stuck": "stuck now", "stuck, state": "stuck now", "priced": "drafted, with a price",
    "drafted": "drafted", "submitted by": "submitted by one person", "decided by": "decided by one person",
}  # fmt: skip


class FromReport(ListFilter):
    """It stands in no sheet: the line above the list says what it does, and leads out of it."""

    title = parameter_name = "report"  # Unfold looks its options up by the name
    template = "reviews/no_filter.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Item], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.sent: dict[str, str] = {
            name: params.pop(name)[-1] for name in (*NAMES, "part", "of") if name in params
        }

    def expected_parameters(self) -> list[str | None]:
        return [*NAMES, "part", "of"]

    def has_output(self) -> bool:
        return True  # a filter that shows nothing is not asked for its rows either

    def choices(self, changelist: Any) -> Any:
        return iter(())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Item]) -> QuerySet[Item]:
        if not self.sent:
            return queryset
        filter, _ = read_filter(sent=self.sent, user=request.user)
        # What the figure left out, because its figures are not for this person, is left out here as well.
        items = filter.narrow(countable(request.user, queryset))
        found = narrow(items, part=self.sent.get("part", "all"), of=self.sent.get("of", ""))
        return queryset.none() if found is None or filter.problems else found


def told(*, sent: Mapping[str, Any], user: Any) -> str:
    """What the list is narrowed by, in words; empty where no report led here."""
    if "part" not in sent:
        return ""
    filter, choices = read_filter(sent=sent, user=user)
    part, of = str(sent["part"]), str(sent.get("of", ""))
    words = WORDS.get(part, "nothing that there is")
    if of and part in ("reason", "outcome", "why", "stuck, state"):
        words += f" ({_of(part, of)})"
    return f"{words}; {in_words(filter=filter, choices=choices)}"


def _of(part: str, of: str) -> str:
    if part == "reason":
        return REASONS.get(of, of).lower()
    if part == "outcome":
        return of.replace("_", " ") if of in Outcome else of
    if part == "stuck, state":
        return LABELS[State(of)].lower() if of in set(State) else of
    return of
