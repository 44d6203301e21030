from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from workflows.models.definitions import Workflow


class ApiKey(models.Model):
    """A key of one user for one workflow. Only its hash is kept; the key itself is shown once."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="api_keys")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80, blank=True)
    prefix = models.CharField(max_length=12)  # enough to recognise it by
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.prefix}…"
