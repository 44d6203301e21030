"""Who gave which permission to whom: kept for good, beside the grants themselves, which say only what holds now."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission

from workflows.models.definitions import Workflow


class GrantEnd(models.Model):
    """When one grant stops to give anything. It hangs on the grant's own row, so it goes with it, and the door joins it by its key.

    Written in `workflows.access` alone; what was said and when stands in `GrantChange`.
    """

    own = models.OneToOneField(
        UserObjectPermission, on_delete=models.CASCADE, null=True, related_name="end", editable=False
    )
    through = models.OneToOneField(
        GroupObjectPermission, on_delete=models.CASCADE, null=True, related_name="end", editable=False
    )
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(own__isnull=True) ^ models.Q(through__isnull=True), name="end_of_one_grant"
            )
        ]

    def __str__(self) -> str:
        return f"ends {self.ends_at}"


class GrantChange(models.Model):
    """One permission given, given another end, or taken away. Written in `workflows.access` alone, and never changed."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="grant_changes")
    # None: the command line.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    group = models.ForeignKey(Group, on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=150)  # a group may be deleted; what it was called stays
    action = models.CharField(max_length=40)
    given = models.BooleanField()
    ends_at = models.DateTimeField(null=True)  # with `given`: until when; None: without an end

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["workflow", "-id"], name="grant_changes")]

    def __str__(self) -> str:
        return f"{self.action} {'given to' if self.given else 'taken from'} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("A change of permissions is written once and never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("A change of permissions is never deleted.")
