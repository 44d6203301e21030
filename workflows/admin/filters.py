"""Filters whose choices come from what may be seen: a choice is a name, and a name can be a secret."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from workflows.access import Action, visible
from workflows.models import Workflow


class WorkflowFilter(SimpleListFilter):
    title = "workflow"
    parameter_name = "workflow__id__exact"
    path = "workflow"
    action = Action.VIEW

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        workflows = visible(request.user, Workflow.objects.order_by("name"), self.action)
        return [(str(pk), name) for pk, name in workflows.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:  # a drop-down sends an empty one for "all"
            return queryset
        # The queryset is scoped already; a number that is not offered finds nothing.
        known = {pk for pk, _ in self.lookup_choices}
        return queryset.filter(**{self.path: value}) if value in known else queryset.none()

    def has_output(self) -> bool:
        return True


class ItemsWorkflowFilter(WorkflowFilter):
    parameter_name = "item__workflow__id__exact"
    path = "item__workflow"
