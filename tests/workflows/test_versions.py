from __future__ import annotations

import pytest

from integrations.llm.answers import Answer
from integrations.llm.outcomes import Outcome
from tests.factories import make_item, make_workflow
from workflows.leasing import lease_items
from workflows.models import Field, FieldResult
from workflows.models.definitions import VersionUsed
from workflows.recording import Prepared, prepare, record
from workflows.states import State

pytestmark = pytest.mark.django_db


def test_a_version_is_fixed_before_it_is_read_for_a_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = make_workflow()
    make_item(workflow=workflow, state=State.RECEIVED)
    [(pk, lease)] = lease_items(limit=1)

    def edit_meanwhile(**_: object) -> list[dict[str, str]]:
        field = Field.objects.get(version=workflow.version, key="name")
        field.label = "Another name"
        with pytest.raises(VersionUsed):
            field.save()
        return [{"role": "user", "content": "x"}]

    monkeypatch.setattr("workflows.asking.build_messages", edit_meanwhile)
    prepared = prepare(item_id=pk, lease=lease)
    assert isinstance(prepared, Prepared)
    values = {"name": "Ines Okafor", "total": None, "due": None, "topic": None}
    record(prepared=prepared, answer=Answer(outcome=Outcome.OK, values=values, raw_text="{}"))
    assert FieldResult.objects.count() == 4
