"""The processes of one installation: web, queue and, without a model elsewhere, the embedded model."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from typing import Any

import httpx2
from django.conf import settings
from django.db import close_old_connections
from django_q.tasks import async_task, queue_size

from config.ports import free_port
from config.supervise import Child
from integrations.llm import deployment
from integrations.llm.embedded.profile import API_KEY_ENV
from workflows import beats
from workflows.tasks import TICK

MOST_QUEUED_TICKS = 6
FETCHING_SECONDS = 3600.0  # the weights may have a long way


def web() -> Child:
    bind = os.environ.get("BIND", "127.0.0.1")
    return Child(
        name="web",
        command=[
            sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"{bind}:{settings.PORT}",
            "--workers", os.environ.get("WEB_WORKERS", "1"), "--threads", "8", "--worker-class", "gthread",
            "--log-level", "warning", "--no-control-socket",
        ],
        ready=web_answers,
        ports=(settings.PORT,),
    )  # fmt: skip


def web_answers() -> bool:
    try:
        return httpx2.get(
            f"http://127.0.0.1:{settings.PORT}/healthz", timeout=3.0, trust_env=False
        ).is_success
    except httpx2.TransportError:
        return False


def queue(*, env: dict[str, str]) -> Child:
    return Child(
        name="work",
        command=[sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
        env=env,
        ready_seconds=60.0,
        heartbeat=_age,
        heartbeat_limit=settings.HEARTBEAT_LIMIT,
    )


def model(*, env: dict[str, str]) -> Child:
    port = int(env[deployment.PORT_ENV])
    return Child(
        name="model",
        command=[
            sys.executable, "-m", "integrations.llm.embedded", env[deployment.NAME_ENV],
            "--folder", os.environ.get("EMBEDDED_FOLDER") or str(settings.DATA / "models"),
            "--port", str(port), "--pid-file", env[deployment.PID_FILE_ENV],
        ],
        env=env,
        ready=lambda: httpx2.get(f"http://127.0.0.1:{port}/health", timeout=2.0, trust_env=False).is_success,
        ready_seconds=FETCHING_SECONDS,
    )  # fmt: skip


def processes(*, with_web: bool) -> list[Child]:
    """What to start, in its order. The embedded model has a key and a port of its own at each start."""
    children = [web()] if with_web else []
    if not deployment.uses_embedded(os.environ):
        return [*children, queue(env={})]
    env = {
        deployment.NAME_ENV: os.environ.get(deployment.NAME_ENV) or "standard",
        deployment.PORT_ENV: str(free_port()),
        deployment.PID_FILE_ENV: str(settings.DATA / "model.pid"),
        API_KEY_ENV: secrets.token_urlsafe(32),
    }
    return [*children, queue(env=env), model(env=env)]


def tick() -> None:
    """Wake a worker, unless the ones before still wait: a queue that nobody empties must not grow."""
    close_old_connections()
    if queue_size() < MOST_QUEUED_TICKS:
        async_task("workflows.tasks.tick")


def with_database(call: Callable[[], Any]) -> Callable[[], Any]:
    def asked() -> Any:
        close_old_connections()
        return call()

    return asked


def _age() -> float | None:
    close_old_connections()
    return beats.age(name=TICK)
