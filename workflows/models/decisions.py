from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from workflows.models.items import Item
from workflows.models.runs import Run


class Decision(models.Model):
    """What a person decided. Never changed; a later one stands beside it."""

    class Kind(models.TextChoices):
        APPROVE = "approve", "Approved"
        EDIT = "edit", "Approved with edits"
        REJECT = "reject", "Rejected"
        ESCALATE = "escalate", "Escalated"
        BACK = "back", "Sent back"
        SKIP = "skip", "Closed without review"

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="decisions")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions")
    values = models.JSONField(null=True)
    changed = models.JSONField(default=list)  # keys whose value differs from the draft's
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["item", "-pk"]
        indexes = [
            models.Index(fields=["created_at", "id"], name="decision_created"),
            models.Index(fields=["item", "by", "created_at"], name="decision_people"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
