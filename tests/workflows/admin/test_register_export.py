"""What leaves the register as a file: only what may be exported, as typed cells, on record, and never a formula."""

from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from django.test import Client

from tests.factories import (
    FIELDS,
    MANAGER,
    SENIOR,
    VALUES,
    make_entry,
    make_user,
    make_version,
    make_workflow,
)
from tests.workflows.admin.conftest import signed_in
from workflows.access import Action, grant
from workflows.errors import Conflict
from workflows.export_files import csv_lines, defused, write_xlsx
from workflows.models import RegisterExport, Workflow

EXPORT = "/admin/workflows/registerentry/export/"


@pytest.fixture
def manager(workflow: Workflow) -> Client:
    return signed_in(make_user("manager", can=MANAGER, on=workflow))


def take(client: Client, query: str = "", format: str = "csv") -> Any:
    return client.post(f"{EXPORT}{query}", {"format": format})


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.status_code
    return b"".join(answer.streaming_content)


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body(answer).decode("utf-8-sig"))))


def cells(content: bytes, sheet: int = 1) -> dict[str, tuple[str, str]]:
    """Type and content of each cell of a sheet, by its address; a formula would have the type "formula"."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    found = {}
    with ZipFile(io.BytesIO(content)) as book:
        for cell in ElementTree.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml")).iter(f"{space}c"):
            kind = "formula" if cell.find(f"{space}f") is not None else cell.get("t", "n")
            found[cell.get("r", "")] = (kind, "".join(cell.itertext()))
    return found


def test_one_workflow_gives_a_column_for_each_field_and_two_for_an_amount(
    workflow: Workflow, manager: Client
) -> None:
    olga = make_user("olga", can=SENIOR, on=workflow)
    entry = make_entry(
        workflow=workflow, title="A lead", by=olga, accepted_at=datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
    )
    answer = take(manager)
    assert (
        "Register%2C%20Leads" in answer["Content-Disposition"]
        or 'filename="Register, Leads' in answer["Content-Disposition"]
    )
    [row] = table(answer)
    assert row == {
        "Title": "A lead", "Workflow": "Leads", "Accepted at (UTC)": "2026-03-02 10:30:00", "Accepted by": "olga",
        "Decision": "Approved", "External id": "", "Item": str(entry.item.public_id), "Name": "Ines Okafor", "Total": "12.50",
        "Total, currency": "EUR", "Due date": "2026-11-30", "Topic": "Quote",
    }  # fmt: skip


def test_several_workflows_give_the_common_columns_and_the_values_in_words(workflow: Workflow) -> None:
    other = make_workflow("calls", name="Calls")
    person = make_user(can=MANAGER, on=workflow)
    for action in MANAGER:
        grant(action=action, workflow=other, to=person)
    make_entry(workflow=workflow)
    make_entry(workflow=other)
    rows = table(take(signed_in(person)))
    assert {row["Workflow"] for row in rows} == {"Leads", "Calls"}
    assert {row["Values"] for row in rows} == {
        "Name: Ines Okafor; Total: 12.50 EUR; Due date: 2026-11-30; Topic: Quote"
    }
    assert len(table(take(signed_in(person), f"?workflow__id__exact={other.pk}"))) == 1


def test_rows_that_may_be_seen_but_not_exported_are_left_out_and_said_to_be(workflow: Workflow) -> None:
    other, hidden = make_workflow("calls", name="Calls"), make_workflow("hidden", name="Hidden")
    person = make_user(can=MANAGER, on=workflow)
    grant(action=Action.VIEW, workflow=other, to=person)
    grant(action=Action.EXPORT, workflow=hidden, to=person)  # without view it is worth nothing
    for one in (workflow, other, hidden):
        make_entry(workflow=one, title=f"of {one.slug}")
    client = signed_in(person)
    assert [row["Title"] for row in table(take(client))] == ["of leads"]
    assert "are left out" in client.get("/admin/workflows/registerentry/").content.decode()


def test_without_the_permission_there_is_no_such_page_and_nothing_on_record(workflow: Workflow) -> None:
    make_entry(workflow=workflow)
    assert take(signed_in(make_user(can=SENIOR, on=workflow))).status_code == 404
    assert take(signed_in(make_user())).status_code == 404
    assert not RegisterExport.objects.exists()


def test_it_takes_a_post_with_a_token_and_a_known_format(workflow: Workflow) -> None:
    make_entry(workflow=workflow)
    person = make_user(can=MANAGER, on=workflow)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person, backend="config.backends.PasswordBackend")
    assert strict.post(EXPORT, {"format": "csv"}).status_code == 403
    client = signed_in(person)
    assert client.get(EXPORT).status_code == 405
    assert take(client, format="pdf").status_code == 404
    assert not RegisterExport.objects.exists()


def test_it_takes_what_the_list_shows_in_its_order(workflow: Workflow, manager: Client) -> None:
    for number in (1, 2, 3):
        make_entry(
            workflow=workflow,
            title=f"{'needle' if number != 2 else 'hay'} {number}",
            accepted_at=datetime(2026, 3, number, tzinfo=UTC),
        )
    assert [row["Title"] for row in table(take(manager))] == ["needle 3", "hay 2", "needle 1"]
    assert [row["Title"] for row in table(take(manager, "?q=needle&o=0"))] == ["needle 1", "needle 3"]
    assert [row["Title"] for row in table(take(manager, "?accepted_at_to=2026-03-01"))] == ["needle 1"]


def test_each_export_is_on_record_before_its_first_byte_and_stays(
    workflow: Workflow, manager: Client
) -> None:
    olga = make_user("olga", can=SENIOR, on=workflow)
    make_entry(workflow=workflow, title="needle", by=olga)
    make_entry(workflow=workflow, title="hay")
    query = f"?q=needle&accepted_by={olga.pk}&accepted_at_from=2026-01-01&workflow__id__exact={workflow.pk}"
    take(manager, query, "xlsx")  # not read to its end
    [export] = RegisterExport.objects.all()
    assert (export.by.username, export.workflow, export.rows, export.format) == (
        "manager",
        workflow,
        1,
        "xlsx",
    )
    assert (
        export.filters
        == "search: needle; workflow: Leads; accepted from 2026-01-01; person who accepted: olga"
    )
    for change in (export.save, export.delete):
        with pytest.raises(Conflict):
            change()
    watcher = signed_in(make_user(can=(Action.VIEW, Action.ACCESS), on=workflow))
    assert "search: needle" in watcher.get("/admin/workflows/registerexport/").content.decode()
    assert manager.get("/admin/workflows/registerexport/").status_code == 404


def test_nothing_to_export_is_said_and_not_recorded(workflow: Workflow, manager: Client) -> None:
    answer = manager.post(f"{EXPORT}?q=absent", {"format": "csv"}, follow=True)
    assert "There is nothing to export" in answer.content.decode()
    assert not RegisterExport.objects.exists()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_is_run_by_a_spreadsheet(workflow: Workflow, manager: Client, start: str) -> None:
    hostile = f'{start}HYPERLINK("http://evil.example","x")'
    assert defused(hostile) == f"'{hostile}"
    book = write_xlsx(titles=[hostile], rows=[[hostile]], about=[(hostile, hostile)]).read()
    for sheet in (1, 2):
        assert {kind for kind, _ in cells(book, sheet).values()} <= {"s", "inlineStr"}
    if start in "=+-@":
        make_entry(workflow=workflow, title=hostile, values={**VALUES, "name": hostile})
        [row] = table(take(manager))
        assert (row["Title"], row["Name"]) == (f"'{hostile}", f"'{hostile}")
        assert "http://evil.example" not in str(
            ZipFile(io.BytesIO(body(take(manager, format="xlsx")))).namelist()
        )


def test_csv_begins_with_its_mark_and_numbers_stand_plain() -> None:
    rows = [['a\n"b", é', Decimal("-12.50"), Decimal("1E+3"), 7, date(2026, 3, 1), None, "–5"]]
    text = "".join(csv_lines(titles=["T"] * 7, rows=rows))
    assert text.encode().startswith(b"\xef\xbb\xbf")
    assert text.splitlines()[-1] == '""b"", é",-12.50,1000,7,"2026-03-01","","–5"'


def test_a_sheet_has_numbers_dates_and_texts_as_what_they_are(workflow: Workflow, manager: Client) -> None:
    make_entry(
        workflow=workflow,
        values={**VALUES, "name": "12345", "total": {"amount": "-12.50", "currency": "EUR"}},
    )
    found = cells(body(take(manager, format="xlsx")))
    by_title = {found[f"{letter}1"][1]: found.get(f"{letter}2") for letter in "ABCDEFGHIJKL"}
    assert by_title["Total"] == ("n", "-12.5")
    assert by_title["Due date"] == ("n", "46356")  # 30 November 2026 in the days of a sheet
    assert by_title["Name"] == ("inlineStr", "12345")
    assert by_title["Accepted at (UTC)"][0] == "n"


def test_a_number_too_long_for_a_sheet_keeps_its_digits_and_control_characters_break_nothing() -> None:
    long = Decimal("1234567890123456789.01")
    found = cells(
        write_xlsx(titles=["a", "b", "c"], rows=[[long, "\x00\x0b", date(1815, 6, 18)]], about=[]).read()
    )
    assert found["A2"] == ("inlineStr", "1234567890123456789.01")
    assert found["C2"] == ("inlineStr", "1815-06-18")


def test_a_field_that_only_an_older_version_had_keeps_its_column(workflow: Workflow, manager: Client) -> None:
    make_entry(workflow=workflow, values={**VALUES, "name": "of the first"})
    assert workflow.version is not None
    workflow.version.__class__.objects.filter(pk=workflow.version.pk).update(
        used_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    renamed = [
        {**field, "label": "Full name"} if field["key"] == "name" else field
        for field in FIELDS
        if field["key"] != "topic"
    ]
    workflow.version = make_version(workflow=workflow, number=2, fields=renamed)
    workflow.save()
    [row] = table(take(manager))
    assert row["Full name"] == "of the first"
    assert row["Topic"] == "Quote"
    assert "Name" not in row


def test_memory_does_not_grow_with_the_rows() -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        lines = csv_lines(titles=["a"], rows=([f"row {number}" * 20] for number in range(rows)))
        assert sum(1 for _ in lines) == rows + 1
        write_xlsx(titles=["a"], rows=([f"row {number}" * 20] for number in range(rows)), about=[]).close()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(8000) < peak(1000) + 300_000
