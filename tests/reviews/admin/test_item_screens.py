from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import FIELDS, STAFF, make_item, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in
from workflows.models import Item, Stage, Workflow
from workflows.states import State

ADDRESSES = ("item", "delivery", "registerentry", "version", "workflow", "destination", "run")


def test_work_is_submitted_as_text_and_several_files(staff: Client, workflow: Workflow) -> None:
    answer = staff.post("/admin/workflows/item/add/", {
        "workflow": workflow.pk, "text": "Beside them", "title": "",
        "files": [SimpleUploadedFile("a.txt", b"one"), SimpleUploadedFile("b.txt", b"")],
    })  # fmt: skip
    assert answer.status_code == 302, answer.content
    item = Item.objects.get()
    assert (item.channel, item.submitted_by.username, item.sources.count(), item.title) == (
        "admin",
        "staff",
        3,
        "a.txt",
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "Nothing was submitted"), ({"text": "x" * 200_001}, "200,001 characters"), ({"workflow": "999"}, "Select a valid choice"),
     ({"title": "t" * 201, "text": "a"}, "at most 200")],
)  # fmt: skip
def test_what_cannot_be_submitted_is_told_in_the_form(
    staff: Client, workflow: Workflow, given: dict, said: str
) -> None:
    answer = staff.post("/admin/workflows/item/add/", {"workflow": workflow.pk, **given})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Item.objects.count() == 0


def test_a_paused_workflow_says_so_in_the_form(staff: Client, workflow: Workflow) -> None:
    Workflow.objects.update(stage=Stage.PAUSED)
    assert (
        "takes no work now"
        in staff.post("/admin/workflows/item/add/", {"workflow": workflow.pk, "text": "a"}).content.decode()
    )


def test_the_form_offers_only_workflows_one_may_submit_to(staff: Client, workflow: Workflow) -> None:
    make_workflow("hidden", name="Hidden one")
    page = staff.get("/admin/workflows/item/add/").content.decode()
    assert "Leads" in page
    assert "Hidden one" not in page


def test_the_page_of_an_item_shows_its_source_escaped(staff: Client, workflow: Workflow) -> None:
    item = make_item(
        workflow=workflow,
        title="<i>title</i>",
        text="<script>alert(1)</script>",
        values={"name": "<img src=x>"},
    )
    page = staff.get(f"/admin/workflows/item/{item.pk}/change/").content.decode()
    for hostile in ("<script>alert(1)", "<img src=x>", "<i>title"):
        assert hostile not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Found word for word" in page
    assert "financial: always reviewed" in page
    assert "<i>title" not in staff.get("/admin/workflows/item/").content.decode()


def test_a_source_is_an_attachment_whatever_it_is(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow, text="<html><script>alert(1)</script>")
    answer = staff.get(f"/admin/workflows/item/{item.pk}/sources/{item.sources.get().pk}/")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    other = make_item(workflow=workflow)
    assert staff.get(f"/admin/workflows/item/{other.pk}/sources/{item.sources.get().pk}/").status_code == 404


def test_filters_offer_and_count_only_what_may_be_seen(staff: Client, workflow: Workflow) -> None:
    hidden = make_workflow("hidden", name="Hidden one")
    make_item(workflow=hidden)
    shown = make_item(workflow=workflow, title="Shown")
    page = staff.get("/admin/workflows/item/").content.decode()
    assert "Hidden one" not in page
    assert "1 item" in page
    assert (
        "Shown"
        in staff.get(
            f"/admin/workflows/item/?workflow__id__exact={shown.workflow_id}&state__exact=in_review"
        ).content.decode()
    )
    assert "Shown" not in staff.get("/admin/workflows/item/?state__exact=attention").content.decode()
    assert (
        "Shown" not in staff.get(f"/admin/workflows/item/?workflow__id__exact={hidden.pk}").content.decode()
    )


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_list_takes_the_same_number_of_queries_at_any_size(name: str, workflow: Workflow) -> None:
    from tests.factories import make_run, make_version
    from workflows.access import Action
    from workflows.decisions import approve
    from workflows.models import Delivery, Destination
    from workflows.register import enter

    client = signed_in(make_user(can=tuple(Action), on=workflow))
    person = make_user(can=STAFF, on=workflow)

    def more(times: int) -> None:
        for _ in range(times):
            item = make_item(workflow=workflow)
            make_run(item=item)
            approve(item=item, by=person)
            enter(delivery=Delivery.objects.get(item=item), by=person)
            make_version(workflow=workflow, number=workflow.versions.count() + 1)
            Destination.objects.create(workflow=workflow, kind="email", name="Mail", active=False)
            make_item(workflow=workflow, state=State.ATTENTION)

    def queries() -> int:
        with CaptureQueriesContext(connection) as told:
            assert client.get(f"/admin/workflows/{name}/").status_code == 200
        return len(told)

    more(2)
    client.get(f"/admin/workflows/{name}/")
    few = queries()
    more(8)
    assert queries() == few <= 16


