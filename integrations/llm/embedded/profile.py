"""How the embedded server is asked, and when it is ready."""

import asyncio
import time

import httpx2

from ..profiles import Profile

API_KEY_ENV = "EMBEDDED_API_KEY"


def embedded_profile(*, port: int, model_name: str, parallel: int = 1) -> Profile:
    """One small model on a few cores: long time-outs, since an answer takes tens of seconds, and no more calls in
    flight than the server has slots, since the rest would only wait there with the clock running. The tries are
    enough to live through a restart of the server."""
    return Profile(
        name="embedded",
        base_url=f"http://127.0.0.1:{port}/v1",
        api_key_env=API_KEY_ENV,
        model=model_name,
        parameters={"temperature": 0, "max_tokens": 1536, "cache_prompt": True},
        read_seconds=600.0,
        total_seconds=600.0,
        max_tries=6,
        max_in_flight=parallel,
    )


async def wait_until_ready(*, port: int, seconds: float) -> bool:
    """Whether the server on this port had its model loaded before the time was over."""
    deadline = time.monotonic() + seconds
    async with httpx2.AsyncClient(timeout=2.0, trust_env=False) as client:
        while time.monotonic() < deadline:
            try:
                if (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200:
                    return True
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.2)
    return False
