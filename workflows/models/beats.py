from __future__ import annotations

from django.db import models


class Beat(models.Model):
    """A named sign of life, or a named slot that one worker holds until a time."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()
    holder = models.UUIDField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
