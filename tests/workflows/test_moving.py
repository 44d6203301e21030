from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from tests.factories import STAFF, VALUES, grant_all, make_item, make_user, make_workflow
from workflows.access import Action
from workflows.decisions import approve
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.intake import NotTaking, Upload, store_source
from workflows.models import Decision, Item, Page, Source, Stage, Workflow
from workflows.moving import move_to_workflow, split_item
from workflows.states import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> Workflow:
    return make_workflow("here", name="Here")


@pytest.fixture
def there() -> Workflow:
    return make_workflow("there", name="There")


@pytest.fixture
def person(here: Workflow, there: Workflow) -> Any:
    user = make_user("mover", can=STAFF, on=here)
    grant_all(to=user, on=there, actions=(Action.VIEW, Action.SUBMIT))
    return user


def add_file(item: Item, name: str, content: bytes, kind: Source.Kind = Source.Kind.FILE) -> Source:
    return store_source(
        item=item, position=item.sources.count(), kind=kind, upload=Upload(name=name, content=content)
    )


def test_an_item_goes_on_in_another_workflow_with_the_same_files(
    here: Workflow, there: Workflow, person: Any
) -> None:
    item = make_item(workflow=here, title="A wrong letter", metadata={"from": "abc"}, external_id="x-1")
    add_file(item, "letter.pdf", b"%PDF letter")
    add_file(item, "inside.txt", b"found again when the file is read", Source.Kind.ATTACHMENT)
    made = move_to_workflow(
        item=item, workflow=there, by=person, reason="it is a lead", revision=item.revision
    )
    item.refresh_from_db()
    assert (made.workflow, made.state, made.version, made.origin, made.submitted_by) == (
        there,
        "received",
        there.version,
        item,
        person,
    )
    assert (made.title, made.metadata, made.external_id) == ("A wrong letter", {"from": "abc"}, "x-1")
    assert [(one.sha256, one.file.name, one.kind, one.read_at) for one in made.sources.all()] == [
        (one.sha256, one.file.name, one.kind, one.read_at) for one in item.sources.all()
    ]
    assert item.state == "skipped"
    assert item.problem["happened"] == "Moved to another workflow: it is a lead."
    assert (Decision.objects.get().kind, Decision.objects.get().by) == ("skip", person)
    assert made.history.get().history_change_reason == "Moved from another workflow: it is a lead"
    assert list(item.offshoots.all()) == [made]


def test_moving_takes_the_right_to_review_here_and_to_submit_there(
    here: Workflow, there: Workflow, person: Any
) -> None:
    item = make_item(workflow=here)
    only_here = make_user(can=STAFF, on=here)
    only_there = make_user(can=STAFF, on=there)
    views = make_user(can=(Action.VIEW, Action.SUBMIT), on=here)
    grant_all(to=views, on=there, actions=STAFF)
    for by in (only_here, only_there, views):
        with pytest.raises(NotPermitted):
            move_to_workflow(item=item, workflow=there, by=by, reason="r")
    assert Item.objects.get().state == "in_review"
    move_to_workflow(item=item, workflow=there, by=person, reason="r")


@pytest.mark.parametrize(("state", "error"), [(State.RECEIVED, Conflict), (State.WORKING, Conflict), (State.REJECTED, Conflict),
                                              (State.ESCALATED, NotPermitted)])  # fmt: skip
def test_only_what_waits_for_this_person_is_moved(
    here: Workflow, there: Workflow, person: Any, state: State, error: type
) -> None:
    item = make_item(workflow=here, state=state)
    with pytest.raises(error):
        move_to_workflow(item=item, workflow=there, by=person, reason="r")
    with pytest.raises(error):
        split_item(item=item, by=person, excerpt="a text", reason="r")
    assert Item.objects.count() == 1


def test_what_was_handed_over_stays(here: Workflow, there: Workflow, person: Any) -> None:
    item = make_item(workflow=here)
    approve(item=item, by=person)
    # As when a delivery failed for good and the item came back to a person.
    Item.objects.update(state=State.ATTENTION)
    for act in (lambda: move_to_workflow(item=item, workflow=there, by=person, reason="r"),
                lambda: split_item(item=item, by=person, excerpt="t", reason="r")):  # fmt: skip
        with pytest.raises(Conflict, match="handed over"):
            act()
    assert Item.objects.count() == 1


