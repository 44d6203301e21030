"""What templates show of the help: the sentence above a list, and the keys of every screen."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils.text import slugify

from config.help import HINTS

register = template.Library()

COMMON_KEYS = (
    ("Ctrl K", "Find a screen, an item or a workflow"),
    ("Ctrl E", "Light or dark"),
    ("?", "These keys"),
    ("[", "Sidebar"),
    ("/", "Search"),
    ("F", "Filters of a list"),
    ("C", "Add to a list"),
    ("N", "On the review list: next item"),
)


@register.simple_tag
def common_keys() -> tuple[tuple[str, str], ...]:
    return COMMON_KEYS


@register.simple_tag
def list_hint(model: str) -> dict[str, str] | None:
    """The sentence above this model's list, with the address of its heading."""
    if (hint := HINTS.get(model)) is None:
        return None
    address = reverse("admin:help_chapter", args=[hint.chapter])
    return {"text": hint.text, "heading": hint.heading, "link": f"{address}#{slugify(hint.heading)}"}
