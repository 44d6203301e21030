"""The page of the reports and its files. What may be counted is the reports' own question; here it is only drawn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header

from reviews.reports import stuck
from reviews.reports.asking import Asked
from reviews.reports.filters import NO_SAMPLE, SAMPLE, Choices, Filter, in_words, monday, read_filter
from reviews.reports.page import MAKERS, Reports
from workflows import audit
from workflows.access import may_count
from workflows.export_files import Sheet, csv_lines, write_book

SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HALVES = (("exceptions",), ("skipped", "people"), ("teams", "sources"))


def report_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    if not may_count(request.user):
        raise Http404
    filter, choices = read_filter(sent=request.GET, user=request.user)
    reports = Reports(Asked(user=request.user, filter=filter))
    found = reports.all()
    asked = reports.asked
    context |= {
        "title": "Reports", "filter": filter, "choices": choices, "asked": asked, "tiles": reports.tiles(), "reports": found,
        "charts": {key: one.chart.as_json() for key, one in found.items() if one.chart and one.rows},
        "total": asked.total(), "total_told": f"{asked.total():,}", "counted_at": asked.now, "spans": _spans(filter), "query": urlencode(filter.query()),
        "sample": _sample(filter, choices), "is_fullwidth": "1",
    }  # fmt: skip
    return TemplateResponse(request, "reviews/reports.html", context)


def report_file(request: HttpRequest) -> HttpResponseBase:
    """One report as CSV, or all of them as the sheets of one file. The same rows as on the page, and no part of it changes anything."""
    if not may_count(request.user):
        raise Http404
    filter, choices = read_filter(sent=request.GET, user=request.user)
    reports = Reports(Asked(user=request.user, filter=filter))
    format, key = request.GET.get("format", ""), request.GET.get("report", "")
    if format == "xlsx":
        return _book(request, reports, choices)
    if format != "csv" or key not in MAKERS:
        raise Http404
    report = reports.one(key, stuck_rows=stuck.IN_A_FILE)
    if report.names_items and not reports.asked.exports:
        raise Http404  # names of items and people leave only with those who may export
    _record(request, format=format, taken=[key])
    return StreamingHttpResponse(
        csv_lines(titles=report.titles(), rows=report.cells()), content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, _name(report.title, "csv")) or "attachment"},
    )  # fmt: skip


def _book(request: HttpRequest, reports: Reports, choices: Choices) -> FileResponse:
    found = reports.all(stuck_rows=stuck.IN_A_FILE)
    exports = reports.asked.exports
    taken = {key: one for key, one in found.items() if exports or not one.names_items}
    left_out = [one.title for key, one in found.items() if key not in taken]
    _record(request, format="xlsx", taken=list(taken))
    now = timezone.localtime(reports.asked.now)
    about = [
        ("Exported by", request.user.get_username()),
        ("Counted at", f"{now:%Y-%m-%d %H:%M} ({timezone.get_current_timezone_name()})"),
        ("Narrowed by", in_words(filter=reports.asked.filter, choices=choices)),
        ("Items", str(reports.asked.total())),
        *((one.title, " ".join(one.notes)) for one in taken.values() if one.notes),
    ]
    if left_out:
        about.append(("Left out", f"{'; '.join(left_out)}: that takes the permission to export."))
    sheets = [
        Sheet(name=key.capitalize(), titles=one.titles(), rows=one.cells()) for key, one in taken.items()
    ]
    return FileResponse(
        write_book(sheets=sheets, about=about),
        as_attachment=True,
        filename=_name("Reports", "xlsx"),
        content_type=SHEET,
    )


def _record(request: HttpRequest, *, format: str, taken: list[str]) -> None:
    """Before the first byte, as for the register."""
    audit.record(
        kind=audit.Kind.REPORT_EXPORTED, by=request.user, facts={"format": format, "reports": taken},
        content={"query": request.GET.urlencode()[:1000]},
    )  # fmt: skip


def _name(title: str, ending: str) -> str:
    return f"{title}, {timezone.localdate()}.{ending}"


def _spans(filter: Filter) -> list[tuple[str, str, bool]]:
    """Usual spans of time: what they are called, their address, and whether it is the one that is shown."""
    today = timezone.localdate()
    spans = [
        (name, monday(today) - timedelta(weeks=weeks - 1), today)
        for name, weeks in (("4 weeks", 4), ("12 weeks", 12), ("A year", 52))
    ]
    rest = {key: value for key, value in filter.query().items() if key not in ("since", "until")}
    return [
        (name, _address({**rest, "since": str(since), "until": str(until)}), (since, until) == (filter.since, filter.until))
        for name, since, until in spans
    ]  # fmt: skip


def _sample(filter: Filter, choices: Choices) -> dict[str, str] | None:
    """Whether invented items are counted, and the way to the other view; None where there are none."""
    if SAMPLE not in choices.sources or filter.source not in ("", SAMPLE, NO_SAMPLE):
        return None
    if filter.source == NO_SAMPLE:
        rest = {key: value for key, value in filter.query().items() if key != "source"}
        return {"told": "Sample history is left out.", "link": _address(rest), "act": "Count it too"}
    told = (
        "Includes sample history, which was invented for the demo."
        if not filter.source
        else "Sample history alone."
    )
    return {"told": told, "link": _address({**filter.query(), "source": NO_SAMPLE}), "act": "Leave it out"}


def _address(query: dict[str, str]) -> str:
    return f"{reverse('admin:reports')}?{urlencode(query)}"
