from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.llm.deployment import Deployment
from integrations.llm.profiles import Profile
from tests.factories import ADMIN, make_user, make_workflow
from tests.scripted_model import ScriptedModel, scripted_model
from workflows.evaluation.cases import import_cases
from workflows.models import Workflow

LETTER = "Name: Ines Okafor\nTotal: 12.50 EUR\nDue: 30 November 2026\nTopic: quote\n"
GOLD = {"name": "Ines Okafor", "total": "12.50 EUR", "due": "2026-11-30", "topic": "quote"}


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted_model() as server:
        yield server


@pytest.fixture
def deployment(model: ScriptedModel) -> Deployment:
    profile = Profile(
        name="deployment", base_url=model.base_url, model="scripted", read_seconds=2, total_seconds=4,
        backoff_seconds=0.05, longest_wait_seconds=1,
    )  # fmt: skip
    return Deployment(profile=profile, in_flight=4)


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads", name="Leads")


@pytest.fixture
def admin(workflow: Workflow) -> Any:
    return make_user("admin", can=ADMIN, on=workflow)


@pytest.fixture
def add(workflow: Workflow) -> Callable[..., None]:
    """Import cases written as their parts: `add({"name": ..., "text": ..., "values": ...})`."""
    import json

    def run(*cases: dict[str, Any], **files: bytes) -> None:
        import_cases(
            workflow=workflow, by=None, format="yaml", text=json.dumps(list(cases)),
            find=lambda name: files.get(name.replace(".", "_").replace("-", "_")),
        )  # fmt: skip

    return run
