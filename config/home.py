"""Home: what waits for the person who opens it, and where it is. Every count starts from the one door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from reviews.models import Review
from workflows.access import Action, may, visible
from workflows.admin.telling import Due, due
from workflows.models import Delivery, Item
from workflows.states import FOR_THE_WORKER, State

MOST_URGENT = 6
MOST_COUNTED = 999  # a count that reads a million rows makes a slow page and tells nobody more


@dataclass(frozen=True, slots=True)
class Tile:
    """`tone`: bad, warn or empty. `link` leads to the rows that were counted."""

    count: str
    text: str
    link: str
    tone: str = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    user: Any = request.user
    mine = _mine(user)
    sees = may(user, Action.VIEW)
    return {
        **context,
        "sees": sees,
        "decides": may(user, Action.REVIEW) or may(user, Action.HANDLE_ESCALATION),
        "submits": may(user, Action.SUBMIT),
        "late": mine.filter(due_at__lt=timezone.now())[:MOST_COUNTED].count(),
        "waiting": mine[:MOST_COUNTED].count(),
        "urgent": [_urgent(review) for review in mine.order_by("due_at", "pk")[:MOST_URGENT]],
        "tiles": _tiles(user) if sees else [],
    }


def _mine(user: Any) -> Any:
    """Open reviews that this person may decide: escalations take another permission than decisions."""
    reviews = Review.objects.filter(state=Review.State.OPEN)
    decisions = visible(user, reviews.filter(kind=Review.Kind.DECISION), Action.REVIEW)
    escalations = visible(user, reviews.filter(kind=Review.Kind.ESCALATION), Action.HANDLE_ESCALATION)
    return (
        Review.objects.filter(Q(pk__in=decisions.values("pk")) | Q(pk__in=escalations.values("pk")))
        .select_related("item", "workflow")
        .defer("item__values", "item__metadata", "item__note")
    )


def _urgent(review: Review) -> dict[str, Any]:
    told: Due = due(review.due_at)
    reasons = (review.item.route or {}).get("reasons", [])
    return {
        "title": review.item.title,
        "link": reverse("admin:workflows_item_change", args=[review.item_id]),
        "workflow": review.workflow.name,
        "due": told,
        "reasons": reasons[:2],
        "more": max(0, len(reasons) - 2),
    }


def _tiles(user: Any) -> list[Tile]:
    items = reverse("admin:workflows_item_changelist")
    deliveries = reverse("admin:workflows_delivery_changelist")
    seen = visible(user, Item.objects.order_by())
    stuck = visible(user, Delivery.objects.order_by())
    tiles = [
        _tile(seen.filter(state=State.IN_REVIEW), "in review", f"{items}?state__exact=in_review"),
        _tile(seen.filter(state=State.ESCALATED), "escalated", f"{items}?state__exact=escalated"),
        _tile(
            seen.filter(state=State.ATTENTION), "need attention", f"{items}?state__exact=attention", "warn"
        ),
        _tile(
            stuck.filter(state=Delivery.State.DEAD),
            "deliveries refused",
            f"{deliveries}?state__exact=dead",
            "bad",
        ),
        _tile(seen.filter(state__in=FOR_THE_WORKER), "being drafted", f"{items}?state__exact=received"),
        _tile(
            seen.filter(state=State.APPROVED), "approved, not yet delivered", f"{items}?state__exact=approved"
        ),
        _tile(seen.filter(state=State.DELIVERED), "delivered", f"{items}?state__exact=delivered"),
        _tile(seen.filter(state=State.SKIPPED), "skipped", f"{items}?state__exact=skipped"),
    ]
    return tiles


def _tile(rows: Any, text: str, link: str, tone: str = "") -> Tile:
    count = rows[: MOST_COUNTED + 1].count()
    shown = f"more than {MOST_COUNTED}" if count > MOST_COUNTED else str(count)
    return Tile(count=shown, text=text, link=link, tone=tone if count else "")
