from __future__ import annotations

from typing import Any

import pytest

from tests.factories import MANAGER, make_user, make_workflow
from workflows.models import Workflow


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("leads", name="Leads")


@pytest.fixture
def manager(workflow: Workflow) -> Any:
    return make_user("boss", can=MANAGER, on=workflow)
