"""Every figure that leads somewhere leads to exactly as many items as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from reviews.admin.report_filter import WORDS
from reviews.reports.asking import Asked
from reviews.reports.filters import Filter
from reviews.reports.page import Reports
from reviews.reports.parts import PARTS
from tests.factories import MANAGER, STAFF, grant_all, make_user, make_version, make_workflow
from tests.reviews.admin.conftest import signed_in
from tests.reviews.reports.hand_made import accepted, add, ago, brief, two_workflows
from workflows.access import Action
from workflows.models import Workflow
from workflows.states import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy() -> tuple[Workflow, Workflow]:
    """Two workflows with some of everything, and in the shadow of them one whose figures are hidden."""
    leads, invoices = two_workflows()
    ines, omar = make_user("ines"), make_user("omar")
    second = make_version(workflow=leads, number=2)
    for workflow in (leads, invoices):
        brief(workflow=workflow, timed=["8", "9", "11"])
        for weeks in (0, 1, 5):
            at = ago(weeks=weeks, hours=3)
            accepted(
                workflow=workflow,
                at=at,
                by=ines,
                reasons="|bar|certificate|",
                costs=[("timeout", None), ("ok", "0.1")],
            )
            accepted(
                workflow=workflow, at=at, by=omar, edited=True, reasons="|rule|", worked=None, channel="api"
            )
            add(
                workflow=workflow,
                at=at,
                state=State.REJECTED,
                by=omar,
                decided="reject",
                worked=[30],
                costs=[("ok", None)],
            )
        same = {"happened": "The same content came in before, as “A”.", "item": "1"}
        add(workflow=workflow, at=ago(days=2), state=State.SKIPPED, problem=same, channel="sample")
        add(
            workflow=workflow,
            at=ago(days=3),
            state=State.SKIPPED,
            problem={"happened": "Not for us & “odd” 100 %"},
        )
        add(workflow=workflow, at=ago(days=200), state=State.ATTENTION, problem={"next_step": "Try again."})
        add(workflow=workflow, at=ago(days=2), state=State.ESCALATED, review_open=True, due=ago(hours=1))
        add(workflow=workflow, at=ago(hours=2), state=State.IN_REVIEW, review_open=True, due=ago(hours=-9))
        add(workflow=workflow, at=ago(days=4), decided="edit")
    accepted(workflow=leads, version=second, at=ago(days=1))
    hidden = make_workflow("hidden")
    accepted(workflow=hidden, at=ago(days=1), by=ines)
    add(workflow=hidden, at=ago(days=1), state=State.ATTENTION)
    return leads, invoices


def linked(reports: Reports) -> Iterator[tuple[str, int, str]]:
    """Where it stands, the number it says, and where it leads."""
    for key, one in reports.all().items():
        for row in one.rows:
            for column, figure in zip(one.columns, row, strict=True):
                if figure.link:
                    yield f"{key}, {column.title}, {row[0].text}", int(str(figure.value)), figure.link
        if one.link and one.about:
            yield key, _first(one.about), one.link
    for tile in reports.tiles():
        yield from (
            (f"{tile.title}: {line.text}", _first(line.text), line.link)
            for line in tile.lines
            if line.link and "n =" not in line.text
        )


def _first(said: str) -> int:
    found = re.search(r"\d[\d,]*", said)
    return int(found[0].replace(",", "")) if found else 0


def filters(leads: Workflow) -> dict[str, dict[str, Any]]:
    return {
        "everything": {},
        "three weeks": {"since": ago(weeks=3).date(), "until": ago(days=0).date()},
        "one workflow": {"workflow": leads.pk},
        "one version": {"version": leads.version_id, "since": ago(weeks=30).date()},
        "one team": {"team": leads.reviewers_id},
        "one source": {"source": "api"},
        "no sample": {"source": "-sample"},
    }


@pytest.mark.parametrize(
    "name",
    ["everything", "three weeks", "one workflow", "one version", "one team", "one source", "no sample"],
)
def test_each_linked_figure_lists_as_many_items_as_it_says(
    busy: tuple[Workflow, Workflow], name: str
) -> None:
    boss = make_user("boss")
    for workflow in busy:
        grant_all(to=boss, on=workflow, actions=MANAGER)
    # Sees the items of the third, and not its figures: what a figure left out, its list leaves out as well.
    grant_all(to=boss, on=Workflow.objects.get(slug="hidden"), actions=STAFF)
    client = signed_in(boss)
    reports = Reports(Asked(user=boss, filter=Filter(**filters(busy[0])[name])))
    found = list(linked(reports))
    wrong = [
        f"{where}: says {said}, lists {listed}"
        for where, said, link in found
        if (listed := count(client, link)) != said
    ]
    assert not wrong, "\n".join(wrong)
    assert len(found) > 12
    if name == "everything":
        assert len(found) > 60
        assert {part for _, _, link in found for part in re.findall(r"part=([^&]+)", link)} >= {
            "unedited", "accepted+after+review", "reviewed", "reason", "outcome", "why", "stuck", "handed+over", "priced",
            "submitted+by", "decided+by", "skipped", "rejected", "open", "to+people",
        } - {"unedited"}  # fmt: skip


def count(client: Client, link: str) -> int:
    answer = client.get(link)
    assert answer.status_code == 200, link
    return int(answer.context["cl"].result_count)


def test_the_share_without_edits_leads_to_its_items(busy: tuple[Workflow, Workflow]) -> None:
    boss = make_user("boss")
    for workflow in busy:
        grant_all(to=boss, on=workflow, actions=MANAGER)
    reports = Reports(Asked(user=boss, filter=Filter()))
    (half, _) = reports.tiles()[2].halves
    whole = next(line for line in reports.tiles()[2].lines if line.link)
    assert half.figure == "54 %"  # 7 of 13
    assert (count(signed_in(boss), half.link), count(signed_in(boss), whole.link)) == (7, 13)


def test_the_list_says_what_it_is_narrowed_by_and_leads_out_of_it(busy: tuple[Workflow, Workflow]) -> None:
    boss = make_user("boss", can=MANAGER, on=busy[0])
    answer = signed_in(boss).get("/admin/workflows/item/?part=reason&of=bar&since=all&until=all")
    page = answer.content.decode()
    assert "went to a person (signal below the bar); everything." in page
    assert "Show all items" in page
    assert "From a report" not in signed_in(boss).get("/admin/workflows/item/").content.decode()


@pytest.mark.parametrize(
    "sent",
    [
        "part=nonsense",
        "part=all&workflow=999999",
        "part=all&since=x",
        "part=decided+by&of=x",
        "part=stuck,+state&of=x",
    ],
)
def test_a_part_that_there_is_not_lists_nothing(busy: tuple[Workflow, Workflow], sent: str) -> None:
    boss = make_user("boss", can=MANAGER, on=busy[0])
    assert count(signed_in(boss), f"/admin/workflows/item/?{sent}") == 0


def test_who_may_see_no_figures_finds_nothing_by_a_link_of_somebody_else(
    busy: tuple[Workflow, Workflow],
) -> None:
    staff = make_user("staff", can=STAFF, on=busy[0])
    assert count(signed_in(staff), "/admin/workflows/item/?part=accepted&since=all&until=all") == 0
    assert count(signed_in(staff), "/admin/workflows/item/") > 0


def test_figures_of_a_workflow_whose_items_are_hidden_lead_nowhere(busy: tuple[Workflow, Workflow]) -> None:
    boss = make_user("boss", can=MANAGER, on=busy[0])
    grant_all(to=boss, on=busy[1], actions=[Action.REPORTS])
    assert not list(linked(Reports(Asked(user=boss, filter=Filter()))))
    one = Reports(Asked(user=boss, filter=Filter(workflow=busy[0].pk)))
    assert list(linked(one))


def test_every_part_has_words() -> None:
    assert set(PARTS) == set(WORDS)
