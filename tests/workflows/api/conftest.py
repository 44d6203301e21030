from __future__ import annotations

import pytest

from tests.factories import STAFF, make_user, make_workflow
from tests.workflows.api.calls import Caller
from workflows.models import Workflow


@pytest.fixture
def workflow(db: None) -> Workflow:
    return make_workflow("leads")


@pytest.fixture
def caller(workflow: Workflow) -> Caller:
    return Caller(workflow=workflow, user=make_user("caller", can=STAFF, on=workflow))