def test_a_move_is_refused_in_words_and_changes_nothing(here: Workflow, there: Workflow, person: Any) -> None:
    item = make_item(workflow=here)
    grant_all(to=person, on=here, actions=STAFF)
    with pytest.raises(InvalidInput, match="Choose another"):
        move_to_workflow(item=item, workflow=here, by=person, reason="r")
    with pytest.raises(InvalidInput, match="Say why"):
        move_to_workflow(item=item, workflow=there, by=person, reason=" ")
    with pytest.raises(Conflict, match="changed while"):
        move_to_workflow(item=item, workflow=there, by=person, reason="r", revision=item.revision - 1)
    Item.objects.filter(pk=make_item(workflow=there, title="There already").pk).update(
        content_hash=item.content_hash
    )
    with pytest.raises(Conflict, match="“There already”"):
        move_to_workflow(item=item, workflow=there, by=person, reason="r")
    Workflow.objects.filter(pk=there.pk).update(stage=Stage.PAUSED)
    with pytest.raises(NotTaking):
        move_to_workflow(item=item, workflow=Workflow.objects.get(pk=there.pk), by=person, reason="r")
    assert (Item.objects.get(pk=item.pk).state, Decision.objects.count(), Item.objects.count()) == (
        "in_review",
        0,
        2,
    )


def test_an_item_moved_by_mistake_is_moved_back(here: Workflow, there: Workflow, person: Any) -> None:
    grant_all(to=person, on=there, actions=STAFF)
    item = make_item(workflow=here)
    made = move_to_workflow(item=item, workflow=there, by=person, reason="r")
    Item.objects.filter(pk=made.pk).update(state=State.ATTENTION)
    back = move_to_workflow(item=made, workflow=here, by=person, reason="it was right before")
    assert (back.workflow, back.origin) == (here, made)


def test_files_go_to_a_second_item_with_what_was_read_and_the_first_is_drafted_again(
    here: Workflow, person: Any
) -> None:
    item = make_item(workflow=here, title="Two invoices")
    second = add_file(item, "second.txt", b"second")
    second.pages.create(number=1, text="second", method="text")
    made = split_item(
        item=item, by=person, sources=[second.pk], reason="two invoices", revision=item.revision
    )
    item.refresh_from_db()
    assert (made.title, made.workflow, made.origin, made.state) == (
        "Two invoices (second part)",
        here,
        item,
        "received",
    )
    assert [one.pk for one in made.sources.all()] == [second.pk]
    assert made.sources.get().pages.get().text == "second"
    assert [one.kind for one in item.sources.all()] == ["text"]
    assert (item.state, Decision.objects.get().kind, Decision.objects.get().reason) == (
        "received", "back", "Split in two: two invoices",
    )  # fmt: skip


def test_a_text_alone_leaves_the_first_as_it_is(here: Workflow, person: Any) -> None:
    item = make_item(workflow=here)
    made = split_item(item=item, by=person, excerpt="  Also send a brochure.  ", reason="two requests")
    before, item = item, Item.objects.get(pk=item.pk)
    assert made.sources.get().file.read() == b"Also send a brochure."
    assert (item.state, item.values, item.revision) == ("in_review", VALUES, before.revision)
    assert item.history.first().history_change_reason == "Split in two: two requests"
    with pytest.raises(Conflict, match="same content"):
        split_item(item=item, by=person, excerpt="Also send a  brochure.", reason="again")


def test_a_split_needs_something_for_each_half(here: Workflow, person: Any) -> None:
    item, other = make_item(workflow=here), make_item(workflow=here)
    only = item.sources.get().pk
    for chosen, said in (
        ([], "Choose what goes"),
        ([only], "at least one file"),
        ([other.sources.get().pk], "no longer part"),
    ):
        with pytest.raises(InvalidInput, match=said):
            split_item(item=item, by=person, sources=chosen, reason="r")
    assert Item.objects.count() == 2


def test_splitting_takes_the_right_to_submit_as_well(here: Workflow) -> None:
    item = make_item(workflow=here)
    for can in ((Action.VIEW, Action.REVIEW), (Action.VIEW, Action.SUBMIT)):
        with pytest.raises(NotPermitted):
            split_item(item=item, by=make_user(can=can, on=here), excerpt="a text", reason="r")
    assert Item.objects.count() == 1


def test_what_was_read_goes_along_and_is_not_read_again(here: Workflow, there: Workflow, person: Any) -> None:
    """Read again, the mail would bring the attachment that went to the second item."""
    item = make_item(workflow=here)
    mail = add_file(item, "mail.eml", b"a mail")
    inside = add_file(item, "order.txt", b"an order", Source.Kind.ATTACHMENT)
    for source in (mail, inside):
        Page.objects.create(source=source, number=1, text=f"text of {source.name}", method="text")
        Source.objects.filter(pk=source.pk).update(read_at=timezone.now(), reading={"kind": "mail"})
    second = split_item(item=item, by=person, sources=[inside.pk], reason="two", revision=item.revision)
    Item.objects.filter(pk=second.pk).update(state=State.IN_REVIEW)
    moved = move_to_workflow(item=second, workflow=there, by=person, reason="a lead", revision=None)
    copy = moved.sources.get()
    assert (copy.name, copy.kind, copy.reading) == ("order.txt", "attachment", {"kind": "mail"})
    assert copy.read_at is not None
    assert [page.text for page in copy.pages.all()] == ["text of order.txt"]
