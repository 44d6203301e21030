"""What the model was asked, what it said, and what we made of it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from integrations.llm.outcomes import Outcome
from workflows.models.definitions import Version
from workflows.models.items import Item

# Twelve digits before the point: the largest budget and more, in a currency of which it takes thousands for a dollar.
AMOUNT: dict[str, Any] = {"max_digits": 20, "decimal_places": 8}
OUTCOMES = [(outcome.value, outcome.value.replace("_", " ")) for outcome in Outcome]


class Run(models.Model):
    """One attempt of the AI step on an item. A run without an outcome has not ended, or its worker died."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="runs")
    outcome = models.CharField(max_length=20, choices=OUTCOMES, blank=True)
    model = models.CharField(max_length=200, blank=True)  # the one that really answered
    profile = models.CharField(max_length=80, blank=True)
    prompt = models.JSONField(default=list)
    raw_text = models.TextField(blank=True)
    draft = models.JSONField(null=True)  # workflows.drafting.draft.Draft, immutable
    calls = models.JSONField(default=list)  # each HTTP request with its own outcome and raw text
    error = models.TextField(blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(**AMOUNT, null=True)  # null: no price is known
    cpu_seconds = models.FloatField(null=True)  # of the embedded model
    seconds = models.FloatField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["item", "-pk"]
        indexes = [
            # What runs cost, without a look at the rows: those carry whole prompts and answers.
            models.Index(fields=["item", "outcome", "model", "cost", "cpu_seconds"], name="run_cost"),
            models.Index(fields=["started_at", "item", "cost"], name="run_month"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}: {self.get_outcome_display() or 'not ended'}"


class FieldResult(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="results")
    key = models.CharField(max_length=63)
    value = models.JSONField(null=True)
    evidence = models.JSONField(null=True)
    signal = models.FloatField(null=True)
    probability = models.FloatField(null=True)  # only after calibration on labels
    flags = models.JSONField(default=list)

    class Meta:
        ordering = ["run", "pk"]
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="one_result_per_field")]

    def __str__(self) -> str:
        return self.key
