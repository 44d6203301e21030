"""Workflows, their versions and where their results go."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, Max, Model, Q
from django.http import HttpRequest
from django.utils.html import format_html_join
from guardian.models import GroupObjectPermission
from pydantic import ValidationError as PydanticError
from unfold.widgets import UnfoldAdminSelectWidget

from integrations.connectors.base import connector, kinds, parse_config
from integrations.llm.profiles import Profile
from workflows.access import Action, forget, grant, people_who_may
from workflows.admin.base import ScopedAdmin, ScopedInline, label
from workflows.admin.filters import WorkflowFilter
from workflows.admin.telling import as_text, told_value, told_values
from workflows.models import Destination, Field, Rule, Stage, Version, Workflow
from workflows.outbox import REGISTER


class WorkflowForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        labels = {
            "slug": "Name in addresses",
            "stage_reason": "Why it is at this stage",
            "reviewers": "Reviewers' group",
            "escalation": "Escalations go to",
            "review_due_minutes": "Minutes until a review is due",
            "escalation_due_minutes": "Minutes until an escalation is due",
            "hold_seconds": "Hold, in seconds",
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("stage") == Stage.LIVE and not cleaned.get("stage_reason"):
            self.add_error("stage_reason", "Say who opens it and why, in a few words.")
        return cleaned


@admin.register(Workflow)
class WorkflowAdmin(ScopedAdmin):
    form = WorkflowForm
    change_action = Action.MANAGE
    list_display = ("name", "purpose", "stage", "owner", "version")
    list_select_related = ("owner", "version")
    list_filter = ("stage",)
    search_fields = ("name", "slug")
    fields = (
        "name", "slug", "purpose", "stage", "stage_reason", "owner", "reviewers", "escalation", "version",
        "review_due_minutes", "escalation_due_minutes", "hold_seconds",
    )  # fmt: skip

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or self.has_add_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        # The one model permission that counts: there is no workflow yet on which to hold another.
        return bool(request.user.has_perm("workflows.add_workflow"))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("slug",) if obj else ("version",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        request._workflow = obj  # type: ignore[attr-defined]
        return super().get_form(request, obj, change=change, **kwargs)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """People and groups who already have to do with this workflow: the names of all others are none of its business."""
        workflow: Workflow | None = getattr(request, "_workflow", None)
        if db_field.name == "version":
            kwargs["queryset"] = (
                Version.objects.filter(workflow=workflow) if workflow else Version.objects.none()
            )
            return super(ScopedAdmin, self).formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "owner":
            known = Q(pk=request.user.pk)
            if workflow:
                known |= Q(pk__in=people_who_may(action=Action.VIEW, workflow=workflow).values("pk")) | Q(
                    pk=workflow.owner_id
                )
            kwargs["queryset"] = get_user_model().objects.filter(known)
        if db_field.name in ("reviewers", "escalation"):
            known = Q(user=request.user)
            if workflow:
                granted = GroupObjectPermission.objects.filter(
                    object_pk=str(workflow.pk), content_type__model="workflow"
                )
                known |= Q(pk__in=granted.values("group")) | Q(
                    pk__in=[workflow.reviewers_id, workflow.escalation_id]
                )
            kwargs["queryset"] = Group.objects.filter(known).distinct()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Workflow, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            for action in (Action.VIEW, Action.MANAGE, Action.ACCESS):
                grant(action=action, workflow=obj, to=request.user)  # type: ignore[arg-type]
            forget(request.user)


class FieldForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                self.instance.__class__(
                    **{k: v for k, v in cleaned.items() if k not in ("id", "version", "DELETE")}
                ).spec()
            except PydanticError as error:
                said = [
                    str(each.get("ctx", {}).get("error") or each["msg"])
                    for each in error.errors(include_url=False)
                ]
                raise ValidationError(said) from None
        return cleaned


class FieldInline(ScopedInline):
    model = Field
    show_title = False
    told = (
        "position",
        "label",
        "kind",
        "hint",
        "required",
        "sensitive",
        "needs_evidence",
        "choices_told",
        "bounds_told",
    )
    form = FieldForm
    fields = (
        "position", "key", "label", "kind", "hint", "required", "sensitive", "needs_evidence", "choices", "minimum", "maximum",
        "max_length", "columns",
    )  # fmt: skip

    @label("choices or columns")
    def choices_told(self, field: Field) -> str:
        named = [one.label or one.key.replace("_", " ") for one in field.spec().choices]
        return ", ".join(named or [column.label for column in field.spec().columns]) or "–"

    @label("bounds")
    def bounds_told(self, field: Field) -> str:
        bounds = (
            ("from", None if field.minimum is None else f"{field.minimum.normalize():f}"),
            ("to", None if field.maximum is None else f"{field.maximum.normalize():f}"),
            ("at most", field.max_length and f"{field.max_length} characters"),
        )
        return ", ".join(f"{word} {bound}" for word, bound in bounds if bound) or "–"


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_reason(self) -> str:
        reason = str(self.cleaned_data["reason"])
        if "_" in reason:
            raise ValidationError("A reason is read by people. Write it without underscores.")
        return reason


class RuleInline(ScopedInline):
    model = Rule
    form = RuleForm
    show_title = False
    fields = ("position", "field", "operator", "value", "action", "reason")
    told = ("position", "field_told", "operator", "value_told", "action", "reason")

    @label("field")
    def field_told(self, rule: Rule) -> str:
        return next((one.label for one in rule.version.fields.all() if one.key == rule.field), "–")

    @label("value")
    def value_told(self, rule: Rule) -> str:
        field = next((one for one in rule.version.fields.all() if one.key == rule.field), None)
        return told_value(value=rule.value, spec=field.spec() if field else None)


class VersionForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        labels = {"profile": "Model profile", "max_calls": "Most calls of the model"}
        help_texts = {"review_bar": "A field whose signal is below it is to be checked."}

    def clean_profile(self) -> dict[str, Any]:
        try:
            Profile.model_validate(self.cleaned_data["profile"] or {})
        except PydanticError as error:
            raise ValidationError(
                [
                    f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
                    for each in error.errors(include_url=False)
                ]
            ) from None
        return self.cleaned_data["profile"] or {}


TO_READ = ("workflow", "instructions", "examples_told", "review_bar", "profile_told", "max_calls")


@admin.register(Version)
class VersionAdmin(ScopedAdmin):
    """Read-only once an item used it. A change is a new version."""

    form = VersionForm
    change_action = Action.MANAGE
    add_action = Action.MANAGE
    list_display = ("__str__", "workflow", "author", "used_at", "created_at")
    list_select_related = ("workflow", "author")
    list_filter = (WorkflowFilter,)
    deferred = ("instructions", "examples", "profile")
    fields = ("workflow", "instructions", "examples", "review_bar", "profile", "max_calls")
    inlines = (FieldInline, RuleInline)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.used_at is None)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is None or self.has_change_permission(request, obj) else TO_READ

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("workflow", "examples_told", "profile_told") if obj else ()

    @label("examples")
    def examples_told(self, version: Version) -> str:
        specs = version.specs()
        drawn = (
            (one.get("source", ""), told_values(values=one.get("values"), specs=specs))
            for one in version.examples or []
        )
        return format_html_join("", '<pre class="cs-pre">{}</pre>{}<br>', drawn) or "None"

    @label("model profile")
    def profile_told(self, version: Version) -> str:
        return as_text(version.profile) if version.profile else "The one of this installation"

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> Any:
        inlines = super().get_inline_instances(request, obj)
        if obj is not None and not self.has_change_permission(request, obj):
            for inline in inlines:
                inline.max_num, inline.can_delete = 0, False
                inline.fields = inline.readonly_fields = inline.told
                inline.has_add_permission = inline.has_change_permission = inline.has_delete_permission = (
                    _never
                )
        return inlines

    def save_model(self, request: HttpRequest, obj: Version, form: Any, change: bool) -> None:
        if not change:
            last = Version.objects.filter(workflow=obj.workflow_id).aggregate(last=Max("number"))["last"]
            obj.number, obj.author = (last or 0) + 1, request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)


def _never(request: HttpRequest, obj: Any = None) -> bool:
    return False


class DestinationForm(forms.ModelForm):  # type: ignore[type-arg]
    kind = forms.ChoiceField(
        choices=lambda: [(kind, kind_told(kind)) for kind in (REGISTER, *kinds())],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        labels = {"config": "Settings"}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind, config = cleaned.get("kind"), cleaned.get("config") or {}
        if kind == REGISTER and config:
            self.add_error("config", "The register has no settings.")
        elif kind and kind != REGISTER and isinstance(config, dict):
            try:
                parse_config(kind=kind, config=config)
            except ValueError as error:
                self.add_error("config", str(error))
        elif not isinstance(config, dict):
            self.add_error("config", 'The settings are a JSON object, like {"url": "…"}.')
        return cleaned


@admin.register(Destination)
class DestinationAdmin(ScopedAdmin):
    form = DestinationForm
    change_action = Action.MANAGE
    add_action = Action.MANAGE
    list_display = ("name", "kind_told", "workflow", "active")
    list_select_related = ("workflow",)
    list_filter = (WorkflowFilter, "active")
    fields = ("workflow", "kind", "name", "config", "active")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return self.fields
        # The address of a webhook may be a secret in itself: only those who manage it read its settings.
        return ("workflow", "kind_told", "name", "leads_to", "active")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("workflow", "kind_told", "leads_to") if obj else ()

    @label("kind", order="kind")
    def kind_told(self, destination: Destination) -> str:
        return kind_told(destination.kind)

    @label("leads to")
    def leads_to(self, destination: Destination) -> str:
        if destination.kind == REGISTER:
            return "The register, here"
        try:
            config = parse_config(kind=destination.kind, config=destination.config)
        except ValueError:
            return "Its settings cannot be read. Ask whoever manages the workflow."
        return connector(destination.kind).describe(config)


def kind_told(kind: str) -> str:
    if kind == REGISTER:
        return "Register"
    return connector(kind).label if kind in kinds() else kind
