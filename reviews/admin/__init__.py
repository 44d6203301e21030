"""One file per screen. Importing them registers them."""

from reviews.admin import reviews

__all__ = ["reviews"]
