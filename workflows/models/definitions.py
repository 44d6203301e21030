"""What a workflow is: its people, its versions, and what a version asks for."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone
from simple_history.models import HistoricalRecords

from integrations.llm.profiles import Profile
from workflows.drafting.fields import FieldSpec, Kind
from workflows.errors import Conflict


class VersionUsed(Conflict):
    """Items were drafted with the version, so neither it nor its fields and rules may change any more."""

    def __init__(self, *, number: int) -> None:
        super().__init__(
            f"Version {number} was used already, so it stays as it is. Nothing was changed. "
            "Make a new version with the change in it."
        )


def _refuse_if_used(*, version_id: int | None) -> None:
    """Holds the version's row, so that no worker begins to use it before the caller's change is committed.

    `QuerySet.update()` and `bulk_*` do not come through here; only marking a version as used may do without.
    """
    version = (
        Version.objects.select_for_update().filter(pk__in=[version_id]).only("number", "used_at").first()
    )
    if version is not None and version.used_at is not None:
        raise VersionUsed(number=version.number)


class PartOfVersion(models.Model):
    """Saved and deleted only while the version was not used."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            _refuse_if_used(version_id=self._version_pk())
            if self.pk and (before := type(self)._default_manager.filter(pk=self.pk).first()) is not None:
                _refuse_if_used(version_id=before._version_pk())  # moved from another version
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            _refuse_if_used(version_id=self._version_pk())
            return super().delete(*args, **kwargs)

    def _version_pk(self) -> int | None:
        return self.pk if isinstance(self, Version) else self.version_id  # type: ignore[attr-defined]


class Stage(models.TextChoices):
    SETUP = "setup", "Being set up"
    TRIAL = "trial", "On trial"
    LIVE = "live", "Live"
    PAUSED = "paused", "Paused"
    RETIRED = "retired", "Retired"


REGISTER = "register"  # the destination that is always there: part of this installation, with no other side
TAKES_WORK = frozenset({Stage.TRIAL, Stage.LIVE})


class Workflow(models.Model):
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    purpose = models.CharField(max_length=300, blank=True)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.SETUP)
    stage_reason = models.CharField(max_length=300, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_workflows",
    )
    reviewers = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    escalation = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    version = models.ForeignKey(
        "Version",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="active version",
    )
    review_due_minutes = models.PositiveIntegerField(default=240)
    escalation_due_minutes = models.PositiveIntegerField(default=1440)
    hold_seconds = models.PositiveIntegerField(
        default=600, help_text="How long an approved result waits before it is handed over."
    )
    keep_days = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text="How many days the content of an item is kept after it came to rest. Empty: for ever.",
    )  # fmt: skip
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        permissions = [
            ("submit_item", "Submit items"),
            ("review_item", "Review items"),
            ("decide_sensitive", "Decide items with sensitive fields"),
            ("handle_escalation", "Answer escalations"),
            ("manage_workflow", "Manage the workflow"),
            ("view_reports", "See reports"),
            ("export_items", "Export items"),
            ("view_model_logs", "See prompts and raw answers"),
            ("manage_access", "Manage who may do what"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def takes_work(self) -> bool:
        return self.stage in TAKES_WORK and self.version_id is not None


class Version(PartOfVersion):
    """A snapshot of everything that changes drafts or routes. Immutable once an item used it."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    instructions = models.TextField(blank=True)
    examples = models.JSONField(default=list, blank=True)  # [{"source": text, "values": {key: as written}}]
    review_bar = models.DecimalField(max_digits=3, decimal_places=2, default="0.90")
    profile = models.JSONField(
        default=dict, blank=True
    )  # integrations.llm.profiles.Profile; empty: the deployment's
    max_calls = models.PositiveSmallIntegerField(
        default=6, help_text="Calls of the model that one draft may take."
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["workflow", "-number"]
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="one_version_per_number")]

    def __str__(self) -> str:
        return f"version {self.number}"

    def specs(self) -> tuple[FieldSpec, ...]:
        return tuple(field.spec() for field in self.fields.all())

    def model_profile(self) -> Profile:
        return Profile.model_validate(self.profile or {})


class Field(PartOfVersion):
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="fields")
    position = models.PositiveSmallIntegerField(default=0)
    key = models.CharField(max_length=63)
    label = models.CharField(max_length=80)
    kind = models.CharField(
        max_length=10, choices=[(kind.value, kind.value.replace("_", " ")) for kind in Kind]
    )
    hint = models.CharField(max_length=400, blank=True)
    required = models.BooleanField(default=False)
    sensitive = models.BooleanField(default=False)
    needs_evidence = models.BooleanField(default=True)
    choices = models.JSONField(default=list, blank=True)
    minimum = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    maximum = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    max_length = models.PositiveIntegerField(null=True, blank=True)
    columns = models.JSONField(default=list, blank=True)  # of a list of rows: specs of its cells

    history = HistoricalRecords()

    class Meta:
        ordering = ["version", "position", "pk"]
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="one_field_per_key")]

    def __str__(self) -> str:
        return self.label

    def spec(self) -> FieldSpec:
        columns: list[Any] = self.columns
        return FieldSpec(
            key=self.key,
            label=self.label,
            kind=Kind(self.kind),
            hint=self.hint,
            required=self.required,
            sensitive=self.sensitive,
            needs_evidence=self.needs_evidence,
            choices=self.choices,
            minimum=self.minimum,
            maximum=self.maximum,
            max_length=self.max_length,
            columns=tuple(FieldSpec.model_validate(column) for column in columns),
        )


class Operator(models.TextChoices):
    ALWAYS = "always", "always"
    EQUALS = "equals", "is"
    DIFFERS = "differs", "is not"
    IS_EMPTY = "is_empty", "is empty"
    IS_SET = "is_set", "is filled"
    ABOVE = "above", "is above"
    BELOW = "below", "is below"
    CONTAINS = "contains", "contains"
    ONE_OF = "one_of", "is one of"
    MATCHES = "matches", "matches the pattern"


class Rule(PartOfVersion):
    """Field, operator, value -> a person must look, with the reason they will read."""

    class Action(models.TextChoices):
        REVIEW = "review", "Send to review"
        ESCALATE = "escalate", "Escalate"

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField(default=0)
    field = models.CharField(max_length=63, blank=True, help_text="The key of the field; empty for “always”.")
    operator = models.CharField(max_length=10, choices=Operator)
    value = models.JSONField(null=True, blank=True)
    action = models.CharField(max_length=10, choices=Action, default=Action.REVIEW)
    reason = models.CharField(max_length=120)

    history = HistoricalRecords()

    class Meta:
        ordering = ["version", "position", "pk"]

    def __str__(self) -> str:
        return self.reason


class Destination(models.Model):
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="destinations")
    kind = models.CharField(max_length=20)  # a folder of integrations/connectors
    name = models.CharField(max_length=80)
    config = models.JSONField(default=dict, blank=True)  # never a secret: names the variable that holds one
    active = models.BooleanField(default=True)
    # The last test that arrived; emptied when the settings change.
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["workflow", "pk"]

    def __str__(self) -> str:
        return self.name

    def configure(self, config: dict[str, Any]) -> None:
        """The one way to other settings: what was tested with the old ones is not tested any more."""
        if config != self.config:
            self.tested_at = None
        self.config = config
