"""The screens of workflows: one file for each."""

from workflows.admin import (
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
