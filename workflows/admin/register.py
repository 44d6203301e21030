"""The register: accepted results, to search, to read and to take home as a file; and who took what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Prefetch, QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import content_disposition_header
from django.utils.text import Truncator
from django.views.decorators.http import require_POST

from workflows.access import Action, may, visible, workflow_ids
from workflows.admin.base import ScopedAdmin, label
from workflows.admin.filters import WorkflowFilter
from workflows.admin.records import TONES, link_to_item
from workflows.admin.register_filters import (
    AcceptedByFilter,
    AcceptedFilter,
    DecisionFilter,
    RegisterWorkflowFilter,
    filters_in_words,
)
from workflows.admin.telling import chip, told_values
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.telling import told_value
from workflows.export_files import MOST_ROWS, csv_lines, write_xlsx
from workflows.exporting import Column, columns_of, read_rows, record_export, rows_by_workflow
from workflows.masking import keys_of, masked, telling_hidden, workflows_with_hidden
from workflows.models import Delivery, RegisterEntry, RegisterExport, Workflow

MAIN_FIELDS = 4
LONGEST = 60
LONG = (Kind.LONG_TEXT, Kind.ROWS)


@admin.register(RegisterEntry)
class RegisterEntryAdmin(ScopedAdmin):
    list_display = ("title", "workflow", "main_values", "accepted_told", "deliveries_told", "to_item")
    list_fullwidth = True
    list_filter = (
        RegisterWorkflowFilter,
        ("accepted_at", AcceptedFilter),
        AcceptedByFilter,
        DecisionFilter,
    )
    list_filter_submit = True
    list_filter_sheet = True
    list_before_template = "workflows/register_export.html"
    search_fields = ("words__contains",)
    search_help_text = "Title or any value"
    list_select_related = ("workflow", "item__version", "delivery__decision__by")
    deferred = (
        "words", "item__values", "item__route", "item__problem", "item__metadata", "item__note", "delivery__payload",
        "delivery__decision__values", "item__version__instructions", "item__version__examples", "item__version__profile",
    )  # fmt: skip
    fields = (
        "title",
        "workflow",
        "item_link",
        "accepted_told",
        "values_told",
        "changed_told",
        "deliveries_told",
    )
    readonly_fields = ("item_link", "accepted_told", "values_told", "changed_told", "deliveries_told")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RegisterEntry]:
        # Everything of an item hangs on its workflow: who sees the entry sees its deliveries.
        deliveries = Delivery.objects.select_related("destination").defer("payload", "destination__config")
        found: QuerySet[RegisterEntry] = telling_hidden(
            super().get_queryset(request), user=request.user, path="workflow"
        )
        return found.prefetch_related("item__version__fields", Prefetch("item__deliveries", deliveries))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        hidden = workflows_with_hidden(user=request.user)
        if hidden and search_term:
            # The words of an entry hold its values: what one may not read, a search must not confirm.
            found, more = super().get_search_results(
                request, queryset.exclude(workflow__in=hidden), search_term.casefold()
            )
            return found | queryset.filter(workflow__in=hidden, title__icontains=search_term), more
        return super().get_search_results(request, queryset, search_term.casefold())

    @label("what was accepted")
    def main_values(self, entry: RegisterEntry) -> str:
        # The title leads the row already; what takes paragraphs stands on the entry's own page.
        specs = _specs(entry)
        filled = [spec for spec in specs if spec.kind not in LONG and not _is_empty(entry, spec)]
        # What no result may lack says most about it; an account number can wait for the entry's page.
        chosen = sorted(filled, key=lambda spec: not spec.required)[:MAIN_FIELDS]
        told = [
            (
                spec.label,
                Truncator(told_value(value=_values(entry)[spec.key], spec=spec)).chars(LONGEST),
            )
            for spec in filled
            if spec in chosen
        ]
        if not told:
            return "–"
        drawn = format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", told)
        return format_html('<dl class="cs-main-values">{}</dl>', drawn)

    @label("accepted", order="accepted_at")
    def accepted_told(self, entry: RegisterEntry) -> str:
        decision = entry.delivery.decision
        at = timezone.localtime(entry.accepted_at)
        return format_html(
            '<span class="cs-when">{} <small>{} by {}</small></span>',
            f"{at.day} {at:%b %Y %H:%M}",
            decision.get_kind_display(),
            decision.by.get_full_name() or decision.by.get_username(),
        )

    @label("handed over")
    def deliveries_told(self, entry: RegisterEntry) -> str:
        def drawn(delivery: Delivery) -> tuple[str, str]:
            tone, icon = TONES[Delivery.State(delivery.state)]
            text = f"{delivery.destination.name}: {delivery.get_state_display().lower()}"
            return reverse("admin:workflows_delivery_change", args=[delivery.pk]), chip(
                text=text, tone=tone, icon=icon
            )

        rows = [drawn(one) for one in entry.item.deliveries.all()]
        return format_html(
            '<span class="cs-chips">{}</span>', format_html_join("", '<a href="{}">{}</a>', rows)
        )

    @label("values")
    def values_told(self, entry: RegisterEntry) -> str:
        return told_values(values=_values(entry), specs=_specs(entry))

    @label("changed by hand")
    def changed_told(self, entry: RegisterEntry) -> str:
        labels = {spec.key: spec.label for spec in _specs(entry)}
        changed = entry.delivery.decision.changed
        return (
            ", ".join(labels.get(key, str(key).replace("_", " ")) for key in changed) or "Nothing: as drafted"
        )

    @label("item")
    def to_item(self, entry: RegisterEntry) -> str:
        address = reverse("admin:workflows_item_change", args=[entry.item_id])
        return format_html(
            '<a class="text-link" href="{}" aria-label="Open the item {}">Open</a>', address, entry.title
        )

    @label("item")
    def item_link(self, entry: RegisterEntry) -> str:
        return link_to_item(entry.item)

    # Taking it home

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        seen = workflow_ids(user=request.user, action=Action.VIEW)
        taken = workflow_ids(user=request.user, action=Action.EXPORT)
        context = {
            "exports": may(request.user, Action.EXPORT),
            "leaves_out": seen is not None and taken is not None and bool(seen - taken),
            "query": request.GET.urlencode(),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.export_view))
        return [path("export/", view, name="workflows_registerentry_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """By POST: it writes a record, and no link elsewhere may make somebody's browser take the register."""
        format = request.POST.get("format", "")
        if not may(request.user, Action.EXPORT) or format not in RegisterExport.Format.values:
            raise Http404
        try:
            cl = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            raise Http404 from None
        entries = telling_hidden(
            visible(request.user, cl.queryset, Action.EXPORT), user=request.user, path="workflow"
        ).prefetch_related(None)
        counts = rows_by_workflow(entries=entries)
        total = sum(counts.values())
        if not total or (format == RegisterExport.Format.XLSX and total > MOST_ROWS):
            messages.warning(request, _why_not(total))
            back = reverse("admin:workflows_registerentry_changelist")
            return HttpResponseRedirect(f"{back}?{request.GET.urlencode()}")
        one = Workflow.objects.get(pk=next(iter(counts))) if len(counts) == 1 else None
        told = filters_in_words(cl)
        columns = columns_of(workflow=one)
        record_export(by=request.user, format=format, filters=told, rows=counts)
        return _file(
            request=request, format=format, entries=entries, columns=columns, about=_about(request, told, total), of=one
        )  # fmt: skip


