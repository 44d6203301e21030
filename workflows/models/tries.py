"""A version tried on a pasted text, by one person, for that person to see."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from workflows.models.definitions import Version
from workflows.models.runs import AMOUNT, OUTCOMES


class Try(models.Model):
    """No item, no run and no source: what was spent stays, the text and what came of it are cleared at the next try."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="tries")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(blank=True)
    outcome = models.CharField(max_length=20, choices=OUTCOMES, blank=True)
    result = models.JSONField(
        null=True
    )  # {"fields": [...], "target", "reasons"}, as workflows.trying tells it
    said = models.TextField(blank=True)  # in words, when there is no result
    model = models.CharField(max_length=200, blank=True)
    calls = models.PositiveSmallIntegerField(default=0)
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(**AMOUNT, null=True)  # null: no price is known
    seconds = models.FloatField(null=True)
    asked_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "tries"
        constraints = [
            # Two tabs cannot both begin one.
            models.UniqueConstraint(fields=["by"], condition=Q(ended_at=None), name="one_try_at_a_time")
        ]
        indexes = [models.Index(fields=["ended_at", "id"], name="tries_waiting")]

    def __str__(self) -> str:
        return f"try {self.pk}"
