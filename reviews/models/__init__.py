"""A person's piece of work on an item: this is what is listed, claimed and due."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from workflows.models import Decision, Item, Workflow


class Review(models.Model):
    class Kind(models.TextChoices):
        DECISION = "decision", "Decision"
        ESCALATION = "escalation", "Escalation"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"
        WITHDRAWN = "withdrawn", "Withdrawn"

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="reviews")
    # Repeated from the item, so that one index serves "mine to review, most urgent first".
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.DECISION)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    due_at = models.DateTimeField()
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["claimed_by", "claimed_until"])

    class Meta:
        ordering = ["due_at", "pk"]
        indexes = [
            models.Index(fields=["state", "due_at", "id"], name="review_due"),
            models.Index(fields=["workflow", "state", "due_at", "id"], name="review_workflow_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=models.Q(state="open"), name="one_open_review")
        ]

    def __str__(self) -> str:
        return str(self.item)
