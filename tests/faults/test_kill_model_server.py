"""kill -9 of the embedded model server while it drafts: the plumbing, with the smallest model."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from integrations.llm.embedded.catalogue import model_name_of
from integrations.llm.embedded.weights import WeightsUnavailable, find_weights
from tests.factories import STAFF, make_user, make_workflow
from tests.faults.figures import ALL, ROUNDS, Round
from tests.faults.installation import Installation
from tests.faults.servers import ROOT
from tests.faults.waiting import wait_until
from workflows.intake import submit
from workflows.models import Item
from workflows.states import RESTING, State

pytestmark = [pytest.mark.faults, pytest.mark.model]

AGAIN_SECONDS = 30.0
REST_SECONDS = 180.0
CALLING_SECONDS = 0.5  # the model computes: it was asked, and has not answered


@pytest.fixture
def weights_folder() -> Path:
    folder = Path(os.environ.get("EMBEDDED_FOLDER") or ROOT / "var" / "models")
    try:
        weights = find_weights(name_or_path="tiny", folder=folder)
    except WeightsUnavailable as error:
        pytest.skip(str(error))
    assert model_name_of(weights) == "tiny"
    return folder


def test_an_item_whose_model_is_killed_is_called_for_again_within_its_ceiling(
    install: Callable[..., Installation], weights_folder: Path
) -> None:
    workflow = make_workflow("letters")
    person = make_user(can=STAFF, on=workflow)
    installation = install(EMBEDDED_MODEL="tiny", EMBEDDED_FOLDER=str(weights_folder))
    for number in range(1, ROUNDS + 1):
        text = f"Name: Ines Okafor\nTotal: {number}.50 EUR\nTopic: quote\n"
        item = submit(workflow=workflow, by=person, channel="api", text=text).item
        ALL.append(kill_while_it_drafts(item=item, installation=installation, number=number))


def kill_while_it_drafts(*, item: Item, installation: Installation, number: int) -> Round:
    server = wait_until(installation.model_server, seconds=30, what="there is a model server")
    wait_until(lambda: calls_of(item) == 1, seconds=60, what="the model is asked")
    time.sleep(CALLING_SECONDS)
    assert (state_of(item), calls_of(item)) == (State.WORKING, 1), "the model was faster than this test"
    server.kill()
    killed = time.monotonic()
    wait_until(lambda: calls_of(item) >= 2, seconds=AGAIN_SECONDS, what="the item is called for again")
    again = time.monotonic() - killed
    wait_until(lambda: state_of(item) in RESTING, seconds=REST_SECONDS, what="the item is at rest")
    whole = time.monotonic() - killed
    item.refresh_from_db()
    assert item.state in (State.IN_REVIEW, State.ESCALATED), item.problem
    ceiling = item.workflow.version.max_calls
    # One call died with the server; none was spent on the server while it was away.
    assert item.calls == 2 <= ceiling
    return Round("model server", number, 1, 0, again=again, whole=whole, calls=f"{item.calls} of {ceiling}")


def calls_of(item: Item) -> int:
    return Item.objects.values_list("calls", flat=True).get(pk=item.pk)


def state_of(item: Item) -> str:
    return Item.objects.values_list("state", flat=True).get(pk=item.pk)
