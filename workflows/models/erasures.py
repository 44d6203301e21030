"""What was erased, and what may not be."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from workflows.errors import Conflict
from workflows.models.definitions import Workflow
from workflows.models.items import Item


class Erasure(models.Model):
    """The record of one erasure in one workflow. It holds counts and words of ours, and nothing of what was erased."""

    class Kind(models.TextChoices):
        ITEM = "item", "Asked for items"
        PERSON = "person", "Asked for a person’s data"
        RETENTION = "retention", "Kept long enough"

    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="erasures")
    request = models.UUIDField(default=uuid.uuid4, editable=False)  # one for all workflows of one request
    kind = models.CharField(max_length=10, choices=Kind)
    # None: the command line, or the tick.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=300)
    items = models.PositiveIntegerField(default=0)
    erased = models.JSONField(default=dict)  # {"pages of text": 12}
    not_reached = models.JSONField(default=list)  # sentences
    # What is left to do after the rows: names of files that only these items may have held. Emptied when it is done.
    files_left = models.JSONField(default=list)
    ended_at = models.DateTimeField(null=True)
    scrubbed_at = models.DateTimeField(null=True)  # SQLite: its bytes are out of the database file as well

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["workflow", "at", "id"], name="erasure_made"),
            models.Index(fields=["ended_at", "scrubbed_at"], name="erasure_open"),
        ]

    def __str__(self) -> str:
        return f"{self.items} {'item' if self.items == 1 else 'items'} erased"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise Conflict("The record of an erasure stays. Nothing was changed.")


class LegalHold(models.Model):
    """Neither retention nor a request erases what is held. Without an item it holds the whole workflow."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="holds")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, null=True, related_name="holds")
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    released_at = models.DateTimeField(null=True)
    release_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(released_at=None) & ~Q(item=None), name="one_hold_an_item"
            ),
            models.UniqueConstraint(
                fields=["workflow"], condition=Q(released_at=None, item=None), name="one_hold_a_workflow"
            ),
        ]

    def __str__(self) -> str:
        return f"hold on {self.item or self.workflow}"
