"""The fixed tabs over a list, each with how many rows it has for this person."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from reviews.counting import short, waiting

# By the address of the list: model, then title, value of `show`, name of the count.
TABS = {
    "admin:reviews_review_changelist": (
        "reviews.review",
        (("All mine", "", "mine"), ("Late", "late", "late"), ("High risk", "high", "high"), ("Claimed by me", "claimed", "claimed")),
    ),
    "admin:reviews_escalation_changelist": (
        "reviews.escalation",
        (("All I may see", "", "escalations"), ("Waits on me", "me", "on me"), ("I asked", "asked", "asked")),
    ),
}  # fmt: skip


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold asks on every page; only the list that is open is counted."""
    shown = request.GET.get("show", "")
    for name, (model, items) in TABS.items():
        link = reverse(name)
        if request.path != link or not request.user.is_authenticated:
            continue
        counts = waiting(request)
        return [
            {
                "models": [model],
                "items": [
                    {
                        "title": f"{title} · {short(counts[counted])}",
                        "link": f"{link}?show={value}" if value else link,
                        "active": shown == value,
                    }
                    for title, value, counted in items
                ],
            }
        ]
    return []
