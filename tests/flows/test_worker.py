"""The worker against a real HTTP server that misbehaves as each item's text says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from reviews.models import Review
from tests.factories import STAFF, make_user, make_workflow
from workflows.intake import Upload, submit
from workflows.models import Item, Run
from workflows.states import State

pytestmark = pytest.mark.django_db(transaction=True)

LETTER = "Name: Ines Okafor\nTotal: 12.50 EUR\nDue: 30 November 2026\nTopic: quote\n"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.recording.GIVE_BACK_SECONDS", 0.05)


def give(workflow: Any, text: str = LETTER, **more: Any) -> Item:
    by = make_user(can=STAFF, on=workflow)
    return submit(workflow=workflow, by=by, channel="admin", text=text, **more).item


def after(item: Item) -> Item:
    item.refresh_from_db()
    return item


def test_a_text_is_drafted_and_comes_to_review_with_its_reasons_and_evidence(work: Any) -> None:
    item = give(make_workflow())
    work()
    item = after(item)
    assert item.state == State.IN_REVIEW
    assert item.values == {
        "name": "Ines Okafor",
        "total": {"amount": "12.50", "currency": "EUR"},
        "due": "2026-11-30",
        "topic": "quote",
    }
    assert [reason["text"] for reason in item.route["reasons"]][
        -1
    ] == "no certificate: everything is reviewed"
    run = item.runs.get()
    assert run.outcome == "ok"
    assert run.raw_text
    assert run.model
    evidence = run.results.get(key="name").evidence
    assert (evidence["status"], evidence["quote"]) == ("verbatim", "Ines Okafor")
    review = Review.objects.get(item=item)
    assert (review.state, review.kind, review.due_at) == ("open", "decision", item.due_at)


OUTCOMES = [
    # behaviour, outcome of the run, state, calls at most
    ("[[refusal]]", "refused", State.ATTENTION, 1),
    ("[[filter]]", "filtered", State.ATTENTION, 1),
    ("[[length]]", "truncated", State.ATTENTION, 1),
    ("[[broken]]", "invalid", State.ATTENTION, 2),
    ("[[silence]]", "timeout", State.ATTENTION, 3),
    ("[[429 retry-after=1]]", "rate_limited", State.ATTENTION, 3),
    ("[[500]]", "unavailable", State.ATTENTION, 6),
    ("[[drop]]", "unavailable", State.ATTENTION, 6),
    ("[[context]]", "too_long", State.ATTENTION, 1),
    ("[[fenced]]", "ok", State.IN_REVIEW, 1),
    ("[[broken-once]]", "ok", State.IN_REVIEW, 2),
    ("[[429 retry-after=1 x2]]", "ok", State.IN_REVIEW, 3),
    ("[[503-loading x2]]", "ok", State.IN_REVIEW, 3),
    ("[[no-schema]]", "ok", State.IN_REVIEW, 2),
]
# What says nothing leaves nothing to keep.
NOTHING_SENT = {"[[silence]]", "[[drop]]"}


def test_whatever_the_server_does_every_item_ends_with_the_right_outcome_within_its_ceiling(
    work: Any, model: Any
) -> None:
    workflow = make_workflow()
    items = {
        behaviour: give(workflow, f"{LETTER}\n{behaviour} [[item {number}]]")
        for number, (behaviour, *_) in enumerate(OUTCOMES)
    }
    work(in_flight=len(OUTCOMES), idle_seconds=1.0)
    calls = Counter(seen.item for seen in model.requests)
    for number, (behaviour, outcome, state, most) in enumerate(OUTCOMES):
        item = after(items[behaviour])
        last = item.runs.first()
        assert (behaviour, item.state, last.outcome) == (behaviour, state, outcome)
        assert 1 <= calls[str(number)] <= most, behaviour
        assert item.calls == calls[str(number)], behaviour
        assert item.calls <= item.version.max_calls
        if behaviour not in NOTHING_SENT:
            assert any(call["raw_text"] for call in last.calls), behaviour
        if state == State.ATTENTION:
            assert {"happened", "kept", "next_step"} <= item.problem.keys()
            assert item.problem["outcome"] == outcome
            assert item.due_at is not None


def test_a_locked_pdf_goes_to_attention_without_a_call(work: Any, model: Any, tmp_path: Any) -> None:
    reportlab = pytest.importorskip("reportlab.pdfgen.canvas")
    path = tmp_path / "locked.pdf"
    page = reportlab.Canvas(str(path), encrypt="secret")
    page.drawString(72, 700, "Invoice 1")
    page.save()
    item = give(make_workflow(), "", files=[Upload(name="locked.pdf", content=path.read_bytes())])
    work()
    item = after(item)
    assert item.state == State.ATTENTION
    assert item.problem["outcome"] == "unreadable_source"
    assert "password" in item.problem["happened"]
    assert item.sources.get().file.open().read() == path.read_bytes()
    assert not model.requests
    assert not Run.objects.exists()


def test_what_a_person_submits_is_drafted_before_the_backlog(work: Any, model: Any) -> None:
    workflow = make_workflow()
    by = make_user(can=STAFF, on=workflow)
    for number in range(6):
        submit(workflow=workflow, by=by, channel="demo", text=f"{LETTER} [[item b{number}]]", priority=0)
    give(workflow, f"{LETTER} [[item mine]]")
    work(in_flight=1)
    assert model.requests[0].item == "mine"
    assert len(model.requests) == 7


def test_no_reason_shows_a_key(work: Any) -> None:
    fields = [
        {"key": "full_name", "label": "Full name", "kind": "text", "required": True},
        {"key": "wanted_by", "label": "Wanted by", "kind": "date", "required": True},
        {"key": "order_total", "label": "Order total", "kind": "money", "sensitive": True},
        {"key": "next_step", "label": "Next step", "kind": "choice", "needs_evidence": False, "required": True,
         "choices": [{"key": "call_back", "label": "Call back"}, {"key": "send_offer", "label": "Send an offer"}]},
    ]  # fmt: skip
    rules = [
        {"field": "next_step", "operator": "equals", "value": "call_back", "reason": "somebody has to call"},
        {
            "field": "order_total",
            "operator": "above",
            "value": "10",
            "action": "escalate",
            "reason": "large order",
        },
        {"field": "", "operator": "always", "reason": "financial: always reviewed"},
    ]
    item = give(
        make_workflow(fields=fields, rules=rules),
        "Full name: Ada Obi\nOrder total: 99.00 EUR\nNext step: call_back\n",
    )
    work()
    item = after(item)
    assert item.state == State.ESCALATED
    reasons = item.route["reasons"]
    assert {"somebody has to call", "large order", "financial: always reviewed"} <= {
        one["text"] for one in reasons
    }
    for reason in reasons:
        for part in ("text", "value", "bar", "next_step"):
            assert "_" not in reason[part], reason
        assert reason["text"]
        assert reason["next_step"]


def test_a_worker_that_keeps_dying_on_an_item_leaves_it_to_a_person(work: Any, settings: Any) -> None:
    item = give(make_workflow())
    settings.LEASE_SECONDS = 0
    from workflows.leasing import MAX_ATTEMPTS, lease_items

    for _ in range(MAX_ATTEMPTS):
        assert len(lease_items(limit=5)) == 1
    assert lease_items(limit=5) == []
    item = after(item)
    assert item.state == State.ATTENTION
    assert f"stopped {MAX_ATTEMPTS} times" in item.problem["happened"]


def test_a_lost_lease_stores_the_run_and_leaves_the_item_to_its_new_holder(work: Any, model: Any) -> None:
    import uuid

    from integrations.llm.answers import Answer
    from integrations.llm.outcomes import Outcome
    from workflows.leasing import lease_items
    from workflows.recording import Prepared, prepare, record

    item = give(make_workflow())
    [(pk, lease)] = lease_items(limit=1)
    prepared = prepare(item_id=pk, lease=lease)
    assert isinstance(prepared, Prepared)
    Item.objects.filter(pk=pk).update(lease=uuid.uuid4())
    answer = Answer(
        outcome=Outcome.OK, values={"name": "X", "total": None, "due": None, "topic": None}, raw_text="{}"
    )
    assert record(prepared=prepared, answer=answer) is None
    item = after(item)
    assert (item.state, item.values) == (State.WORKING, None)
    assert item.runs.get().outcome == "ok"
