"""What every screen of ours stands on: no row but through the one door.

Restricting the queryset is not enough in Django's admin: history, delete, related fields and filters each have a way
of their own to a row, and model permissions open what object permissions close. All of them end here.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ShowFacets
from django.db.models import ForeignKey, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline
from unfold.views import ChangeList

from workflows.access import PATHS, Action, may, seen_with, visible
from workflows.masking import hides_past


class ExactChangeList(ChangeList):
    """Without a second count of everything, the header would say "(Show all)" for ever."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        return super().get_queryset(request, exclude_parameters).defer(*self.model_admin.deferred)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count


class ScopedAdmin(SimpleHistoryAdmin, ModelAdmin):
    """Read-only unless a subclass names the action that adding or changing takes. Nothing is deleted."""

    change_action: Action | None = None
    add_action: Action | None = None
    deferred: tuple[str, ...] = ()  # large columns that a list does not read

    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_select_related: Any = ()
    list_disable_select_all = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(request.user, super().get_queryset(request))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """What a filter offers and a column with named choices, and nothing else. Django lets anybody who sees a list put
        conditions on columns that it does not show, and says, letter by letter, what stands there: the hash of a key, a
        setting, a value that is hidden."""
        first = lookup.split("__")[0]
        columns = {
            name for field in self.opts.get_fields() for name in (field.name, getattr(field, "attname", ""))
        }
        if first not in columns and first != "pk":
            return bool(
                super().lookup_allowed(lookup, value, request)
            )  # no condition: a filter's own word, or none
        if lookup in {field.name for field in self.opts.get_fields() if field.is_relation}:
            return True  # the rows of one other row, as reports link to them: `?workflow=1`
        allowed: set[str] = set()
        names = [field.name for field in self.opts.concrete_fields if field.choices]
        for one in self.get_list_filter(request) if request else self.list_filter:
            if isinstance(one, str):
                names.append(one)
            elif isinstance(one, tuple | list):
                names.append(str(one[0]))
            else:
                allowed.add(getattr(one, "parameter_name", None) or "")
        return lookup in allowed | {
            f"{name}{how}" for name in names for how in ("", "__exact", "__isnull", "__gte", "__lt", "__lte")
        }

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ExactChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise Http404
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    # Who may do what

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.allows(request, Action.VIEW, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.change_action is not None and self.allows(request, self.change_action, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.add_action is not None and self.allows(request, self.add_action)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def allows(self, request: HttpRequest, action: Action, obj: Model | None = None) -> bool:
        if obj is not None:
            return may(request.user, action, obj)
        sees = any(may(request.user, one) for one in seen_with(self.opts.label_lower))
        return sees and may(request.user, action)

    # A hidden row and one that never was look the same, on every page of it

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.get_object(request, object_id)
        if not hasattr(self.model, "history"):
            return ModelAdmin.history_view(self, request, str(row.pk), extra_context)
        response: HttpResponse = super().history_view(request, str(row.pk), extra_context)
        return response

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # simple-history saves what is posted here for anyone who may view.
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.get_object(request, object_id)
        if (
            not version_id.isdecimal()
            or not hasattr(self.model, "history")
            or hides_past(user=request.user, row=row)
        ):
            raise Http404
        response: HttpResponse = super().history_form_view(request, str(row.pk), version_id, extra_context)
        return response

    def has_change_history_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        scope_choices(self, db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class OwnPages(ScopedAdmin):
    """Rows whose pages are ours. What is left of Django's form is the page of an earlier state, and nobody edits that:
    an open form there would offer the names of all users and groups, and settings that only managers read."""

    hidden: tuple[str, ...] = ()

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return self.hidden

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return tuple(field.name for field in self.opts.fields if field.name not in self.hidden)


class ScopedInline(TabularInline):
    """Rows of a row: whoever may change that one may change these."""

    change_action: Action = Action.MANAGE
    extra = 0
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(request.user, super().get_queryset(request))

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None or may(request.user, Action.VIEW, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request.user, self.change_action, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        scope_choices(self, db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def scope_choices(
    admin: Any, db_field: ForeignKey[Any, Any], request: HttpRequest, kwargs: dict[str, Any]
) -> None:
    """A drop-down offers what may be changed by the same right as the row it stands in."""
    model = db_field.remote_field.model
    if model._meta.label_lower in PATHS:
        action = getattr(admin, "add_action", None) or admin.change_action or Action.VIEW
        kwargs["queryset"] = visible(
            request.user, kwargs.get("queryset", model._default_manager.all()), action
        )


def label(text: str, *, order: str | None = None) -> Any:
    """Name a column."""

    def name(function: Any) -> Any:
        function.short_description = text
        if order:
            function.admin_order_field = order
        return function

    return name
