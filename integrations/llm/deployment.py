"""The model that a blank profile means: the one named in the environment, else the embedded one beside us."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from .embedded.profile import API_KEY_ENV, embedded_profile
from .profiles import Profile, deployment_profile

PORT_ENV, PID_FILE_ENV, NAME_ENV = "EMBEDDED_PORT", "EMBEDDED_PID_FILE", "EMBEDDED_MODEL"
CALLS_TO_A_SERVER = 32


@dataclass(frozen=True)
class Deployment:
    """`in_flight`: calls at a time. `cpu_seconds`: what the embedded model has computed so far (None: not known, or a
    server elsewhere). `is_ready`: whether calling it now is worth one of an item's calls (None: it always is)."""

    profile: Profile
    in_flight: int
    is_ready: Callable[[], bool] | None = None
    cpu_seconds: Callable[[], float | None] | None = None

    @property
    def local_url(self) -> str:
        """The address of the model that runs here, whose calls cost no money; empty when there is none."""
        return self.profile.base_url if self.cpu_seconds is not None else ""


class NoModel(Exception):
    pass


def uses_embedded(environ: Mapping[str, str]) -> bool:
    return deployment_profile(environ) is None


def current_deployment(environ: Mapping[str, str]) -> Deployment:
    """Raises NoModel when the environment names neither."""
    if profile := deployment_profile(environ):
        return Deployment(profile=profile, in_flight=profile.max_in_flight or CALLS_TO_A_SERVER)
    port = environ.get(PORT_ENV, "")
    if not port.isdigit() or not environ.get(API_KEY_ENV):
        raise NoModel(
            "No model is configured. Start with `make run`, which brings its own, "
            "or set OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL."
        )
    slots = int(environ.get("EMBEDDED_PARALLEL") or 1)
    profile = embedded_profile(port=int(port), model_name=environ.get(NAME_ENV) or "standard", parallel=slots)
    return Deployment(
        profile=profile,
        in_flight=slots,
        is_ready=lambda: _answers(port=int(port)),
        cpu_seconds=lambda: _cpu_seconds(pid_file=environ.get(PID_FILE_ENV, "")),
    )


def _answers(*, port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health", timeout=2.0, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def _cpu_seconds(*, pid_file: str) -> float | None:
    try:
        times = psutil.Process(int(Path(pid_file).read_text())).cpu_times()
    except (OSError, ValueError, psutil.Error):
        return None
    return float(times.user + times.system)
