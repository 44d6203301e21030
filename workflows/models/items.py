"""An item and what it is made of."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from workflows import states
from workflows.models.definitions import Version, Workflow

BACKLOG, SUBMITTED = 0, 10  # what a person submits comes before the backlog
MAX_ATTEMPTS = 6  # leases of one item without an outcome


class Item(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="items")
    version = models.ForeignKey(
        Version, on_delete=models.PROTECT, null=True, blank=True, related_name="items"
    )
    title = models.CharField(max_length=200)
    state = models.CharField(
        max_length=10, choices=states.CHOICES, default=states.State.RECEIVED, editable=False
    )
    state_since = models.DateTimeField(default=timezone.now, editable=False)
    priority = models.SmallIntegerField(default=SUBMITTED)
    channel = models.CharField(max_length=20, default="admin")  # admin, api, command, demo
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    external_id = models.CharField(max_length=200, blank=True)
    origin = models.ForeignKey(  # the item this one was moved or split from
        "self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="offshoots"
    )
    content_hash = models.CharField(max_length=64, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    values = models.JSONField(
        null=True, blank=True
    )  # current values; what a decision fixed stands in Decision
    route = models.JSONField(null=True, blank=True)  # workflows.routing.Route of the newest draft
    signal = models.FloatField(null=True, blank=True)  # of the weakest required field
    problem = models.JSONField(
        null=True, blank=True
    )  # attention: {"happened", "kept", "next_step", "outcome"}
    note = models.TextField(blank=True)  # what a reviewer told the next draft
    due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    revision = models.PositiveIntegerField(
        default=0, editable=False
    )  # one more at each change of state or values

    # The content is gone; what is left counts in reports.
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    erasure = models.ForeignKey(
        "Erasure", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="husks"
    )

    # The lease. These columns are written by update() alone and stand in no history.
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    not_before = models.DateTimeField(
        null=True, blank=True, editable=False
    )  # the model was away: wait until then
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)  # leases without an outcome
    calls = models.PositiveSmallIntegerField(
        default=0, editable=False
    )  # model calls begun for the current draft

    history = HistoricalRecords(
        excluded_fields=[
            "lease",
            "lease_until",
            "not_before",
            "attempts",
            "calls",
            "updated_at",
            "metadata",
            "content_hash",
        ]
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["created_at", "id"], name="item_created"),
            models.Index(fields=["workflow", "created_at", "id"], name="item_workflow_created"),
            models.Index(fields=["workflow", "state", "created_at", "id"], name="item_workflow_state"),
            models.Index(fields=["workflow", "updated_at", "id"], name="item_workflow_updated"),
            models.Index(fields=["state", "-priority", "created_at", "id"], name="item_to_lease"),
            models.Index(fields=["workflow", "content_hash"], name="item_content"),
            # What was kept long enough.
            models.Index(
                fields=["workflow", "state_since"], condition=models.Q(erased_at=None), name="item_kept"
            ),
            # What reports count, without a look at the rows: those carry whole drafts.
            models.Index(
                fields=[
                    "workflow",
                    "created_at",
                    "state",
                    "version",
                    "channel",
                    "state_since",
                    "submitted_by",
                ],
                name="item_report",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "external_id"],
                condition=~models.Q(external_id=""),
                name="one_external_id",
            )
        ]

    def __str__(self) -> str:
        return self.title


def stored_path(source: Source, filename: str) -> str:
    # Content-addressed and nameless: a file's own name never becomes a path.
    return f"sources/{source.sha256[:2]}/{source.sha256}"


class Source(models.Model):
    class Kind(models.TextChoices):
        TEXT = "text", "Pasted text"
        FILE = "file", "File"
        ATTACHMENT = "attachment", "Attachment"

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="sources")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=200, blank=True)
    media_type = models.CharField(max_length=120, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    file = models.FileField(upload_to=stored_path, max_length=200)
    read_at = models.DateTimeField(null=True, blank=True)
    reading = models.JSONField(
        default=dict, blank=True
    )  # {"kind", "title", "sent_at", "newest_end", "notes"}
    unreadable = models.JSONField(null=True, blank=True)  # {"reason", "message", "next_step"}

    class Meta:
        ordering = ["item", "position", "pk"]

    def __str__(self) -> str:
        return self.name or self.get_kind_display()


class Page(models.Model):
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="pages")
    number = models.PositiveSmallIntegerField()
    text = models.TextField()
    width = models.FloatField(null=True)
    height = models.FloatField(null=True)
    pieces = models.JSONField(
        default=list
    )  # [[start, end, x0, y0, x1, y1, confidence or null], ...], fractions
    method = models.CharField(max_length=4)  # text, ocr

    class Meta:
        ordering = ["source", "number"]
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="one_page_per_number")]

    def __str__(self) -> str:
        return f"page {self.number}"


class IdempotencyKey(models.Model):
    """One caller's promise that a request is the same one; kept with what it made."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "user", "key"], name="one_use_of_an_idempotency_key")
        ]

    def __str__(self) -> str:
        return self.key
