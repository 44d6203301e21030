"""The page and its files, as people open them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.test import Client

from reviews.reports.page import MAKERS
from tests.factories import MANAGER, STAFF, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in
from tests.reviews.reports.hand_made import accepted, add, ago, brief
from workflows.access import Action
from workflows.models import Workflow
from workflows.states import State

pytestmark = pytest.mark.django_db
PAGE, FILE = "/admin/reports/", "/admin/reports/export/"


@pytest.fixture
def some(workflow: Workflow) -> None:
    brief(workflow=workflow, timed=["8", "10", "12"])
    for number in range(3):
        accepted(workflow=workflow, at=ago(hours=5 + number), costs=[("ok", "0.1")], reasons="|bar|")
    add(
        workflow=workflow,
        at=ago(days=2),
        state=State.ATTENTION,
        title="=HYPERLINK(1)",
        problem={"next_step": "Try again."},
    )
    hidden = make_workflow("hidden", name="Hidden one")
    accepted(workflow=hidden, at=ago(hours=5), title="Hidden title")
    add(workflow=hidden, state=State.ATTENTION, at=ago(days=2), title="Hidden title")


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"{PAGE}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_answers_the_four_questions(some: None, manager: Any) -> None:
    told = page(signed_in(manager))
    for said in (
        "4 items counted", "Minutes saved an item", "8.0", "3 measured", "Cost of an item", "$0.1", "100 %", "accepted without edits",
        "No audits yet", "Stuck, and whose it is", "1 item", "Try again.", "Nothing was skipped.",
    ):  # fmt: skip
        assert said in told, said
    assert "Hidden" not in told


def test_the_page_is_for_those_who_may_see_reports(some: None, workflow: Workflow) -> None:
    for can, status in (((Action.REPORTS,), 200), (MANAGER, 200), (STAFF, 404), ((), 404)):
        client = signed_in(make_user(can=can, on=workflow))
        assert client.get(PAGE).status_code == status, can
        assert client.get(f"{FILE}?format=xlsx").status_code == status, can
        named = b'href="/admin/reports/"' in client.get("/admin/").content
        assert named == (status == 200), can
    assert Client().get(PAGE).status_code == 302


def test_nothing_is_changed_and_nothing_is_posted(some: None, manager: Any) -> None:
    client = signed_in(manager)
    assert client.post(PAGE).status_code == 405
    assert client.post(FILE).status_code == 405


def test_what_cannot_be_read_is_said_above_the_figures(some: None, manager: Any) -> None:
    told = page(signed_in(manager), "?since=2026-13-01&workflow=999999")
    assert "“From” is not a day." in told
    assert "There is no such workflow among those whose figures you may see." in told


def test_sample_history_is_said_and_can_be_left_out(some: None, manager: Any, workflow: Workflow) -> None:
    client = signed_in(manager)
    assert "sample history" not in page(client).lower()
    accepted(workflow=workflow, at=ago(hours=5), channel="sample")
    assert "Includes sample history" in page(client)
    assert "5 items counted" in page(client)
    without = page(client, "?source=-sample")
    assert "Sample history is left out." in without
    assert "4 items counted" in without


@pytest.mark.parametrize("key", list(MAKERS))
def test_csv_has_the_rows_of_the_page(some: None, manager: Any, key: str) -> None:
    answer = signed_in(manager).get(f"{FILE}?format=csv&report={key}")
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    assert "Hidden" not in text
    assert "attachment" in answer["Content-Disposition"]
    if key == "stuck":
        assert '"\'=HYPERLINK(1)"' in text  # what a spreadsheet would run is only text
    if key == "minutes":
        assert '"Leads",3,3,10.0,2.0,8.0' in text


def test_one_xlsx_has_a_sheet_for_each_report_and_says_how_it_was_narrowed(some: None, manager: Any) -> None:
    answer = signed_in(manager).get(f"{FILE}?format=xlsx&source=admin")
    book = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    names = book.read("xl/workbook.xml").decode()
    for key in MAKERS:
        assert f'name="{key.capitalize()}"' in names
    words = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    assert "source: submitted on the screen" in words
    assert "Hidden" not in words


def test_names_of_items_and_people_leave_only_with_those_who_may_export(
    some: None, workflow: Workflow
) -> None:
    client = signed_in(make_user(can=[Action.VIEW, Action.REPORTS], on=workflow))
    assert client.get(f"{FILE}?format=csv&report=stuck").status_code == 404
    assert client.get(f"{FILE}?format=csv&report=flow").status_code == 200
    book = zipfile.ZipFile(io.BytesIO(b"".join(client.get(f"{FILE}?format=xlsx").streaming_content)))
    words = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    assert "HYPERLINK" not in words
    assert "Left out" in words


@pytest.mark.parametrize(
    "query", ["", "?format=csv", "?format=csv&report=nonsense", "?format=pdf&report=flow"]
)
def test_a_file_that_there_is_not_is_not_found(some: None, manager: Any, query: str) -> None:
    assert signed_in(manager).get(f"{FILE}{query}").status_code == 404


def test_home_begins_with_the_four_figures_for_whoever_may_see_them(
    some: None, manager: Any, workflow: Workflow
) -> None:
    told = signed_in(manager).get("/admin/").content.decode()
    for said in (
        "Worth it? Last 4 weeks",
        "h saved",
        "Stuck now",
        "1 item",
        "has no owner.",
        "Skipped, 4 weeks",
        "Cost, ",
    ):
        assert said in told, said
    staff = signed_in(make_user(can=STAFF, on=workflow)).get("/admin/").content.decode()
    assert "Worth it?" not in staff
