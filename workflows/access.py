"""The only door to rows: which of them may this user see, and may this user do this to that one.

Permissions are granted on a workflow, to people or to groups, and decide everything below it. Every list, count,
filter, export, page and API call starts from `visible()`, and every act from `may()`. A grant whose end has passed gives
nothing from that moment on: it is left out wherever grants are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission
from guardian.shortcuts import assign_perm, remove_perm

from workflows import audit
from workflows.models import GrantChange, GrantEnd, Workflow

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
    "workflows.registerexport": "workflow",
    "workflows.apikey": "workflow",
    "workflows.auditevent": "workflow_id",
    "workflows.grantchange": "workflow",
    "workflows.try": "version__workflow",
    "workflows.breakglass": "workflow",
    "workflows.viewas": "workflow",
    "workflows.brief": "workflow",
    "workflows.metricactual": "workflow",
    "workflows.launch": "workflow",
    "workflows.followup": "workflow",
    "workflows.budget": "workflow",
    "workflows.spending": "workflow",
    "workflows.reservation": "workflow",
    "workflows.case": "workflow",
    "workflows.casesource": "case__workflow",
    "workflows.label": "workflow",
    "workflows.evaluation": "version__workflow",
    "workflows.caseresult": "evaluation__version__workflow",
    "workflows.erasure": "workflow",
    "workflows.legalhold": "workflow",
    "reviews.review": "workflow",
    "reviews.escalation": "workflow",
    "reviews.stuck": "workflow",
}

# What seeing a row takes where it is more than seeing its workflow; of several, any one.
VIEWING: dict[str, Action | tuple[Action, ...]] = {
    "workflows.run": Action.MODEL_LOGS,
    "workflows.fieldresult": Action.VIEW,
    "workflows.apikey": Action.ACCESS,
    "workflows.auditevent": Action.ACCESS,
    "workflows.grantchange": Action.ACCESS,
    "workflows.viewas": Action.ACCESS,
    "workflows.try": Action.MANAGE,
    "workflows.registerexport": Action.ACCESS,
    "workflows.erasure": Action.MANAGE,
    "workflows.legalhold": Action.MANAGE,
    "workflows.case": Action.MANAGE,
    "workflows.casesource": Action.MANAGE,
    "workflows.label": Action.MANAGE,
    "workflows.evaluation": (Action.MANAGE, Action.REPORTS),
    "workflows.caseresult": (Action.MANAGE, Action.REPORTS),
}

# What belongs to one person: nobody who looks as them sees it.
PRIVATE = frozenset({"workflows.try"})


def seen_with(name: str) -> tuple[Action, ...]:
    """Any of these, beside seeing the workflow, opens the rows of the model with this label."""
    found = VIEWING.get(name, Action.VIEW)
    return found if isinstance(found, tuple) else (found,)


def workflow_ids(*, user: User, action: Action) -> set[int] | None:
    """The ids of the workflows on which this user holds the permission; None means all of them.

    Read once per user object, all actions together: a page asks many times.
    """
    if not user.is_authenticated or not user.is_active:
        return set()
    if getattr(user, "is_superuser", False):
        return None
    known: _Granted | None = user.__dict__.get("_workflow_ids")
    if known is None or (known.until is not None and timezone.now() >= known.until):
        known = user.__dict__["_workflow_ids"] = _granted(user=user)
    ids = known.ids.get(action.value, set())
    within = _looked_at_within(user)
    return ids if within is None else ids & within


@dataclass(frozen=True, slots=True)
class _Granted:
    """The workflows by permission, and the moment from which that may be less: the first end of a grant."""

    ids: dict[str, set[int]]
    until: datetime | None


def _granted(*, user: User) -> _Granted:
    kind = ContentType.objects.get_for_model(Workflow)
    columns = ("permission__codename", "object_pk", "end__ends_at")
    own = unended(UserObjectPermission.objects.filter(user_id=user.pk, permission__content_type=kind))
    through_groups = unended(
        GroupObjectPermission.objects.filter(group__user=user.pk, permission__content_type=kind)
    )
    ids: dict[str, set[int]] = {}
    until = None
    for codename, pk, ends_at in own.values_list(*columns).union(through_groups.values_list(*columns)):
        ids.setdefault(codename, set()).add(int(pk))
        if ends_at is not None:
            until = ends_at if until is None else min(until, ends_at)
    return _Granted(ids=ids, until=until)


def unended(rows: Any) -> Any:
    """Of guardian's rows those that still give something."""
    return rows.filter(Q(end=None) | Q(end__ends_at__gt=timezone.now()))


def look_as(*, person: AbstractBaseUser, within: set[int] | None) -> None:
    """This user object is somebody else's eyes: of what the person may see, only these workflows; None: all of it."""
    person.__dict__["_looked_at_within"] = (within,)


