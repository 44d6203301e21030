"""The screens of workflows: one file for each."""

from workflows.admin import (
    api_keys,
    audit,
    case,
    destination,
    erasure,
    evaluation,
    records,
    register,
    version,
    workflow,
)

__all__ = [
    "api_keys",
    "audit",
    "case",
    "destination",
    "erasure",
    "evaluation",
    "records",
    "register",
    "version",
    "workflow",
]