def _file(
    *, request: HttpRequest, format: str, entries: QuerySet[RegisterEntry], columns: list[Column], about: list[tuple[str, str]],
    of: Workflow | None,
) -> HttpResponseBase:  # fmt: skip
    titles = [column.title for column in columns]
    rows = read_rows(entries=entries, columns=columns)
    name = f"Register{f', {of.name}' if of else ''}, {timezone.localdate()}.{format}"
    if format == RegisterExport.Format.XLSX:
        sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return FileResponse(
            write_xlsx(titles=titles, rows=rows, about=about), as_attachment=True, filename=name, content_type=sheet
        )  # fmt: skip
    return StreamingHttpResponse(
        csv_lines(titles=titles, rows=rows), content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, name) or "attachment"},
    )  # fmt: skip


def _about(request: HttpRequest, filters: str, total: int) -> list[tuple[str, str]]:
    now = timezone.localtime()
    return [
        ("Exported by", request.user.get_username()),
        ("Exported at", f"{now:%Y-%m-%d %H:%M} ({timezone.get_current_timezone_name()})"),
        ("Narrowed by", filters or "nothing: everything that may be exported"),
        ("Rows", str(total)),
    ]


def _why_not(total: int) -> str:
    if not total:
        return "There is nothing to export: no row here is of a workflow that you may export. Nothing was written."
    return f"{total:,} rows are more than a sheet holds. Nothing was written. Take CSV, or narrow the list first."


def _specs(entry: RegisterEntry) -> tuple[FieldSpec, ...]:
    return entry.item.version.specs() if entry.item.version else ()


def _values(entry: RegisterEntry) -> dict[str, Any]:
    return masked(entry.values, keys_of(_specs(entry), hides=getattr(entry, "hides_sensitive", True)))


def _is_empty(entry: RegisterEntry, spec: FieldSpec) -> bool:
    return (entry.values or {}).get(spec.key) in (None, "", [])


@admin.register(RegisterExport)
class RegisterExportAdmin(ScopedAdmin):
    """Who took rows out, and which: for those who manage access."""

    list_display = ("at", "by", "workflow", "rows", "format", "filters_told")
    list_select_related = ("by", "workflow")
    list_filter = (WorkflowFilter,)
    fields = ("at", "by", "workflow", "rows", "format", "filters_told")
    readonly_fields = ("filters_told",)

    @label("narrowed by")
    def filters_told(self, export: RegisterExport) -> str:
        return export.filters or "nothing"
