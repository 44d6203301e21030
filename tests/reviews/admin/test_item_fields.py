"""The fields on the page of an item: what has to be looked at, how far to trust it, and rows as a table."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import FIELDS, STAFF, VALUES, make_item, make_run, make_user, make_workflow
from tests.reviews.admin.conftest import signed_in
from tests.reviews.admin.test_deciding import post, state_of
from workflows.access import Action
from workflows.models import Decision, FieldResult, Item, Workflow

LINES = {
    "key": "lines", "label": "Lines", "kind": "rows",
    "columns": [{"key": "what", "label": "What", "kind": "text"}, {"key": "amount", "label": "Amount", "kind": "money"}],
}  # fmt: skip


def page_of(client: Client, item: Item) -> str:
    answer = client.get(f"/admin/workflows/item/{item.pk}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_fields_to_check_come_first_with_a_tick_each(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow, to_check=("due",))
    page = page_of(staff, item)
    assert re.findall(r'data-cs-field="(\w+)"', page) == ["due", "name", "total", "topic"]
    assert re.findall(r'name="seen" value="(\w+)"', page) == ["due"]
    assert "1 to check" in page


def test_approving_posts_what_was_seen_and_the_server_asks_again(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow, to_check=("due", "total"))
    answer = post(staff, item, "approve", seen=["due"], **{"value-name": "Typed"})
    page = answer.content.decode()
    assert (answer.status_code, state_of(item)) == (422, "in_review")
    assert "1 field to check: Total." in page
    assert re.findall(r'name="seen" value="(\w+)" checked', page) == ["due"]
    assert "Typed" in page
    assert post(staff, item, "approve", seen=["due", "total"]).status_code == 302
    assert state_of(item) == "approved"


def test_the_list_does_not_approve_what_has_to_be_looked_at(staff: Client, workflow: Workflow) -> None:
    item, plain = make_item(workflow=workflow, to_check=("due",)), make_item(workflow=workflow)
    answer = staff.post(
        "/admin/workflows/item/",
        {"action": "approve_items", "_selected_action": [item.pk, plain.pk], "index": "0"},
        follow=True,
    )
    assert "1 field to check: Due date. Nothing was changed. Open it" in answer.content.decode()
    assert (state_of(item), state_of(plain)) == ("in_review", "approved")


def test_a_field_tells_its_evidence_its_figure_and_its_flags(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow, to_check=("total",))
    FieldResult.objects.filter(key="total").update(
        evidence={"status": "not_found"}, flags=["not found in the source"]
    )
    FieldResult.objects.filter(key="due").update(
        evidence={"status": "normalised", "quote": "30 Nov", "page": 2, "derived": True}, flags=["worked out, not copied", "can be read in two ways"],
    )  # fmt: skip
    FieldResult.objects.filter(key="topic").update(signal=None, evidence={"status": "absent"})
    page = page_of(staff, item)
    for said in ("Draft value not found in the source", "Found normalised: “30 Nov”, page 2; the value was worked out from it",
                 "Can be read in two ways", "No figure", "Not enough evidence for a probability", "No quote was due"):  # fmt: skip
        assert page.count(said) == 1, said
    assert "Worked out, not copied" not in page


def test_a_sensitive_field_is_marked(db: None) -> None:
    workflow = make_workflow(fields=[{**FIELDS[0], "sensitive": True}])
    item = make_item(workflow=workflow, values={"name": "Ines"})
    client = signed_in(make_user(can=(*STAFF, Action.DECIDE_SENSITIVE), on=workflow))
    assert "data-cs-sensitive" in page_of(client, item)


def test_the_draft_stays_beside_a_value_that_differs_from_it(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    Item.objects.update(values={**VALUES, "name": "Somebody Else"})
    page = page_of(staff, item)
    assert "<s data-cs-was>Ines Okafor</s> → <ins data-cs-now>Somebody Else</ins>" in page
    assert "Approve with 1 edit" in page
    assert 'data-cs-draft="{&quot;&quot;: &quot;12.50&quot;, &quot;-currency&quot;: &quot;EUR&quot;}"' in page


def test_why_it_is_here_names_rule_field_value_and_what_was_needed(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    reasons = [
        {"text": "total: signal 0.41, below 0.90", "kind": "bar", "field": "total", "value": "12.50 EUR", "bar": "0.90"},  # as stored before
        {"text": "due date: signal 0.52, below 0.90", "kind": "bar", "field": "due", "value": "2026-11-30", "bar": "0.90", "signal": "0.52"},
        {"text": "large amount", "kind": "rule", "field": "total", "value": "12.50 EUR", "bar": "10", "operator": "above"},
        {"text": "name: nothing found", "kind": "value", "field": "name", "value": "", "bar": "required"},
        {"text": "no certificate: everything is reviewed", "kind": "certificate", "doubtful": False},
    ]  # fmt: skip
    Item.objects.update(route={"reasons": reasons, "to_check": []})
    page = page_of(staff, item)
    rows = [
        re.sub(r"\s+", " ", re.sub(r"</?t[rd][^>]*>", "|", row)).strip("|")
        for row in re.findall(r"<tr[^>]*>(<td>.*?)</tr>", page)
    ]
    assert rows == [
        "Signal below the bar of the version||Total||0.41||0.90",
        "Signal below the bar of the version||Due date||0.52||0.90",
        "Rule: large amount||Total||12.50 EUR||reviewed above 10",
        "Required, and nothing was found||Name||empty||a value",
        "No certificate||Whole item||–||everything is reviewed",
    ]


@pytest.fixture
def with_lines(db: None) -> Item:
    workflow = make_workflow("lines", fields=[FIELDS[0], LINES])
    lines = [
        {"what": "Oak", "amount": {"amount": "5.00", "currency": "EUR"}},
        {"what": "Ash", "amount": None},
    ]
    return make_item(workflow=workflow, values={"name": "Ines", "lines": lines})


def client_for(item: Item) -> Client:
    return signed_in(make_user(can=STAFF, on=item.workflow))


def test_rows_are_a_table_of_inputs(with_lines: Item) -> None:
    page = page_of(client_for(with_lines), with_lines)
    assert "<textarea" not in page.split('id="decide"')[1].split("</form>")[0]
    names = [name for name in re.findall(r'name="(value-lines[^"]*)"', page) if "__row__" not in name]
    assert names == ["value-lines-there"] + [
        f"value-lines-{row}-{cell}" for row in (0, 1, 2) for cell in ("what", "amount", "amount-currency")
    ]
    assert 'aria-label="Amount, amount, row 1"' in page


def test_rows_are_told_by_their_columns(with_lines: Item) -> None:
    viewer = signed_in(make_user(can=(Action.VIEW,), on=with_lines.workflow))
    assert "What: Oak, Amount: 5.00 EUR\nWhat: Ash, Amount: –" in page_of(viewer, with_lines)


def test_rows_are_changed_removed_and_added(with_lines: Item) -> None:
    typed = {
        "value-lines-there": "1", "value-lines-0-what": "Oak", "value-lines-0-amount": "6", "value-lines-0-amount-currency": "eur",
        "value-lines-1-what": " ", "value-lines-1-amount": "", "value-lines-1-amount-currency": "",
        "value-lines-7-what": "Elm", "value-lines-7-amount": "", "value-lines-7-amount-currency": "",
    }  # fmt: skip
    assert post(client_for(with_lines), with_lines, "approve", **typed).status_code == 302
    decision = Decision.objects.get()
    assert decision.values["lines"] == [
        {"what": "Oak", "amount": {"amount": "6.00", "currency": "EUR"}}, {"what": "Elm", "amount": None},
    ]  # fmt: skip
    assert decision.changed == ["lines"]


def test_a_cell_that_cannot_be_read_is_named_and_the_rows_stay(with_lines: Item) -> None:
    answer = post(client_for(with_lines), with_lines, "approve", **{
        "value-lines-there": "1", "value-lines-3-what": "<b>Oak</b>", "value-lines-3-amount": "six", "value-lines-3-amount-currency": "EUR",
    })  # fmt: skip
    page = answer.content.decode()
    assert (answer.status_code, state_of(with_lines)) == (422, "in_review")
    assert "Row 1, Amount:" in page
    assert 'name="value-lines-3-amount" value="six"' in page
    assert "&lt;b&gt;Oak&lt;/b&gt;" in page
    assert "<b>Oak" not in page


def test_every_row_can_be_removed(with_lines: Item) -> None:
    assert (
        post(client_for(with_lines), with_lines, "approve", **{"value-lines-there": "1"}).status_code == 302
    )
    assert not Decision.objects.get().values["lines"]


def test_a_value_is_checked_while_one_types_and_nothing_is_kept(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    address = f"/admin/workflows/item/{item.pk}/check/"
    answer = staff.post(address, {"value-due": "some day"})
    assert list(answer.json()["problems"]) == ["due"]
    assert staff.post(address, {"value-due": "2026-12-01"}).json() == {"problems": {}}
    assert list(staff.post(address, {"value-name": ""}).json()["problems"]) == ["name"]
    assert Item.objects.get().values == VALUES
    viewer = signed_in(make_user(can=(Action.VIEW,), on=workflow))
    assert viewer.post(address, {"value-due": "x"}).status_code == 404


def test_runs_are_shown_to_who_may_see_them(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    make_run(item=item, prompt="Read <b>this</b>", raw='{"name": "raw"}')
    assert "Read &lt;b&gt;this" not in page_of(staff, item)
    page = page_of(signed_in(make_user(can=(*STAFF, Action.MODEL_LOGS), on=workflow)), item)
    assert "Read &lt;b&gt;this&lt;/b&gt;" in page
    assert "{&quot;name&quot;: &quot;raw&quot;}" in page
    assert "10 tokens in, 5 out" in page


def test_history_names_fields_and_the_timeline_whole_reasons(staff: Client, workflow: Workflow) -> None:
    item = make_item(workflow=workflow)
    reason = "r" * 150
    post(staff, item, "approve", reason=reason, **{"value-name": "Somebody Else"})
    page = page_of(staff, item)
    assert "<dt>Name</dt><dd><s>Ines Okafor</s> → Somebody Else</dd>" in page
    assert page.count(reason) == 1
    assert page.count("Approved with edits") == 2  # in the timeline and in the history


def test_the_page_takes_the_same_number_of_queries_however_much_happened(db: None) -> None:
    workflow = make_workflow(
        "many", fields=[FIELDS[0], *({**FIELDS[0], "key": f"f{n}", "label": f"F{n}"} for n in range(12))]
    )
    client = signed_in(make_user(can=tuple(Action), on=workflow))
    item = make_item(workflow=workflow, values={"name": "a"}, to_check=("name",))

    def queries() -> Any:
        with CaptureQueriesContext(connection) as told:
            page_of(client, item)
        return len(told)

    queries()
    few = queries()
    for number in range(6):
        make_run(item=item, values={f"f{n}": "x" for n in range(12)})
        make_workflow(f"target-{number}")
        Item.objects.get(pk=item.pk).save()
    assert queries() == few <= 40
