"""Figures of days that are over, counted beforehand, and the notes of what changed in them since."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from workflows.models import Workflow


class DayFigures(models.Model):
    """Of the items of one workflow that came in on one day: `reviews.reports.cells.Cell`, as JSON. Numbers and keys alone: no
    text of an item or of a person stands here, so erasing an item leaves nothing behind."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    counted_as = models.CharField(max_length=80)  # the shape of the cells, and the clock whose day it is
    cells = models.TextField()
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow", "day"], name="one_set_of_figures_a_day")]

    def __str__(self) -> str:
        return f"figures of {self.day}"


class Recount(models.Model):
    """Something of an item changed that was older than a day: the figures of its day are out of date. Written by triggers
    (reviews.reports.triggers) in the transaction of the change, whoever makes it; no foreign key, as the item may be gone."""

    workflow_id = models.BigIntegerField()
    created_at = models.DateTimeField()  # of the item

    class Meta:
        indexes = [models.Index(fields=["workflow_id", "created_at"], name="recount_day")]

    def __str__(self) -> str:
        return f"recount of {self.created_at}"
