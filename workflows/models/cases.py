"""Labelled examples, and runs of a version over them."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from workflows.models.definitions import Version, Workflow
from workflows.models.items import Item
from workflows.models.runs import AMOUNT, OUTCOMES, Run


def case_path(source: CaseSource, filename: str) -> str:
    # Beside the sources of items, content-addressed like them: the same bytes are stored once.
    return f"sources/{source.sha256[:2]}/{source.sha256}"


class Case(models.Model):
    """One input and what a careful person would make of it; the values stand in Label."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="cases")
    name = models.CharField(max_length=200)
    expect = models.CharField(
        max_length=10, choices=[("drafted", "A draft"), ("attention", "Attention"), ("skipped", "Skipped")],
        default="drafted",
    )  # fmt: skip
    messy = models.JSONField(default=list, blank=True)  # why it is: ["scan", "reply chain"]; empty: it is not
    held_out = models.BooleanField(default=False)  # nothing may be written from it
    origin = models.CharField(max_length=10)  # yaml, csv, gold, item
    content_hash = models.CharField(max_length=64)  # as of an item with the same content
    active = models.BooleanField(default=True)
    erased_at = models.DateTimeField(null=True, editable=False)  # its content went with that of an item
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["workflow", "name"]
        constraints = [models.UniqueConstraint(fields=["workflow", "name"], name="one_case_a_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def input_hash(self) -> str:
        """Of the content and the day from which words like "next Friday" count: what a stored result stands for."""
        day = timezone.localdate(self.created_at).isoformat()
        return hashlib.sha256(f"{self.content_hash} {day}".encode()).hexdigest()


class CaseSource(models.Model):
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="sources")
    position = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=200, blank=True)  # empty: pasted text
    media_type = models.CharField(max_length=120, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    file = models.FileField(upload_to=case_path, max_length=200)

    class Meta:
        ordering = ["case", "position", "pk"]

    def __str__(self) -> str:
        return self.name or "pasted text"


class Label(models.Model):
    """A value known to be right, of a case or of an item. Never from an edit."""

    class Origin(models.TextChoices):
        GOLD = "gold", "Gold"
        BLIND = "blind", "Blind audit"
        DOUBLE = "double", "Two people"

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="labels")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, related_name="labels")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, null=True, related_name="labels")
    key = models.CharField(max_length=63)
    value = models.JSONField(null=True)
    origin = models.CharField(max_length=10, choices=Origin)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords()  # with its values: what is erased from labels is erased from here

    class Meta:
        ordering = ["workflow", "case", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "key", "origin"], condition=~Q(case=None), name="one_label_a_case"
            ),
            models.CheckConstraint(condition=Q(case=None) ^ Q(item=None), name="label_of_a_case_or_an_item"),
        ]

    def __str__(self) -> str:
        return self.key


class Evaluation(models.Model):
    """A version over its workflow's cases. Waiting without `started_at`, at work without `ended_at`."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="evaluations")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    model = models.CharField(max_length=200, blank=True)  # the one that answered
    total = models.PositiveIntegerField(default=0)  # cases
    done = models.PositiveIntegerField(default=0)
    reused = models.PositiveIntegerField(default=0)  # of them: from a stored run, not asked again
    right = models.PositiveIntegerField(default=0)  # fields
    due = models.PositiveIntegerField(default=0)
    said = models.CharField(max_length=300, blank=True)  # why it ended early
    begun = models.JSONField(
        default=dict, editable=False
    )  # {key of a case: times it was begun}, for what kills a worker
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["ended_at", "id"], name="evaluations_waiting")]

    def __str__(self) -> str:
        return f"evaluation {self.pk} of {self.version}"


class CaseResult(models.Model):
    """One case in one evaluation. An outcome that is not ok has every field wrong and stays in the count."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="results")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="results")
    outcome = models.CharField(max_length=20, choices=OUTCOMES, blank=True)  # empty: there was nothing to ask
    model = models.CharField(max_length=200, blank=True)  # the one that answered
    asked_model = models.CharField(
        max_length=200, blank=True
    )  # the one that was named; empty: none was called
    input_hash = models.CharField(max_length=64)  # of the content and the day its words count from
    reused_run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, related_name="+")
    reused_result = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    values = models.JSONField(null=True)  # drafted
    fields = models.JSONField(default=list)  # [{"key", "drafted", "gold", "right"}]
    right = models.PositiveSmallIntegerField(default=0)
    due = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(**AMOUNT, null=True)
    cpu_seconds = models.FloatField(null=True)
    seconds = models.FloatField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["evaluation", "pk"]
        constraints = [models.UniqueConstraint(fields=["evaluation", "case"], name="one_result_a_case")]
        indexes = [models.Index(fields=["input_hash", "asked_model"], name="result_of_input")]

    def __str__(self) -> str:
        return f"{self.case}: {self.right} of {self.due}"
