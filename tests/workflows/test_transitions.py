from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from tests.factories import make_item, make_workflow
from workflows.models import Item
from workflows.people import system_user
from workflows.states import CHOICES, FOR_A_PERSON, LABELS, RESTING, TRANSITIONS, State
from workflows.transitions import InvalidTransition, lock, move, move_locked


@pytest.mark.django_db
@pytest.mark.parametrize("to", list(State))
@pytest.mark.parametrize("state", list(State))
def test_every_pair_of_states_is_allowed_or_refused_as_the_table_says(state: State, to: State) -> None:
    item = make_item(workflow=make_workflow(), state=State.RECEIVED)
    Item.objects.filter(pk=item.pk).update(state=state)
    before = item.history.count()
    if to in TRANSITIONS[state]:
        row = move(item=item, to=to, by=system_user(), why="As the table says")
        assert (row.state, row.revision) == (to, item.revision + 1)
        assert (row.due_at is not None) == (to in FOR_A_PERSON)
        assert item.history.count() == before + 1
        assert item.history.first().history_change_reason == "As the table says"
    else:
        with pytest.raises(InvalidTransition) as refusal:
            move(item=item, to=to, by=system_user(), why="Not in the table")
        assert "Nothing was changed" in str(refusal.value)
        item.refresh_from_db()
        assert item.state == state
        assert item.history.count() == before


def test_each_state_has_a_label_and_its_row_in_the_table() -> None:
    assert set(LABELS) == set(TRANSITIONS) == set(State)
    assert len(CHOICES) == len(State)
    assert State.RECEIVED not in RESTING
    assert State.WORKING not in RESTING


@pytest.mark.django_db(transaction=True)
def test_a_row_is_moved_as_locked_only_inside_the_transaction_that_locked_it() -> None:
    item = make_item(workflow=make_workflow())
    with pytest.raises(AssertionError):
        lock(item=item)
    with transaction.atomic():
        row = lock(item=item)
    with pytest.raises(AssertionError):
        move_locked(row=row, to=State.REJECTED, by=system_user(), why="Too late")


def test_one_module_alone_assigns_the_state_of_an_item() -> None:
    found = []
    for folder in ("workflows", "reviews", "config"):
        for path in (Path(settings.BASE_DIR) / folder).rglob("*.py"):
            if path.name == "transitions.py" or "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                targets = node.targets if isinstance(node, ast.Assign) else []
                names = [
                    one
                    for target in targets
                    for one in (target.elts if isinstance(target, ast.Tuple) else [target])
                ]
                found += [
                    f"{path.name}:{node.lineno}"
                    for name in names
                    if isinstance(name, ast.Attribute) and name.attr == "state"
                    and isinstance(name.value, ast.Name) and name.value.id in {"item", "row"}
                ]  # fmt: skip
    # A delivery and a review have states of their own; those rows are named so. Sample history never was work: its rows
    # are made up in the state in which they are stored.
    others = ("handoff.py", "opening.py", "sample_rows.py")
    assert [place for place in found if not place.startswith(others)] == []
