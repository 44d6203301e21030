"""Results on their way out, and the register: the destination that is always there."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from workflows.models.decisions import Decision
from workflows.models.definitions import Destination, Workflow
from workflows.models.items import Item


class Delivery(models.Model):
    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"  # on hold, or between two tries
        SENDING = "sending", "Being sent"
        DELIVERED = "delivered", "Delivered"
        UNCERTAIN = "uncertain", "Unknown whether it arrived"
        DEAD = "dead", "Refused"
        CANCELLED = "cancelled", "Cancelled"

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="deliveries")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="deliveries")
    destination = models.ForeignKey(Destination, on_delete=models.PROTECT, related_name="deliveries")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # idempotency, for life
    resend_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="resends"
    )
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    reference = models.CharField(max_length=300, blank=True)  # what the other side calls it
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["lease", "lease_until", "payload"])

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["state", "due_at"], name="delivery_due"),
            models.Index(fields=["state", "lease_until"], name="delivery_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.destination}: {self.get_state_display()}"


class DeliveryAttempt(models.Model):
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    result = models.CharField(
        max_length=10, blank=True
    )  # sent, retry, refused, uncertain; empty: never came back
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["delivery", "pk"]

    def __str__(self) -> str:
        return self.result or "not ended"


class RegisterEntry(models.Model):
    """One accepted result. A correction replaces the values of the same row, with its history."""

    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="register")
    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="register_entry")
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    values = models.JSONField()
    words = models.TextField(
        blank=True, editable=False
    )  # title and values as people read them, for the search
    accepted_at = models.DateTimeField(default=timezone.now)

    history = HistoricalRecords(excluded_fields=["words"])

    class Meta:
        ordering = ["-accepted_at", "-pk"]
        verbose_name_plural = "register entries"
        indexes = [models.Index(fields=["workflow", "accepted_at", "id"], name="register_accepted")]

    def __str__(self) -> str:
        return self.title
