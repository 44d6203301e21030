from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from workflows.models.definitions import Workflow


class ApiKey(models.Model):
    """A key of one user for one workflow. Only its hash is kept; the key itself is shown once."""

    class Scope(models.TextChoices):
        """What the key may do of what its user may do there."""

        ALL = "all", "everything its user may do"
        VIEW = "view", "read items"
        SUBMIT = "submit", "submit items"
        SUBMIT_VIEW = "submit,view", "submit and read items"

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="api_keys")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80, blank=True)
    scope = models.CharField("may", max_length=20, choices=Scope.choices, default=Scope.ALL)
    prefix = models.CharField(max_length=12)  # enough to recognise it by
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    # The key that took its place; this one lives on until it expires.
    replaced_by = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="replaces"
    )
    history = HistoricalRecords(excluded_fields=["sha256", "last_used_at"])

    class Meta:
        ordering = ["-pk"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.prefix}…"
