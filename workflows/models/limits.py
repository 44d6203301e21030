from __future__ import annotations

from django.db import models


class Tally(models.Model):
    """How often something happened until an end: calls with a key, failures to sign in. For all processes together."""

    name = models.CharField(max_length=120, unique=True)
    count = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.count}"
