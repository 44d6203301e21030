"""A person's piece of work on an item: this is what is listed, claimed and due."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from reviews.models.figures import DayFigures as DayFigures
from reviews.models.figures import Recount as Recount
from workflows.models import Decision, Item, Workflow

MOST_SECONDS = 30 * 60  # of work that one review counts for: whoever left the screen open did not work on it


class Review(models.Model):
    class Kind(models.TextChoices):
        DECISION = "decision", "Decision"
        ESCALATION = "escalation", "Escalation"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Risk(models.IntegerChoices):
        LOW = 1, "Low"
        MEDIUM = 2, "Medium"
        HIGH = 3, "High"

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
    # What a list sorts and filters by, worked out once when the review opens (reviews.urgency).
    risk = models.PositiveSmallIntegerField(choices=Risk, default=Risk.MEDIUM)
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=10, blank=True)
    sensitive = models.BooleanField(default=False)
    reason_kinds = models.CharField(max_length=120, blank=True)  # "|bar|rule|"
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)  # the claim that runs began here
    # From the claim to the decision of who had claimed it, at most MOST_SECONDS; empty where nobody had.
    worked_seconds = models.PositiveIntegerField(null=True, blank=True, editable=False)
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords(
        excluded_fields=[
            "risk", "amount", "currency", "sensitive", "reason_kinds", "claimed_by", "claimed_until", "claimed_at",
            "worked_seconds", "reminded_at",
        ]
    )  # fmt: skip

    class Meta:
        ordering = ["due_at", "pk"]
        verbose_name = "item to review"
        verbose_name_plural = "items to review"
        indexes = [
            models.Index(fields=["state", "due_at", "id"], name="review_due"),
            models.Index(fields=["workflow", "state", "due_at", "id"], name="review_workflow_due"),
            # The review list of 100,000: read in order, and counted without a look at the rows.
            models.Index(
                fields=["state", "kind", "due_at", "id", "workflow", "sensitive"], name="review_list"
            ),
            models.Index(
                fields=["state", "kind", "risk", "due_at", "id", "workflow", "sensitive"], name="review_risk"
            ),
            models.Index(fields=["state", "kind", "claimed_until", "claimed_by"], name="review_claimed"),
            # What reports add up.
            models.Index(fields=["item", "state", "worked_seconds"], name="review_worked"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=models.Q(state="open"), name="one_open_review")
        ]

    def __str__(self) -> str:
        return str(self.item)


class Escalation(Review):
    """The same rows, on a screen of their own: who waits on whom."""

    class Meta:
        proxy = True
        ordering = ["due_at", "pk"]
        verbose_name = "escalation"
        verbose_name_plural = "escalations"


class Stuck(Item):
    """Items that need attention, on a screen of their own."""

    class Meta:
        proxy = True
        ordering = ["state_since", "pk"]
        verbose_name = "item that needs attention"
        verbose_name_plural = "items that need attention"
