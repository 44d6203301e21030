"""The model servers that an admin may choose for a version, named by whoever runs the installation.

A version names a server and the variable of its key; if an admin could type both, any secret of the environment could be
sent to any address. So the two come together, from the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SERVERS_ENV = "MODEL_SERVERS"


@dataclass(frozen=True, slots=True)
class Server:
    base_url: str
    api_key_env: str = ""


def model_servers(environ: Mapping[str, str]) -> tuple[Server, ...]:
    """`https://models.example/v1 MODELS_KEY, http://gpu.internal:8000/v1`: an address, and the variable of its key."""
    servers = []
    for part in environ.get(SERVERS_ENV, "").split(","):
        address, *key = part.split()[:2] or [""]
        if address.startswith(("http://", "https://")):
            servers.append(Server(base_url=address.rstrip("/"), api_key_env=key[0] if key else ""))
    return tuple(dict.fromkeys(servers))
