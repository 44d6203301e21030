"""What is refused, what stays, what is shared, and what is taken up again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from reviews.models import Review
from tests.factories import ADMIN, SENIOR, STAFF, make_entry, make_item, make_user, make_workflow
from workflows.access import Action, visible
from workflows.decisions import approve, reject, try_again
from workflows.erasure import erasing, files
from workflows.erasure.erasing import count_parts, erase, finish_all
from workflows.erasure.holds import place_hold, release_hold
from workflows.erasure.person import pattern_of, search_person
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.evaluation.cases import import_cases, set_active
from workflows.handoff import resend
from workflows.intake import submit
from workflows.models import Case, Delivery, Erasure, Item, LegalHold, RegisterEntry
from workflows.states import State

pytestmark = pytest.mark.django_db

WHY = "Request of 12 March"


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Any) -> Any:
    """What follows the commit is done when the block ends."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_without_a_reason_or_the_permission_nothing_is_erased() -> None:
    item = make_item(workflow=make_workflow())
    admin = make_user(can=ADMIN, on=item.workflow)
    for person, reason, refused in (
        (make_user(can=SENIOR, on=item.workflow), WHY, NotPermitted), (make_user(can=tuple(Action), on=make_workflow()), WHY, NotPermitted),
        (admin, "  ", InvalidInput), (admin, f"About {item.title}", InvalidInput),
    ):  # fmt: skip
        with pytest.raises(refused):
            erase(items=[item.pk], by=person, reason=reason)
    assert not Erasure.objects.exists()
    assert Item.objects.get().values


def test_a_husk_counts_and_does_nothing_else() -> None:
    workflow = make_workflow()
    admin = make_user(can=tuple(Action), on=workflow)
    item = make_item(workflow=workflow, state=State.IN_REVIEW)
    run = item.runs.get()
    erase(items=[item.pk], by=admin, reason=WHY)

    item.refresh_from_db()
    assert (item.state, item.title, item.values, item.note) == (State.SKIPPED, "Erased item", None, "")
    assert item.erasure == Erasure.objects.get()
    assert Review.objects.get(item=item).state == Review.State.WITHDRAWN
    run.refresh_from_db()
    assert (run.outcome, run.prompt_tokens, run.prompt, run.raw_text) == ("ok", 10, [], "")
    last = item.history.first()
    assert (last.history_user, last.history_change_reason) == (admin, "Its content was erased")
    assert {row.title for row in item.history.all()} == {"Erased item"}
    with pytest.raises(Conflict, match="was erased"):
        try_again(item=item, by=admin)


def test_a_refused_delivery_of_a_husk_is_not_sent_again() -> None:
    entry = make_entry(workflow=make_workflow())
    delivery, boss = entry.delivery, make_user(can=tuple(Action), on=entry.workflow)
    Delivery.objects.update(state=Delivery.State.DEAD)
    Item.objects.update(state=State.DELIVERED)
    erase(items=[entry.item_id], by=boss, reason=WHY)
    delivery.refresh_from_db()
    assert delivery.payload == {}
    with pytest.raises(Conflict, match="was erased"):
        resend(delivery=delivery, by=boss)


def test_an_erased_item_that_comes_in_again_is_a_new_one() -> None:
    workflow = make_workflow()
    staff = make_user(can=STAFF, on=workflow)
    first = submit(
        workflow=workflow, by=staff, channel="api", text="A letter", external_id="E-1", idempotency_key="k"
    ).item
    erase(items=[first.pk], by=None, reason=WHY)
    again = submit(
        workflow=workflow, by=staff, channel="api", text="A letter", external_id="E-1", idempotency_key="k"
    )
    assert again.created
    assert again.item.state == State.RECEIVED


