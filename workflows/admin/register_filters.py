"""What the register is narrowed by: workflow, days, who accepted, and how."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.admin import SimpleListFilter
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter

from workflows.access import visible
from workflows.admin.filters import WorkflowFilter
from workflows.models import Decision, RegisterEntry


class RegisterWorkflowFilter(WorkflowFilter, DropdownFilter):
    """The shared filter, as a drop-down."""


class DaysForm(forms.Form):
    """The browser's own calendar, which the keyboard reaches."""

    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for end, said in (("from", "From"), ("to", "To, that day included")):
            widget = forms.DateInput(attrs={"type": "date", "class": "cs-date"})
            self.fields[f"{name}_{end}"] = forms.DateField(label=said, required=False, widget=widget)


class AcceptedFilter(RangeDateFilter):
    """Whole days of the installation's clock, both ends included."""

    form_class = DaysForm
    template = "workflows/days_filter.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "day of acceptance"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self.days()
        if first:
            queryset = queryset.filter(accepted_at__gte=midnight(first))
        if last:
            queryset = queryset.filter(accepted_at__lt=midnight(last + timedelta(days=1)))
        return queryset

    def days(self) -> tuple[date | None, date | None]:
        return day_of(self.used_parameters.get("accepted_at_from")), day_of(
            self.used_parameters.get("accepted_at_to")
        )

    def in_words(self) -> str:
        first, last = self.days()
        return " ".join(
            [f"accepted from {first}"] * bool(first)
            + [f"{'' if first else 'accepted '}to {last}"] * bool(last)
        )


class AcceptedByFilter(DropdownFilter):
    title = "person who accepted"
    parameter_name = "accepted_by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        # Names of those who accepted what this person may see, and of nobody else.
        seen = visible(request.user, RegisterEntry.objects.filter(delivery__decision__by=OuterRef("pk")))
        people = get_user_model().objects.filter(Exists(seen)).order_by("username")
        for person in people:
            yield str(person.pk), person.get_full_name() or person.get_username()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (value := self.value()):
            return queryset
        known = {pk for pk, _ in self.lookup_choices}
        return queryset.filter(delivery__decision__by=value) if value in known else queryset.none()

    def has_output(self) -> bool:
        return True


class DecisionFilter(DropdownFilter):
    title = "decision"
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.value, str(kind.label)) for kind in (Decision.Kind.APPROVE, Decision.Kind.EDIT)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(delivery__decision__kind=value) if value else queryset


def filters_in_words(cl: Any) -> str:
    """What a change list was narrowed by, for the record of an export."""
    told = [f"search: {cl.query}"] if cl.query else []
    for spec in cl.filter_specs:
        if isinstance(spec, AcceptedFilter):
            told += [spec.in_words()] if spec.in_words() else []
        elif isinstance(spec, SimpleListFilter) and (value := spec.value()):
            told.append(f"{spec.title}: {dict(spec.lookup_choices).get(value, value)}")
    # What was typed into the address narrows it too.
    known = {name for spec in cl.filter_specs for name in spec.expected_parameters()}
    told += [f"{name}: {value}" for name, value in cl.get_filters_params().items() if name not in known]
    return "; ".join(told)


def day_of(given: Any) -> date | None:
    """None too for what is no day, or one that no clock reaches."""
    try:
        read = date.fromisoformat(str(given or ""))
    except ValueError:
        return None
    return read if 1900 <= read.year <= 2999 else None


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
