"""The only door to rows: which of them may this user see, and may this user do this to that one.

Permissions are granted on a workflow, to people or to groups, and decide everything below it. Every list, count,
filter, export, page and API call starts from `visible()`, and every act from `may()`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from guardian.models import GroupObjectPermission, UserObjectPermission
from guardian.shortcuts import assign_perm

from workflows.models import Workflow

User = AbstractBaseUser | AnonymousUser


class Action(StrEnum):
    VIEW = "view_workflow"
    SUBMIT = "submit_item"
    REVIEW = "review_item"
    DECIDE_SENSITIVE = "decide_sensitive"
    HANDLE_ESCALATION = "handle_escalation"
    MANAGE = "manage_workflow"
    REPORTS = "view_reports"
    EXPORT = "export_items"
    MODEL_LOGS = "view_model_logs"
    ACCESS = "manage_access"


# How each model reaches its workflow. A model that is not here has no visible rows.
PATHS: dict[str, str] = {
    "workflows.workflow": "pk",
    "workflows.version": "workflow",
    "workflows.field": "version__workflow",
    "workflows.rule": "version__workflow",
    "workflows.destination": "workflow",
    "workflows.item": "workflow",
    "workflows.source": "item__workflow",
    "workflows.page": "source__item__workflow",
    "workflows.run": "item__workflow",
    "workflows.fieldresult": "run__item__workflow",
    "workflows.decision": "item__workflow",
    "workflows.delivery": "item__workflow",
    "workflows.deliveryattempt": "delivery__item__workflow",
    "workflows.registerentry": "workflow",
    "workflows.apikey": "workflow",
    "reviews.review": "workflow",
}

# What seeing a row takes where it is more than seeing its workflow.
VIEWING: dict[str, Action] = {
    "workflows.run": Action.MODEL_LOGS,
    "workflows.fieldresult": Action.VIEW,
    "workflows.apikey": Action.ACCESS,
}


def workflow_ids(*, user: User, action: Action) -> set[int] | None:
    """The ids of the workflows on which this user holds the permission; None means all of them.

    Asked once per user object and action: a page asks many times.
    """
    if not user.is_authenticated or not user.is_active:
        return set()
    if getattr(user, "is_superuser", False):
        return None
    asked: dict[Action, set[int]] = user.__dict__.setdefault("_workflow_ids", {})
    if action not in asked:
        asked[action] = _granted(user=user, action=action)
    return asked[action]


def _granted(*, user: User, action: Action) -> set[int]:
    kind = ContentType.objects.get_for_model(Workflow)
    own = UserObjectPermission.objects.filter(
        user_id=user.pk, permission__codename=action.value, permission__content_type=kind
    ).values_list("object_pk")
    through_groups = GroupObjectPermission.objects.filter(
        group__user=user.pk, permission__codename=action.value, permission__content_type=kind
    ).values_list("object_pk")
    return {int(pk) for (pk,) in own.union(through_groups)}


def forget(user: User) -> None:
    """Drop what `workflow_ids` remembered, after grants of this very user object changed."""
    user.__dict__.pop("_workflow_ids", None)


def visible[M: Model](user: User, queryset: QuerySet[M], action: Action = Action.VIEW) -> QuerySet[M]:
    """The rows of the queryset that this user may see, or on whose workflow they may do `action`.

    An action never widens what may be seen: rows need `view_workflow` as well.
    """
    name = queryset.model._meta.label_lower
    path = PATHS.get(name)
    if path is None:
        return queryset.none()
    for needed in {Action.VIEW, VIEWING.get(name, Action.VIEW), action}:
        ids = workflow_ids(user=user, action=needed)
        if ids is not None:
            queryset = queryset.filter(**{f"{path}__in": ids})
    return queryset


def may(user: User, action: Action, row: Model | None = None) -> bool:
    """May this user do this to this row; without a row, to any at all."""
    needed = {Action.VIEW, action}
    if row is None:
        return all(
            ids is None or bool(ids) for ids in (workflow_ids(user=user, action=one) for one in needed)
        )
    name = row._meta.label_lower
    if name not in PATHS:
        return False
    needed.add(VIEWING.get(name, Action.VIEW))
    pk = _workflow_pk(row)
    return all(ids is None or pk in ids for ids in (workflow_ids(user=user, action=one) for one in needed))


def _workflow_pk(row: Model) -> int:
    value: Any = row
    path = PATHS[row._meta.label_lower]
    *through, last = path.split("__")
    for step in through:
        value = getattr(value, step)
    return int(value.pk if last == "pk" else getattr(value, f"{last}_id"))


def people_who_may(*, action: Action, workflow: Workflow) -> QuerySet[Any]:
    """Active users who hold the permission on this workflow, by themselves or through a group."""
    kind = ContentType.objects.get_for_model(Workflow)
    permission = Permission.objects.filter(codename=action.value, content_type=kind)
    grants = {"permission__in": permission, "object_pk": str(workflow.pk)}
    people = UserObjectPermission.objects.filter(**grants).values("user")
    groups = GroupObjectPermission.objects.filter(**grants).values("group")
    return (
        get_user_model()
        .objects.filter(Q(pk__in=people) | Q(groups__in=groups), is_active=True)
        .distinct()
        .order_by("pk")
    )


def grant(*, action: Action, workflow: Workflow, to: AbstractBaseUser | Group) -> None:
    assign_perm(f"workflows.{action.value}", to, workflow)
    if isinstance(to, AbstractBaseUser):
        forget(to)
