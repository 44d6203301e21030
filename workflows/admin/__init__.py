"""The screens of workflows: one file for each."""

from workflows.admin import destination, records, register, version, workflow

__all__ = ["destination", "records", "register", "version", "workflow"]
