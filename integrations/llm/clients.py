"""Connections to model servers, kept open and shared by everything on one event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import httpx2
from openai import AsyncAzureOpenAI, AsyncOpenAI

from .profiles import Profile

# Servers without a key still get a header, and the SDK insists on a value.
NO_KEY = "no-key"
CONNECTIONS = 256
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ClientPool:
    """One client per server and key. Belongs to the event loop that first used it; close it there, or use it as
    `async with ClientPool() as pool`."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str, str], AsyncOpenAI] = {}
        self._doors: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def client(self, *, profile: Profile, key: str) -> AsyncOpenAI:
        """Raises RuntimeError on another event loop than the first: connections do not survive the move."""
        loop = asyncio.get_running_loop()
        if self._loop not in (None, loop):
            raise RuntimeError("This ClientPool belongs to another event loop; make one per loop.")
        self._loop = loop
        place = (profile.base_url, profile.azure_api_version, key)
        if place not in self._clients:
            self._clients[place] = _open(profile, key)
        return self._clients[place]

    @asynccontextmanager
    async def room(self, profile: Profile) -> AsyncIterator[None]:
        """Waits while the profile's server has as many calls in flight from this loop as the profile allows, so that
        a small server's queue does not eat the time-out of the calls that stand in it."""
        if profile.max_in_flight is None:
            yield
            return
        door = self._doors.setdefault(
            (profile.base_url, profile.max_in_flight), asyncio.Semaphore(profile.max_in_flight)
        )
        async with door:
            yield

    async def aclose(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.close()
        self._loop = None
        self._doors.clear()


def _open(profile: Profile, key: str) -> AsyncOpenAI:
    limits = httpx2.Limits(
        max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=15.0
    )
    http_client = httpx2.AsyncClient(
        limits=limits,
        timeout=timeout_of(profile),
        follow_redirects=True,
        # A proxy from the environment cannot reach a server on this machine.
        trust_env=httpx2.URL(profile.base_url).host not in LOOPBACK,
    )
    if profile.azure_api_version:
        return AsyncAzureOpenAI(
            azure_endpoint=profile.base_url,
            api_version=profile.azure_api_version,
            api_key=key or NO_KEY,
            max_retries=0,
            http_client=http_client,
        )
    return AsyncOpenAI(
        base_url=profile.base_url, api_key=key or NO_KEY, max_retries=0, http_client=http_client
    )


def timeout_of(profile: Profile) -> httpx2.Timeout:
    return httpx2.Timeout(
        connect=profile.connect_seconds,
        read=profile.read_seconds,
        write=profile.read_seconds,
        pool=profile.total_seconds,
    )
