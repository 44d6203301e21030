"""The audit log, to read: for superusers all of it, for whoever manages access the events of their workflows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from unfold.contrib.filters.admin import DropdownFilter

from workflows.access import Action, may, visible
from workflows.admin.base import ScopedAdmin, label
from workflows.admin.filters import WorkflowFilter
from workflows.admin.register_filters import AcceptedFilter, day_of, midnight
from workflows.admin.telling import as_text, chip
from workflows.audit.kinds import LABELS, Kind, label_of
from workflows.audit.scheduled import WHOLE
from workflows.models import AuditCheck, AuditContent, AuditEvent, Item, Workflow

LIST = "admin:workflows_auditevent_changelist"
LONGEST = 120
HIDDEN = "(sensitive: shown to those who decide sensitive items)"


class KindFilter(DropdownFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(((kind.value, said) for kind, said in LABELS.items()), key=lambda one: one[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(kind=value) if value else queryset


class EventWorkflowFilter(WorkflowFilter, DropdownFilter):
    parameter_name = "workflow"
    path = "workflow_id"
    action = Action.ACCESS


class PersonFilter(DropdownFilter):
    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        # Names of those who did what this person may see, and of nobody else.
        seen = visible(request.user, AuditEvent.objects.filter(actor_id=OuterRef("pk")))
        people = get_user_model().objects.filter(Exists(seen)).order_by("username")
        for person in people:
            yield str(person.pk), person.get_full_name() or person.get_username()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (value := self.value()):
            return queryset
        known = {pk for pk, _ in self.lookup_choices}
        return queryset.filter(actor_id=value) if value in known else queryset.none()

    def has_output(self) -> bool:
        return True


class DaysFilter(AcceptedFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "day"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = day_of(self.used_parameters.get("at_from")), day_of(self.used_parameters.get("at_to"))
        if first:
            queryset = queryset.filter(at__gte=midnight(first))
        if last:
            queryset = queryset.filter(at__lt=midnight(last + timedelta(days=1)))
        return queryset


@admin.register(AuditEvent)
class AuditEventAdmin(ScopedAdmin):
    list_display = (
        "at_told",
        "kind_told",
        "actor_told",
        "workflow_told",
        "item_told",
        "facts_short",
        "sequence",
    )
    list_display_links = ("at_told",)
    list_fullwidth = True
    list_filter = (KindFilter, EventWorkflowFilter, PersonFilter, ("at", DaysFilter))
    list_filter_submit = True
    list_filter_sheet = True
    list_before_template = "workflows/audit_top.html"
    search_fields = ("item",)
    search_help_text = "Id of an item"
    ordering = ("-sequence",)
    fields = (
        "sequence", "at_told", "kind_told", "actor_told", "workflow_told", "item_link", "facts_told", "content_told",
        "content_digest", "previous", "hash",
    )  # fmt: skip
    readonly_fields = (
        "at_told", "kind_told", "actor_told", "workflow_told", "item_link", "facts_told", "content_told",
    )  # fmt: skip

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        # What the page shows depends on who reads; this object here serves every request at once.
        event = super().get_object(request, object_id, from_field)
        event.reader = request.user
        return event

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        try:
            return queryset.filter(item=uuid.UUID(search_term.strip())), False
        except ValueError:
            return queryset.none(), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        checks = (
            {one.name: one for one in AuditCheck.objects.all()} if self.has_view_permission(request) else {}
        )
        context = {
            # How many events there are is a figure of everybody's work.
            "checks": [_told(one) for one in checks.values()] if _is_superuser(request) else [],
            "whole": checks.get(WHOLE),
            "broken": any(one.broken_at is not None for one in checks.values()),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @label("when", order="sequence")
    def at_told(self, event: AuditEvent) -> str:
        at = timezone.localtime(event.at)
        return f"{at.day} {at:%b %Y %H:%M:%S}"

    @label("what")
    def kind_told(self, event: AuditEvent) -> str:
        return label_of(event.kind)

    @label("who")
    def actor_told(self, event: AuditEvent) -> str:
        return event.actor or ("nobody signed in" if event.kind == Kind.SIGN_IN_FAILED else "command line")

    @label("workflow")
    def workflow_told(self, event: AuditEvent) -> str:
        return event.workflow_slug or "–"

    @label("item")
    def item_told(self, event: AuditEvent) -> str:
        if event.item is None:
            return "–"
        short = str(event.item)[:8]
        address = f"{reverse(LIST)}?q={event.item}"
        return format_html(
            '<a class="text-link" href="{}" title="All events of this item">{}…</a>', address, short
        )

    @label("facts")
    def facts_short(self, event: AuditEvent) -> str:
        if {"from", "to"} <= event.facts.keys():
            return f"{event.facts['from']} → {event.facts['to']}".replace("_", " ")
        said = ", ".join(f"{key.replace('_', ' ')} {_short(value)}" for key, value in event.facts.items())
        return Truncator(said).chars(LONGEST) or "–"

    @label("item")
    def item_link(self, event: AuditEvent) -> str:
        if event.item is None:
            return "–"
        item = visible(_reader(event), Item.objects.filter(public_id=event.item)).only("title").first()
        if item is None:
            return str(event.item)
        address = reverse("admin:workflows_item_change", args=[item.pk])
        return format_html('<a class="text-link" href="{}">{}</a> {}', address, item.title, event.item)

    @label("facts")
    def facts_told(self, event: AuditEvent) -> str:
        return as_text(event.facts)

    @label("content")
    def content_told(self, event: AuditEvent) -> str:
        if not event.content_digest:
            return "None was due."
        content = AuditContent.objects.filter(pk=event.pk).first()
        if content is None:
            return chip(text="Erased: what was personal is gone, the event is whole", icon="ink_eraser")
        return as_text(_masked(body=content.body, event=event, user=_reader(event)))


def _reader(event: Any) -> Any:
    return event.reader


def _masked(*, body: Any, event: AuditEvent, user: Any) -> Any:
    """Values of sensitive fields are for those who decide such items."""
    keys = set(event.facts.get("sensitive", ()))
    if not keys or _decides_sensitive(user=user, workflow_id=event.workflow_id):
        return body
    return {
        part: {key: HIDDEN if key in keys else inner for key, inner in told.items()}
        if part in ("before", "after") and isinstance(told, dict)
        else told
        for part, told in body.items()
    }


def _decides_sensitive(*, user: Any, workflow_id: int | None) -> bool:
    workflow = None if workflow_id is None else Workflow.objects.filter(pk=workflow_id).first()
    return bool(user.is_superuser) if workflow is None else may(user, Action.DECIDE_SENSITIVE, workflow)


def _told(check: AuditCheck) -> dict[str, Any]:
    names = {"whole": "All of it", "recent": "What is new", "anchor": "Outside the database"}
    return {
        "name": names.get(check.name, check.name),
        "at": check.at,
        "words": check.words,
        "broken": check.broken_at,
    }


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"({len(value)})" if isinstance(value, list | dict) else "–" if value is None else str(value)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))
