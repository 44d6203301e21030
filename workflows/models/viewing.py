"""Who looked at the screens as somebody else: kept for good."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from workflows.models.definitions import Workflow


class ViewAs(models.Model):
    """One look through another person's eyes. Written in `workflows.viewing` alone; only its end is added."""

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="viewings"
    )  # where it was begun
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()  # at the latest
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["workflow", "-id"], name="viewings")]

    def __str__(self) -> str:
        return f"{self.by} as {self.person}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("A look as somebody else is written once; only its end is added.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("A look as somebody else is never deleted.")
