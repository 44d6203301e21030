"""The tamper-evident log: a chain of events, and beside it what in them is personal and may have to be erased.

Events have no foreign keys, so that nothing that happens to other tables touches them; the database itself refuses to
change or delete one (workflows/audit/triggers.py).
"""

from __future__ import annotations

from django.db import models


class AuditEvent(models.Model):
    """One thing that happened. Written by `workflows.audit.record` alone."""

    sequence = models.BigIntegerField(primary_key=True)  # from 1, without a gap
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    actor_id = models.BigIntegerField(null=True)  # null: the command line, or nobody who signed in
    actor = models.CharField(max_length=150, blank=True)  # the user name as it was
    workflow_id = models.BigIntegerField(null=True)
    workflow_slug = models.CharField(max_length=60, blank=True)
    item = models.UUIDField(null=True)  # its public id
    facts = models.JSONField(default=dict)  # nothing personal: states, keys of fields, ids, counts
    content_digest = models.CharField(max_length=64, blank=True)  # of AuditContent, with its salt
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["workflow_id", "-sequence"], name="audit_workflow"),
            models.Index(fields=["item", "-sequence"], name="audit_item"),
            models.Index(fields=["actor_id", "-sequence"], name="audit_actor"),
            models.Index(fields=["kind", "-sequence"], name="audit_kind"),
        ]

    def __str__(self) -> str:
        return f"event {self.sequence}: {self.kind}"


class AuditContent(models.Model):
    """What in an event is personal: values before and after, reasons that people typed, names. Erased by deleting the row:
    without its salt the digest in the event says nothing, and the chain verifies all the same."""

    event_sequence = models.BigIntegerField(primary_key=True)
    item_id = models.BigIntegerField(null=True, db_index=True)
    person_id = models.BigIntegerField(null=True, db_index=True)  # who it tells of, or who typed it
    salt = models.CharField(max_length=64)
    body = models.JSONField()

    class Meta:
        ordering = ["event_sequence"]

    def __str__(self) -> str:
        return f"content of event {self.event_sequence}"


class AuditHead(models.Model):
    """One row: the end of the chain. Whoever writes events holds it to the end of the transaction."""

    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"head at {self.sequence}"


class AuditCheck(models.Model):
    """What a scheduled verification found last: `whole` from the first event, `recent` from where the one before ended,
    `anchor` for the last line that was written outside the database."""

    name = models.CharField(max_length=10, unique=True)
    at = models.DateTimeField()
    sequence = models.BigIntegerField(default=0)  # verified, or anchored, up to here
    hash = models.CharField(max_length=64, blank=True)
    broken_at = models.BigIntegerField(null=True)
    words = models.TextField(blank=True)
    told_at = models.DateTimeField(null=True)  # superusers, by mail

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"
