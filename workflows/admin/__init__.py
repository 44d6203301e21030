"""The screens of workflows: one file for each."""

from workflows.admin import case, destination, erasure, evaluation, records, register, version, workflow

__all__ = ["case", "destination", "erasure", "evaluation", "records", "register", "version", "workflow"]
