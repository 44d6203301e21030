"""One file per screen. Importing them registers them."""

from workflows.admin import definitions, items, records

__all__ = ["definitions", "items", "records"]
