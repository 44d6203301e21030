from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories import ADMIN, SENIOR, STAFF, make_user, make_workflow
from workflows.models import Workflow


@pytest.fixture
def workflow(db: None) -> Workflow:
    return make_workflow("leads", name="Leads")


def signed_in(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="config.backends.PasswordBackend")
    return client


@pytest.fixture
def staff(workflow: Workflow) -> Client:
    return signed_in(make_user("staff", can=STAFF, on=workflow))


@pytest.fixture
def senior(workflow: Workflow) -> Client:
    return signed_in(make_user("senior", can=SENIOR, on=workflow))


@pytest.fixture
def manager_of_it(workflow: Workflow) -> Client:
    return signed_in(make_user("admin", can=ADMIN, on=workflow))
