"""What calls of a model cost and may cost. Amounts are in the installation's currency, as Decimal."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from workflows.models.definitions import Workflow
from workflows.models.items import Item
from workflows.models.runs import AMOUNT

POSITIVE = [MinValueValidator(0)]


class Price(models.Model):
    """An installation's own price of a model, for 1,000,000 tokens; it wins over the published one."""

    model = models.CharField(max_length=200, unique=True, help_text="The name as the server gives it.")
    prompt = models.DecimalField(max_digits=12, decimal_places=6, validators=POSITIVE)
    completion = models.DecimalField(max_digits=12, decimal_places=6, validators=POSITIVE)
    cached = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True, validators=POSITIVE
    )  # empty: as the prompt

    history = HistoricalRecords()

    class Meta:
        ordering = ["model"]

    def __str__(self) -> str:
        return self.model


class Budget(models.Model):
    """What the model may cost a workflow. Empty: no limit. No row: no limits at all."""

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, related_name="budget")
    per_item = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, validators=POSITIVE
    )
    per_day = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True, validators=POSITIVE)
    per_month = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, validators=POSITIVE
    )
    alert_percent = models.PositiveSmallIntegerField(default=80)  # of a limit: then the owner is told by mail

    history = HistoricalRecords()

    def __str__(self) -> str:
        return f"budget of {self.workflow}"


class Spending(models.Model):
    """What a span of a budget has used. Written by conditional updates alone: `held` is reserved and not yet settled."""

    class Span(models.TextChoices):
        ITEM = "item", "Item"
        DAY = "day", "Day"
        MONTH = "month", "Month"

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="spending")
    span = models.CharField(max_length=5, choices=Span)
    starts_on = models.DateField(null=True)  # of a day or a month, in the installation's time zone
    item = models.ForeignKey(Item, on_delete=models.CASCADE, null=True, related_name="spending")
    held = models.DecimalField(**AMOUNT, default=0)
    spent = models.DecimalField(**AMOUNT, default=0)
    alerted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["workflow", "-starts_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "span", "starts_on"], condition=Q(item=None), name="one_spending_a_span"
            ),
            models.UniqueConstraint(fields=["item"], condition=~Q(item=None), name="one_spending_an_item"),
        ]

    def __str__(self) -> str:
        return f"{self.get_span_display()} {self.starts_on or self.item_id}"


class Reservation(models.Model):
    """Money set aside before one call. Without `settled_at` the call has not answered; it settles at the amount in the end."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="reservations")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, null=True, related_name="reservations")
    reserved_on = models.DateField()  # whose day and month it counts to
    amount = models.DecimalField(**AMOUNT)
    spent = models.DecimalField(**AMOUNT, null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["settled_at", "created_at"], name="reservation_open")]

    def __str__(self) -> str:
        return f"{self.amount}"