def _looked_at_within(user: User) -> set[int] | None:
    within: tuple[set[int] | None] = user.__dict__.get("_looked_at_within", (None,))
    return within[0]


def forget(user: User) -> None:
    """Drop what `workflow_ids` remembered, after grants of this very user object changed."""
    user.__dict__.pop("_workflow_ids", None)


def visible[M: Model](user: User, queryset: QuerySet[M], action: Action = Action.VIEW) -> QuerySet[M]:
    """The rows of the queryset that this user may see, or on whose workflow they may do `action`.

    An action never widens what may be seen: rows need `view_workflow` as well.
    """
    name = queryset.model._meta.label_lower
    path = PATHS.get(name)
    if path is None or (name in PRIVATE and "_looked_at_within" in user.__dict__):
        return queryset.none()
    for ids in _ids_of_each(user=user, name=name, action=action):
        if ids is not None:
            queryset = queryset.filter(**{f"{path}__in": ids})
    return queryset


def countable[M: Model](user: User, queryset: QuerySet[M]) -> QuerySet[M]:
    """The rows that figures for this person may be made of. Figures alone: for a row or a name of one ask `visible()`."""
    path = PATHS.get(queryset.model._meta.label_lower)
    if path is None:
        return queryset.none()
    ids = workflow_ids(user=user, action=Action.REPORTS)
    return queryset if ids is None else queryset.filter(**{f"{path}__in": ids})


def may_count(user: User) -> bool:
    """Whether there is any workflow whose figures this person may see."""
    ids = workflow_ids(user=user, action=Action.REPORTS)
    return ids is None or bool(ids)


def _ids_of_each(*, user: User, name: str, action: Action) -> list[set[int] | None]:
    """For each thing that an act on rows of the model takes, the workflows on which the user has it; None means all."""
    seeing = seen_with(name)
    if len(seeing) == 1:
        return [workflow_ids(user=user, action=one) for one in {Action.VIEW, *seeing, action}]
    several = [workflow_ids(user=user, action=one) for one in seeing]
    either = None if None in several else set[int]().union(*(ids for ids in several if ids))
    return [either, *(workflow_ids(user=user, action=one) for one in {Action.VIEW, action})]


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
    pk = _workflow_pk(row)
    return all(ids is None or pk in ids for ids in _ids_of_each(user=user, name=name, action=action))


def _workflow_pk(row: Model) -> int | None:
    """None: an event of the audit log that is of no workflow, and so of nobody's but a superuser's."""
    value: Any = row
    path = PATHS[row._meta.label_lower]
    *through, last = path.split("__")
    for step in through:
        value = getattr(value, step)
    pk: int | None = (
        value.pk if last == "pk" else getattr(value, last if last.endswith("_id") else f"{last}_id")
    )
    return pk


def people_who_may(*, action: Action, workflow: Workflow) -> QuerySet[Any]:
    """Active users who hold the permission on this workflow, by themselves or through a group."""
    kind = ContentType.objects.get_for_model(Workflow)
    permission = Permission.objects.filter(codename=action.value, content_type=kind)
    grants = {"permission__in": permission, "object_pk": str(workflow.pk)}
    people = unended(UserObjectPermission.objects.filter(**grants)).values("user")
    groups = unended(GroupObjectPermission.objects.filter(**grants)).values("group")
    return (
        get_user_model()
        .objects.filter(Q(pk__in=people) | Q(groups__in=groups), is_active=True)
        .distinct()
        .order_by("pk")
    )


def grant(
    *,
    action: Action,
    workflow: Workflow,
    to: AbstractBaseUser | Group,
    by: Any = None,
    ends_at: datetime | None = None,
) -> bool:
    """Whether anything changed: it was not held, or with another end. `by` None is the command line. Who may give it away
    is the caller's question."""
    return _change(action=action, workflow=workflow, holder=to, by=by, given=True, ends_at=ends_at)


def revoke(*, action: Action, workflow: Workflow, of: AbstractBaseUser | Group, by: Any = None) -> bool:
    """Whether it was held. What a person holds through a group stays with the group."""
    return _change(action=action, workflow=workflow, holder=of, by=by, given=False, ends_at=None)


