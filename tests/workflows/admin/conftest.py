from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories import make_workflow
from workflows.models import Workflow


@pytest.fixture
def workflow(db: None) -> Workflow:
    return make_workflow("leads", name="Leads")


def signed_in(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="config.backends.PasswordBackend")
    return client