def test_a_used_version_is_shown_and_cannot_be_changed(manager_of_it: Client, workflow: Workflow) -> None:
    from django.utils import timezone

    from workflows.models import Version

    Workflow.objects.update(stage="trial")
    address = f"/admin/workflows/version/{workflow.version_id}/change/"
    assert 'name="instructions"' in manager_of_it.get(address).content.decode()
    Version.objects.update(used_at=timezone.now())
    page = manager_of_it.get(address)
    assert page.status_code == 200
    assert 'name="instructions"' not in page.content.decode()
    assert manager_of_it.post(address, {"instructions": "changed"}).status_code in (403, 404)


def test_keys_are_revoked_in_their_list(workflow: Workflow) -> None:
    from workflows.access import Action
    from workflows.api_keys import create_api_key

    boss = make_user(can=tuple(Action), on=workflow)
    row, key = create_api_key(workflow=workflow, user=boss)
    client = signed_in(boss)
    assert key not in client.get("/admin/workflows/apikey/").content.decode()
    client.post("/admin/workflows/apikey/", {"action": "revoke", "_selected_action": [row.pk], "index": "0"})
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_every_kind_of_field_has_its_input(workflow: Workflow) -> None:
    kinds = (
        "text",
        "long_text",
        "integer",
        "decimal",
        "money",
        "date",
        "datetime",
        "yes_no",
        "email",
        "phone",
        "url",
    )
    fields: list[dict[str, Any]] = [{"key": kind, "label": kind, "kind": kind} for kind in kinds]
    fields += [{**FIELDS[3], "key": "choices", "label": "choices", "kind": "choices"}]
    fields += [
        {
            "key": "lines",
            "label": "Lines",
            "kind": "rows",
            "columns": [{"key": "amount", "label": "Amount", "kind": "money"}],
        }
    ]
    other = make_workflow("kinds", fields=fields)
    values = {
        "text": "t", "long_text": "l", "integer": 3, "decimal": "1.5", "money": {"amount": "2.00", "currency": "EUR"}, "date": "2026-11-30",
        "datetime": "2026-11-30T10:00", "yes_no": False, "email": "a@b.example", "phone": "+441632960961", "url": "https://b.example",
        "choices": ["quote"], "lines": [{"amount": {"amount": "2.00", "currency": "EUR"}}],
    }  # fmt: skip
    item = make_item(workflow=other, values=values)
    client = signed_in(make_user(can=STAFF, on=other))
    import re
    from html import unescape

    page = client.get(f"/admin/workflows/item/{item.pk}/change/").content.decode()
    typed: dict = {
        name: unescape(text)
        for name, text in re.findall(
            r'<input type="(?:text|hidden)" name="(value-[^"]+)" value="([^"]*)"', page
        )
    }
    typed |= {
        name: unescape(text)
        for name, text in re.findall(r'<textarea name="(value-[^"]+)"[^>]*>([^<]*)', page)
    }
    for name, options in re.findall(r'<select name="(value-[^"]+)".*?>(.*?)</select>', page, re.S):
        typed[name] = re.findall(r'value="([^"]*)" selected', options)
    answer = client.post(
        f"/admin/workflows/item/{item.pk}/decide/", {"verb": "edit", "revision": item.revision, **typed}
    )
    assert answer.status_code == 302, re.findall(r'class="wrong">([^<]+)', answer.content.decode())
    decision = item.decisions.get()
    assert (decision.kind, decision.changed, decision.values) == ("approve", [], values)