def test_what_is_being_drafted_or_handed_over_waits() -> None:
    workflow = make_workflow(hold_seconds=600)
    drafted, handed = make_item(workflow=workflow, state=State.WORKING), make_item(workflow=workflow)
    approve(item=handed, by=make_user(can=SENIOR, on=workflow))
    Item.objects.filter(pk=drafted.pk).update(lease_until=timezone.now() + timedelta(seconds=15))

    done = erase(items=[drafted.pk, handed.pk], by=None, reason=WHY)
    assert done.items == 0
    assert "being drafted" in done.refused[drafted.pk]
    assert "on its way" in done.refused[handed.pk]
    assert not Erasure.objects.exists()
    assert Item.objects.get(pk=handed.pk).values, "nothing was undone"

    Item.objects.filter(pk=drafted.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert erase(items=[drafted.pk], by=None, reason=WHY).items == 1


def test_a_hold_on_an_item_or_its_workflow_refuses_and_says_so() -> None:
    workflow = make_workflow()
    admin = make_user("keeper", can=ADMIN, on=workflow)
    held, free = make_item(workflow=workflow), make_item(workflow=workflow)
    hold = place_hold(on=held, by=admin, reason="Lawsuit 7")
    with pytest.raises(Conflict):
        place_hold(on=held, by=admin, reason="again")
    with pytest.raises(NotPermitted):
        place_hold(on=free, by=make_user(can=SENIOR, on=workflow), reason="no")

    done = erase(items=[held.pk, free.pk], by=admin, reason=WHY)
    assert done.items == 1
    assert "keeper: Lawsuit 7" in done.refused[held.pk]

    release_hold(hold=hold, by=admin, reason="Settled")
    whole = place_hold(on=workflow, by=admin, reason="Audit")
    assert "The whole workflow is held" in erase(items=[held.pk], by=admin, reason=WHY).refused[held.pk]
    release_hold(hold=whole, by=admin, reason="Over")
    with pytest.raises(Conflict):
        release_hold(hold=whole, by=admin, reason="Over")
    assert erase(items=[held.pk], by=admin, reason=WHY).items == 1
    assert LegalHold.objects.get(pk=hold.pk).reason == "", "why it was held says something about it"
    with pytest.raises(Conflict, match="nothing to hold"):
        place_hold(on=held, by=admin, reason="too late")


def test_a_shared_file_goes_with_its_last_holder(commits: Any) -> None:
    workflow, text = make_workflow(), "The same letter"
    one, two = make_item(workflow=workflow, text=text), make_item(workflow=workflow, text=text)
    name = one.sources.get().file.name
    assert two.sources.get().file.name == name
    with commits():
        erase(items=[one.pk], by=None, reason=WHY)
    assert default_storage.exists(name)
    assert two.sources.get().pages.get().text == text
    with commits():
        erase(items=[two.pk], by=None, reason=WHY)
    assert not default_storage.exists(name)


def test_erasing_twice_does_nothing_the_second_time() -> None:
    item = make_item(workflow=make_workflow())
    erase(items=[item.pk], by=None, reason=WHY)
    before = Item.objects.values().get()
    done = erase(items=[item.pk], by=None, reason=WHY)
    assert (done.items, done.refused) == (0, {})
    assert Item.objects.values().get() == before
    assert Erasure.objects.count() == 1


def test_what_was_killed_between_rows_and_files_is_finished_by_the_tick(
    commits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_item(workflow=make_workflow())
    name = item.sources.get().file.name
    with monkeypatch.context() as patch:
        patch.setattr(erasing, "finish", lambda record: (_ for _ in ()).throw(KeyboardInterrupt))
        erase(items=[item.pk], by=None, reason=WHY)
    record = Erasure.objects.get()
    assert (record.files_left, record.ended_at) == ([name], None)
    assert default_storage.exists(name)

    assert finish_all() == 1
    record.refresh_from_db()
    assert record.files_left == []
    assert record.ended_at is not None
    assert not default_storage.exists(name)
    assert finish_all() == 0


def test_a_file_that_is_being_stored_again_waits(commits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    item = make_item(workflow=make_workflow())
    monkeypatch.setattr(files, "may_delete", lambda sha256: False)
    with commits():
        erase(items=[item.pk], by=None, reason=WHY)
    assert Erasure.objects.get().files_left
    monkeypatch.undo()
    assert finish_all() == 1


def test_a_refusal_in_the_middle_leaves_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that fails takes the whole transaction with it, files included."""
    item = make_item(workflow=make_workflow())
    part = erasing.parts()[-1]
    failing = type(part)(part.name, part.count, lambda batch: 1 // 0, part.columns)
    monkeypatch.setattr(erasing, "parts", lambda: (*erasing_parts[:-1], failing))
    with pytest.raises(ZeroDivisionError):
        erase(items=[item.pk], by=None, reason=WHY)
    assert not Erasure.objects.exists()
    assert item.sources.get().pages.get().text
    assert default_storage.exists(item.sources.get().file.name)


erasing_parts = erasing.parts()


def test_cases_of_the_same_content_go_too_and_evaluations_keep_their_counts(commits: Any) -> None:
    workflow = make_workflow()
    admin, staff = make_user(can=ADMIN, on=workflow), make_user(can=STAFF, on=workflow)
    text = "Name: Ines Okafor"
    import_cases(
        workflow=workflow,
        text=f"- name: Ines\n  text: '{text}'\n  values: {{name: Ines Okafor}}\n",
        format="yaml",
        by=admin,
    )
    item = submit(workflow=workflow, by=staff, channel="admin", text=text).item
    with commits():
        erase(items=[item.pk], by=admin, reason=WHY)
    case = Case.objects.get()
    assert (case.name, case.active, case.labels.count(), case.sources.count()) == (
        f"erased {case.pk}",
        False,
        0,
        0,
    )
    with pytest.raises(Conflict):
        set_active(case=case, active=True, by=admin)
    assert not [
        name
        for name in default_storage.listdir("sources")[0]
        if default_storage.listdir(f"sources/{name}")[1]
    ]


# A person


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("ines okafor", "Dear Ines\nOKAFOR,"), ("Müller", "MÜLLER"), ("+44 20 7946 0018", "call 020/7946-0018 now"),
        ("ines@people.example", "<Ines@People.Example>"), ("E-1.7", "ref E-1.7"),
    ],
)  # fmt: skip
def test_a_person_is_found_however_it_is_written(asked: str, written: str) -> None:
    workflow = make_workflow()
    in_text = make_item(workflow=workflow, text=written, values={})
    in_values = make_item(workflow=workflow, text="A scan", values={"name": written})
    other = make_item(workflow=workflow, text="Another letter", values={})
    Item.objects.filter(pk=other.pk).update(
        metadata={"note": "nothing of it"}, external_id="E-127", values={}
    )
    found = search_person(text=asked, by=None)
    assert set(found.items) == {in_text.pk, in_values.pk}


def test_too_little_finds_nothing() -> None:
    for text in ("", "Ann", "12 34", " - "):
        with pytest.raises(InvalidInput):
            pattern_of(text)


def test_a_person_is_looked_for_where_one_manages_and_nowhere_else(commits: Any) -> None:
    mine, hidden = make_workflow(), make_workflow()
    admin = make_user(can=ADMIN, on=mine)
    here, there = (make_item(workflow=one, text="Ines Okafor, the same letter") for one in (mine, hidden))
    found = search_person(text="Ines Okafor", by=admin)
    assert set(found.items) == {here.pk}
    told = str(count_parts(items=[here.pk], workflow_id=mine.pk))
    with commits():
        erase(items=found.items, by=admin, reason=WHY, kind=Erasure.Kind.PERSON, beside=found.beside)
    there.refresh_from_db()
    assert there.erased_at is None
    assert default_storage.exists(there.sources.get().file.name), "its file stays, and nothing says so"
    record = Erasure.objects.get()
    assert "item" not in " ".join(record.not_reached)
    assert told
    assert list(visible(admin, Erasure.objects.all())) == [record]
    assert not visible(make_user(can=tuple(Action), on=hidden), Erasure.objects.all()).exists()


def test_duplicates_of_a_persons_files_are_among_what_goes() -> None:
    one, two = make_workflow(), make_workflow()
    read = make_item(workflow=one, text="From Ines Okafor")
    unread = make_item(workflow=two, text="From Ines Okafor", title="Not read yet", values={})
    unread.sources.get().pages.all().delete()
    found = search_person(text="Ines Okafor", by=None)
    assert found.items[unread.pk] == ["the same file"]
    assert read.pk in found.items


def test_the_reason_may_not_repeat_whom_it_is_about() -> None:
    item = make_item(workflow=make_workflow())
    with pytest.raises(InvalidInput, match="without names"):
        erase(
            items=[item.pk],
            by=None,
            reason="Ines Okafor asked",
            kind=Erasure.Kind.PERSON,
            unspoken=["Ines Okafor"],
        )


def test_the_record_holds_counts_and_nothing_of_the_content() -> None:
    entry = make_entry(workflow=make_workflow(), title="Ines Okafor")
    reject_too = make_item(workflow=entry.workflow, title="Ines Okafor 2")
    reject(item=reject_too, by=make_user(can=SENIOR, on=entry.workflow), reason="Ines said no")
    Item.objects.filter(pk=entry.item_id).update(state=State.DELIVERED)
    erase(items=[entry.item_id, reject_too.pk], by=None, reason=WHY)
    record = Erasure.objects.values().get()
    assert "Ines" not in str(record)
    assert record["erased"]["items"] == 2
    assert not RegisterEntry.objects.exists()
    with pytest.raises(Conflict):
        Erasure.objects.get().delete()
