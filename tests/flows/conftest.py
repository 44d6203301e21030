from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.llm.deployment import Deployment
from integrations.llm.profiles import Profile
from tests.scripted_model import ScriptedModel, scripted_model
from workflows.tasks import run_worker


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """A server that speaks the OpenAI protocol over real HTTP and does as the text of each item tells it."""
    with scripted_model() as server:
        yield server


@pytest.fixture
def work(model: ScriptedModel) -> Callable[..., int]:
    """Run one worker in this process until nothing is due."""

    def run(
        *,
        in_flight: int = 8,
        idle_seconds: float = 0.1,
        beat: Callable[[], bool] = lambda: True,
        **settings: Any,
    ) -> int:
        given = {
            "backoff_seconds": 0.05,
            "read_seconds": 2.0,
            "total_seconds": 4.0,
            "longest_wait_seconds": 3.0,
        }
        profile = Profile(
            name="deployment", base_url=model.base_url, model="scripted", **{**given, **settings}
        )
        deployment = Deployment(profile=profile, in_flight=in_flight)
        return run_worker(deployment=deployment, idle_seconds=idle_seconds, lease_for=60, beat=beat)

    return run