def _change(
    *,
    action: Action,
    workflow: Workflow,
    holder: AbstractBaseUser | Group,
    by: Any,
    given: bool,
    ends_at: datetime | None,
) -> bool:
    """The one place where a grant comes, goes or gets another end, and what is told of it later."""
    group, user = (holder, None) if isinstance(holder, Group) else (None, holder)
    held: Any = (
        GroupObjectPermission.objects.filter(group_id=holder.pk)
        if group
        else UserObjectPermission.objects.filter(user_id=holder.pk)
    )
    with transaction.atomic():
        row = _of_workflow(held, workflow=workflow, actions=[action]).select_related("end").first()
        if (row is not None) == given and (row is None or _end_of(row) == ends_at):
            return False
        if given:
            row = row or assign_perm(f"workflows.{action.value}", holder, workflow)
            _set_end(row, ends_at=ends_at)
        else:
            remove_perm(f"workflows.{action.value}", holder, workflow)
        GrantChange.objects.create(
            workflow=workflow, by=by, action=action.value, given=given, name=_name_of(holder), ends_at=ends_at,
            group=group, user=user,  # type: ignore[misc]
        )  # fmt: skip
        audit.record(
            kind=audit.Kind.ACCESS_GIVEN if given else audit.Kind.ACCESS_TAKEN, by=by, workflow=workflow, person=user,
            facts={"permission": action.value, "group": group.pk if group else None, "person": user.pk if user else None},
            content={"name": _name_of(holder)},
        )  # fmt: skip
    if isinstance(holder, AbstractBaseUser):
        forget(holder)
    return True


def _end_of(row: Any) -> datetime | None:
    end: GrantEnd | None = getattr(row, "end", None)
    return end.ends_at if end else None


def _set_end(row: Any, *, ends_at: datetime | None) -> None:
    name = "through" if isinstance(row, GroupObjectPermission) else "own"
    if ends_at is None:
        GrantEnd.objects.filter(**{name: row}).delete()
    else:
        GrantEnd.objects.update_or_create(**{name: row}, defaults={"ends_at": ends_at})


def _name_of(holder: Any) -> str:
    return str(holder.name if isinstance(holder, Group) else holder.get_username())


def _of_workflow(rows: Any, *, workflow: Workflow, actions: Any = tuple(Action)) -> Any:
    return rows.filter(
        object_pk=str(workflow.pk),
        permission__content_type=ContentType.objects.get_for_model(Workflow),
        permission__codename__in=[action.value for action in actions],
    )


Holder = Group | AbstractBaseUser


def grants_of(workflow: Workflow) -> dict[Holder, frozenset[Action]]:
    """Groups and people with a permission of their own on this workflow, those that ended too; groups first, each by name."""
    return {holder: frozenset(held) for holder, held in ends_of_grants(workflow).items()}


def ends_of_grants(workflow: Workflow) -> dict[Holder, dict[Action, datetime | None]]:
    """The same, each with when it ends. Four queries, whatever there is of each."""
    found: dict[Holder, dict[Action, datetime | None]] = {}
    people: Any = get_user_model().objects.order_by("username")
    for rows, name, known in (
        (GroupObjectPermission.objects.all(), "group", Group.objects.order_by("name")),
        (UserObjectPermission.objects.all(), "user", people),
    ):
        held: dict[int, dict[Action, datetime | None]] = {}
        told = _of_workflow(rows, workflow=workflow).values_list(name, "permission__codename", "end__ends_at")
        for pk, codename, ends_at in told:
            held.setdefault(pk, {})[Action(codename)] = ends_at
        holders: Iterable[Any] = known.filter(pk__in=_of_workflow(rows, workflow=workflow).values(name))
        # What came between the two questions is told at the next look.
        found |= {holder: held[holder.pk] for holder in holders if holder.pk in held}
    return found


@dataclass(frozen=True, slots=True)
class Ask:
    """Whom to ask about a workflow: names, empty where nobody holds the part."""

    workflow: str
    owner: str
    managers: tuple[str, ...]


def whom_to_ask(*, user: User) -> list[Ask]:
    """Owner and access managers of each workflow that this user may see, in four queries. Hidden ones are not named."""
    workflows = list(visible(user, Workflow.objects.select_related("owner").order_by("name")))
    grants: dict[str, Any] = {
        "permission__codename": Action.ACCESS.value,
        "permission__content_type": ContentType.objects.get_for_model(Workflow),
        "object_pk__in": [str(one.pk) for one in workflows],
    }
    held = unended(UserObjectPermission.objects.filter(**grants)).values_list("object_pk", "user").union(
        unended(GroupObjectPermission.objects.filter(**grants)).values_list("object_pk", "group__user")
    )  # fmt: skip
    holders: dict[str, set[int]] = {}
    for pk, person in held:
        holders.setdefault(pk, set()).add(person)
    people = get_user_model().objects.filter(is_active=True).in_bulk(
        [pk for pks in holders.values() for pk in pks if pk is not None]
    )  # fmt: skip
    return [
        Ask(
            workflow=one.name,
            owner=_name(one.owner) if one.owner is not None and one.owner.is_active else "",
            managers=tuple(sorted(_name(people[pk]) for pk in holders.get(str(one.pk), ()) if pk in people)),
        )
        for one in workflows
    ]


def _name(person: Any) -> str:
    return str(person.get_full_name() or person.get_username())
