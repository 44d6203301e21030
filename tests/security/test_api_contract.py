"""The API's own document, played back at it over HTTP by schemathesis with a real key: what fits it, and what does not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

from tests.factories import make_item, make_user, make_workflow
from workflows.access import Action
from workflows.api_keys import create_api_key

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = 20  # of each call and mode
KNOWN = {"slug": "contract", "item_id": ""}


@pytest.fixture(autouse=True)
def _quiet(settings: Any) -> Iterator[None]:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_no_request_makes_the_server_fail(live_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    workflow = make_workflow("contract")
    _, key = create_api_key(workflow=workflow, user=make_user(can=tuple(Action), on=workflow))
    known = {**KNOWN, "item_id": str(make_item(workflow=workflow).public_id)}
    headers = {"Authorization": f"Bearer {key}"}
    schema = schemathesis.openapi.from_url(f"{live_server.url}/api/v1/openapi.json")
    answers: dict[str, dict[int, int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        name = f"{operation.method.upper()} {operation.path}"
        counted = answers.setdefault(name, {})
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @seed(20261122)
            @settings(
                max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy(generation_mode=mode))
            def play(case: Any) -> None:
                # Half of the calls lead to the workflow of the key: behind a 404 nothing more is read.
                if sum(counted.values()) % 2:
                    case.path_parameters = {one: known[one] for one in case.path_parameters or {}}
                answer = case.call(base_url=live_server.url, headers=headers, timeout=30)
                counted[answer.status_code] = counted.get(answer.status_code, 0) + 1
                assert answer.status_code < 500, f"{case.as_curl_command()}\n{answer.text}"
                if answer.status_code >= 400:
                    assert answer.headers["content-type"][0].startswith("application/problem+json"), (
                        answer.text
                    )

            play()
        assert sum(counted.values()) > EXAMPLES, name
    assert any(status < 300 for counted in answers.values() for status in counted)
    with capsys.disabled():
        for name, counted in answers.items():
            print(
                f"\n{name}: {', '.join(f'{count} x {status}' for status, count in sorted(counted.items()))}"
            )
