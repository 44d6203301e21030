"""The settings of a workflow as a form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.text import slugify
from guardian.models import GroupObjectPermission

from workflows import audit
from workflows.access import Action, may, people_who_may, unended
from workflows.admin.people_field import PersonField
from workflows.duties import MOST_REASON, check_owner, refusal_of_owner
from workflows.models import Workflow
from workflows.people import acting


class WorkflowForm(forms.ModelForm):  # type: ignore[type-arg]
    """Without the stage: `workflows.stages` changes it, for the form as for every other door."""

    class Meta:
        model = Workflow
        fields = (
            "name", "slug", "purpose", "owner", "reviewers", "escalation", "review_due_minutes",
            "escalation_due_minutes", "hold_seconds", "keep_days",
        )  # fmt: skip
        labels = {
            "slug": "Name in addresses",
            "reviewers": "Reviewers’ group",
            "escalation": "Escalations go to",
            "review_due_minutes": "Minutes until a review is due",
            "escalation_due_minutes": "Minutes until an escalation is due",
            "hold_seconds": "Hold, in seconds",
            "keep_days": "Days to keep content",
        }
        help_texts = {
            "slug": "Small letters, digits and hyphens. Empty: made from the name. It cannot be changed later.",
            "purpose": "In one sentence: what it takes in, and what comes out.",
            "reviewers": "What they may do is said under “Who may do what”.",
        }
        widgets = {"purpose": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        workflow: Workflow | None = self.instance if self.instance.pk else None
        if workflow:
            del self.fields["slug"]
        else:
            self.fields["slug"].required = False
        for name in ("reviewers", "escalation"):
            choice: Any = self.fields[name]
            choice.queryset = _groups_for(workflow=workflow, by=by)
            choice.empty_label = "Nobody yet"
        self.fields["owner"] = PersonField(
            queryset=people_around(workflow=workflow, by=by), required=False, label="Owner",
            search=people_address(workflow, "owner"), help_text="User name of somebody who may see its items. Empty: nobody yet.",
        )  # fmt: skip
        if workflow is None:
            self.fields["owner"].initial = by.pk
        elif refusal_of_owner(workflow=workflow, to=by, by=by):
            self.fields["owner_reason"] = forms.CharField(
                label="Why you make yourself the owner", required=False, max_length=MOST_REASON,
                help_text="Only to break the glass: it is kept, shown on this page, and mailed to the owner and the deputy.",
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "slug" in self.fields and not cleaned.get("slug") and "slug" not in self.errors:
            cleaned["slug"] = _free_slug(cleaned.get("name", ""))
            self.instance.slug = cleaned["slug"]
        return cleaned


def save_settings(*, form: WorkflowForm, by: Any) -> None:
    """Its own columns alone: meanwhile another version may have become active, or the stage may be another.

    Raises InvalidInput where somebody else has to name the owner, and nothing was saved.
    """
    with transaction.atomic():
        stored = (
            Workflow.objects.select_for_update(of=("self",)).select_related("owner").get(pk=form.instance.pk)
        )
        to, reason = form.cleaned_data["owner"], form.cleaned_data.get("owner_reason", "")
        glass = check_owner(workflow=stored, to=to, by=by, reason=reason)
        workflow = form.save(commit=False)
        with acting(by=by, why=f"Glass broken: {glass.reason}" if glass else "", on=workflow):
            workflow.save(update_fields=[name for name in form.cleaned_data if name != "owner_reason"])
        if stored.owner_id != workflow.owner_id:
            audit.record(
                kind=audit.Kind.OWNER_CHANGED, by=by, workflow=workflow, person=workflow.owner,
                facts={"before": stored.owner_id, "after": workflow.owner_id, "glass_broken": glass is not None},
            )  # fmt: skip


def people_address(workflow: Workflow | None, role: str) -> str:
    """Where a field asks who may be named in it; without a workflow there is nobody but oneself."""
    if workflow is None:
        return ""
    return f"{reverse('admin:workflows_workflow_people', args=[workflow.pk])}?for={role}"


def _free_slug(name: str) -> str:
    first = slug = slugify(name)[:50] or "workflow"
    number = 2
    while Workflow.objects.filter(slug=slug).exists():
        slug, number = f"{first}-{number}", number + 1
    return slug


def _groups_for(*, workflow: Workflow | None, by: Any) -> QuerySet[Group]:
    """Who makes a workflow or manages its access chooses among all groups; else those that have to do with it."""
    if workflow is None or may(by, Action.ACCESS, workflow):
        return Group.objects.order_by("name")
    granted = unended(
        GroupObjectPermission.objects.filter(object_pk=str(workflow.pk), content_type__model="workflow")
    )
    known = (
        Q(user=by)
        | Q(pk__in=granted.values("group"))
        | Q(pk__in=[workflow.reviewers_id, workflow.escalation_id])
    )
    return Group.objects.filter(known).distinct().order_by("name")


def people_around(*, workflow: Workflow | None, by: Any, also: int | None = None) -> QuerySet[Any]:
    """People who have to do with it: the names of all others are none of its business."""
    known = Q(pk=by.pk) | Q(pk=also)
    if workflow:
        known |= Q(pk__in=people_who_may(action=Action.VIEW, workflow=workflow).values("pk")) | Q(
            pk=workflow.owner_id
        )
    return get_user_model().objects.filter(known).order_by("username")
