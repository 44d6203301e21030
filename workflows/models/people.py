from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models


class GroupFromSignOn(models.Model):
    """A group that single sign-on put a person into, so that it takes away no other."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "group"], name="group_from_sign_on_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.group}"
