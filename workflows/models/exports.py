"""Who took rows of the register out of the system."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from workflows.errors import Conflict
from workflows.models.definitions import Workflow


class RegisterExport(models.Model):
    """One row for each workflow of an export, written before the first byte leaves. Never changed, never deleted."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="exports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    format = models.CharField(max_length=4, choices=Format)
    filters = models.CharField(max_length=500, blank=True)  # in words
    rows = models.PositiveIntegerField()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["workflow", "at", "id"], name="export_made")]

    def __str__(self) -> str:
        return f"{self.rows} {'row' if self.rows == 1 else 'rows'} as {self.get_format_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Conflict("The record of an export stays as it was written. Nothing was changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise Conflict("The record of an export stays as it was written. Nothing was changed.")
