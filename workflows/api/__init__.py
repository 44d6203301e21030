"""The HTTP API: its shape is the contract in docs and at /api/v1/openapi.json."""

from workflows.api.routes import api

__all__ = ["api"]
