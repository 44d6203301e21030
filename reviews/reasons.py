"""The reasons that people gave most for a decision, so that the common ones are a click and not a sentence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone

from workflows.access import visible
from workflows.models import Decision, Item

OFFERED = 6
DAYS = 90
KINDS = {
    "reject": Decision.Kind.REJECT, "escalate": Decision.Kind.ESCALATE, "back": Decision.Kind.BACK,
    "close": Decision.Kind.SKIP,
}  # fmt: skip
USUAL = {
    "reject": ("not for us", "same as an earlier one", "not complete", "not readable", "cannot be confirmed"),
    "escalate": ("amount above my limit", "unusual request", "source and draft disagree", "a second opinion is needed"),
    "back": ("wrong value read", "a value is missing", "read the attachment too", "look at the last page"),
    "close": ("done elsewhere", "sent by mistake", "a copy of another one", "nothing is asked"),
}  # fmt: skip


def common_reasons(*, item: Item, user: Any, verb: str) -> list[str]:
    """Up to six: of this workflow and verb in the last 90 days, the rest the usual ones."""
    if verb not in KINDS:
        return []
    given = (
        visible(user, Decision.objects.filter(item__workflow=item.workflow_id, kind=KINDS[verb]))
        .filter(created_at__gte=timezone.now() - timedelta(days=DAYS))
        .exclude(reason="")
        .exclude(reason__startswith="Moved to ")
        .exclude(reason__startswith="Split in two")
        .values("reason")
        .annotate(times=Count("pk"))
        .order_by("-times", "reason")
    )
    found = [row["reason"] for row in given[:OFFERED]]
    return list(dict.fromkeys([*found, *USUAL[verb]]))[:OFFERED]
