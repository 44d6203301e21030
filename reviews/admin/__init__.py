"""The screens on which people work: one file per screen. Importing them registers them."""

from reviews.admin import attention, escalations, items, reviews

__all__ = ["attention", "escalations", "items", "reviews"]
