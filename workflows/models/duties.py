"""When somebody did alone what takes two people: kept for good, with the reason, and told by mail."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from workflows.models.definitions import Workflow


class BreakGlass(models.Model):
    """One act against the separation of duties. Written in `workflows.duties` alone; only the mail is added to it."""

    class Act(models.TextChoices):
        ACTIVATE = "activate", "Made a version of their own active"
        OWNER = "owner", "Made themselves the owner"
        SECOND = "second", "Gave the second approval to edits of their own"

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="broken_glass")
    act = models.CharField(max_length=10, choices=Act)
    # None: the command line, where nobody is signed in.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=300)
    what = models.CharField(max_length=200)  # in words: "version 4", "owner: alice, before her: bob"
    at = models.DateTimeField(default=timezone.now)
    tell = models.JSONField(
        default=list
    )  # ids of those to be told: owner and deputy as they were before the act
    told_at = models.DateTimeField(null=True)  # None: not yet
    told = models.JSONField(default=list)  # user names of those who were

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["workflow", "-id"], name="broken_glass")]

    def __str__(self) -> str:
        return f"{self.get_act_display()}: {self.what}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("What was done by breaking the glass is written once and never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("What was done by breaking the glass is never deleted.")
