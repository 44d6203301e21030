"""The help is the docs, its links lead somewhere, and it names nothing of a workflow that one may not see."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.text import slugify

from config.help import BY_SLUG, CHAPTERS, HINTS, headings, rendered
from config.templatetags.countersign_help import COMMON_KEYS
from tests.factories import ADMIN, MANAGER, STAFF, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in
from workflows.access import PATHS, Action, grant
from workflows.models import Delivery
from workflows.states import LABELS

pytestmark = pytest.mark.django_db


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, f"{address}: {answer.status_code}"
    return answer.content.decode()


@pytest.mark.parametrize("slug", list(BY_SLUG))
def test_each_chapter_is_shown_and_each_of_its_links_leads_somewhere(slug: str) -> None:
    client = signed_in(make_user())
    shown = page(client, f"/admin/help/{slug}/")
    assert rendered(slug=slug) in shown
    anchors = set(re.findall(r'id="([\w-]+)"', shown))
    for anchor, text in headings(slug=slug):
        assert anchor in anchors, text
    for link in re.findall(r'href="([^"]+)"', rendered(slug=slug)):
        target, _, anchor = link.partition("#")
        assert target.startswith("../"), link
        there = page(client, f"/admin/help/{target.removeprefix('../')}")
        assert not anchor or f'id="{anchor}"' in there, link


def test_every_list_of_ours_has_a_sentence_that_leads_to_a_heading() -> None:
    for model in (one for one in admin.site._registry if one._meta.label_lower in PATHS):
        hint = HINTS[model._meta.label_lower]
        assert slugify(hint.heading) in dict(headings(slug=hint.chapter)), hint


def test_the_sentence_stands_above_the_list() -> None:
    workflow = make_workflow()
    shown = page(signed_in(make_user(can=STAFF, on=workflow)), "/admin/workflows/item/")
    assert HINTS["workflows.item"].text in shown
    assert 'href="/admin/help/reviewers/#what-the-states-mean"' in shown


def test_the_docs_name_every_state_and_every_common_key() -> None:
    reviewers, managers = (str(rendered(slug=slug)) for slug in ("reviewers", "managers"))
    for label in LABELS.values():
        assert f"<td>{label}</td>" in reviewers, label
    for label in Delivery.State.labels:
        assert f"<td>{label}</td>" in managers, label
    for key, _ in COMMON_KEYS:
        assert re.search(rf"<td>[^<]*{re.escape(key)}", reviewers), key


@pytest.mark.parametrize(
    ("actions", "first"),
    [
        (STAFF, ["Reviewing items"]),
        (MANAGER, ["Following the work", "What the figures mean"]),
        (ADMIN, ["Setting up a workflow"]),
    ],
)
def test_the_chapters_of_what_one_does_come_first(actions: tuple[Action, ...], first: list[str]) -> None:
    shown = page(signed_in(make_user(can=actions, on=make_workflow())), "/admin/help/")
    mine = shown[shown.index("For what you do") : shown.index("Further")]
    assert [one.title for one in CHAPTERS if f'id="chapter-{one.slug}"' in mine] == first


def test_whom_to_ask_is_told_of_ones_own_workflows_and_of_no_other() -> None:
    mine, hidden = (
        make_workflow("mine", name="Mine", owner=make_user("olga")),
        make_workflow("hidden", name="Hidden"),
    )
    make_user("anna", can=ADMIN, on=mine)
    make_user("hilde", can=ADMIN, on=hidden)
    client = signed_in(make_user("staff", can=STAFF, on=mine))
    for address, status in (
        ("/admin/help/", 200),
        ("/admin/workflows/item/99/change/", 404),
        ("/nowhere/", 404),
    ):
        shown = page(client, address, status)
        assert "Mine" in shown
        assert "anna" in shown
        assert "olga" in shown
        assert "Hidden" not in shown
        assert "hilde" not in shown


def test_without_a_workflow_no_name_is_told() -> None:
    make_user("anna", can=ADMIN, on=make_workflow("mine", name="Mine"))
    for client in (signed_in(make_user()), Client()):
        shown = page(client, "/nowhere/", 404)
        assert "ask the person who manages access" in shown
        assert "anna" not in shown
        assert "Mine" not in shown


def test_the_queries_of_the_help_do_not_grow_with_the_workflows() -> None:
    person = make_user()

    def asked() -> int:
        client = signed_in(person)
        with CaptureQueriesContext(connection) as queries:
            page(client, "/admin/help/")
        return len(queries)

    def add() -> None:
        workflow = make_workflow(owner=make_user())
        make_user(can=ADMIN, on=workflow)
        grant(action=Action.VIEW, workflow=workflow, to=person)

    add()
    asked()
    few = asked()
    for _ in range(4):
        add()
    assert asked() == few


def test_the_frame_has_landmarks_a_skip_link_and_buttons_that_the_keyboard_reaches() -> None:
    shown = page(signed_in(make_user(can=STAFF, on=make_workflow())), "/admin/workflows/item/")
    assert shown.count("<main ") == 1
    assert 'href="#main-content"' in shown
    assert 'id="main-content"' in shown
    # Whatever acts on a click is a button or a link with an address, or closes what lies outside it.
    for tag in re.findall(r"<(?:span|div|a)\b[^>]*x-on:click=[^>]*>", shown):
        assert "href=" in tag or 'id="changelist-filter-close"' in tag, tag
