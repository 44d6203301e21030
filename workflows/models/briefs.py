"""Is a workflow worth it, may it go live, and what came of it: what people say, beside what is computed."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from workflows.models.definitions import Stage, Workflow

POSITIVE = [MinValueValidator(0)]


class Brief(models.Model):
    """The case for a workflow, in the owner's words and figures. Money is in the installation's currency."""

    class Source(models.TextChoices):
        ENTERED = "entered", "Entered by date"
        MINUTES = "minutes", "Computed: minutes an item"
        UNEDITED = "unedited", "Computed: share accepted without edits, %"
        NEXT_ACTION = "next_action", "Computed: hours from intake to next action (median)"
        COST = "cost", "Computed: cost of an item"

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, related_name="brief")
    task = models.CharField(max_length=300, blank=True)  # in one sentence
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    today = models.TextField(blank=True)  # how it is done without this
    breaks = models.TextField(blank=True)  # where that breaks
    tools = models.TextField(blank=True)  # and records
    per_week_low = models.PositiveIntegerField(null=True, blank=True)  # items
    per_week_high = models.PositiveIntegerField(null=True, blank=True)
    minutes_by_hand = models.DecimalField(
        max_digits=7, decimal_places=2, null=True, blank=True, validators=POSITIVE
    )  # stated; timed ones count for more
    timed = models.JSONField(default=list, blank=True)  # [{"what": "VB-2044", "minutes": "9.5"}]
    hour_cost = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, validators=POSITIVE
    )
    when_late = models.TextField(blank=True)
    when_wrong = models.TextField(blank=True)
    stays_human = models.TextField(blank=True)
    next_step = models.TextField(blank=True)  # after the AI
    metric_name = models.CharField(max_length=120, blank=True)
    metric_unit = models.CharField(max_length=30, blank=True)
    metric_baseline = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    metric_target = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    metric_source = models.CharField(max_length=12, choices=Source, default=Source.ENTERED)
    instructions = models.TextField(blank=True)  # for the people who review
    follow_up_on = models.DateField(null=True, blank=True)
    access_reviewed_at = models.DateTimeField(null=True, editable=False)  # somebody looked through the matrix
    access_reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    history = HistoricalRecords()

    def __str__(self) -> str:
        return f"brief of {self.workflow}"


class MetricActual(models.Model):
    """What the success metric really was on a day, where nothing computes it."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="actuals")
    day = models.DateField()
    value = models.DecimalField(max_digits=12, decimal_places=3)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["workflow", "-day"]
        constraints = [models.UniqueConstraint(fields=["workflow", "day"], name="one_actual_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.value}"


class Launch(models.Model):
    """A workflow went live: what its checklist said at that moment, and the reason where not all of it was met. Never changed."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="launches")
    from_stage = models.CharField(max_length=10, choices=Stage)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    way = models.CharField(max_length=20)  # admin, api, command, import
    checks = models.JSONField(default=list)  # [{"key", "title", "met", "evidence", "to_do"}]
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["workflow", "-pk"]

    def __str__(self) -> str:
        return f"{self.workflow} went live"


class FollowUp(models.Model):
    """The look back that was promised at the launch, with what was found. Never changed."""

    class Decision(models.TextChoices):
        KEEP = "keep", "Keep it as it is"
        CHANGE = "change", "Change it"
        STOP = "stop", "Stop it"

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="follow_ups")
    due_on = models.DateField()
    findings = models.TextField()
    decision = models.CharField(max_length=10, choices=Decision)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["workflow", "-pk"]

    def __str__(self) -> str:
        return f"follow-up of {self.due_on}"
