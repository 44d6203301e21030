"""The filter sheet of the review list. Each choice is a word that stands in the list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from reviews.admin.worklists import WorkflowChoice
from reviews.claims import free_for
from reviews.models import Review
from workflows.access import Action

REASONS = {
    "bar": "signal below the bar", "evidence": "not found in the source", "value": "missing, or cannot be right",
    "rule": "a rule of the workflow", "sensitive": "sensitive, always reviewed", "unclear": "a question is open",
    "source": "something about the source", "certificate": "no certificate",
}  # fmt: skip


class ShownTab(SimpleListFilter):
    """Lets the tab's parameter through; the admin's queryset follows it. It stands in no sheet."""

    title = parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class WorkflowDropdown(WorkflowChoice, DropdownFilter):
    action = Action.REVIEW


class SeenWorkflowDropdown(WorkflowChoice, DropdownFilter):
    pass


class ReasonFilter(DropdownFilter):
    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(REASONS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> QuerySet[Review]:
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(reason_kinds__contains=f"|{value}|") if value in REASONS else queryset.none()


class RiskFilter(DropdownFilter):
    title = "risk"
    parameter_name = "risk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(risk.value), risk.label) for risk in reversed(Review.Risk)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> QuerySet[Review]:
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(risk=value) if value in ("1", "2", "3") else queryset.none()


class DueFilter(DropdownFilter):
    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("late", "Late"), ("hour", "Within the hour"), ("day", "Within a day"), ("later", "Later")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> QuerySet[Review]:
        now = timezone.now()
        hour, day = now + timedelta(hours=1), now + timedelta(days=1)
        chosen = {
            "late": Q(due_at__lt=now), "hour": Q(due_at__gte=now, due_at__lt=hour), "day": Q(due_at__gte=now, due_at__lt=day),
            "later": Q(due_at__gte=day),
        }  # fmt: skip
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(chosen[value]) if value in chosen else queryset.none()


class ClaimFilter(DropdownFilter):
    title = "claimed by"
    parameter_name = "claimed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Me"), ("nobody", "Nobody"), ("colleague", "A colleague")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> QuerySet[Review]:
        now = timezone.now()
        value = self.value()
        if not value:
            return queryset
        chosen = {
            "me": Q(claimed_by=request.user, claimed_until__gte=now),
            "nobody": Q(claimed_by=None) | Q(claimed_until__lt=now),
            "colleague": ~free_for(user=request.user, now=now),
        }
        return queryset.filter(chosen[value]) if value in chosen else queryset.none()
