"""Many people, groups and workflows with grants, written in bulk."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission

from workflows.access import Action
from workflows.models import GrantChange, GrantEnd, Workflow

_numbers = itertools.count(1)
HELD = (Action.VIEW, Action.SUBMIT, Action.REVIEW)


def make_crowd(*, workflow: Workflow, people: int, groups: int, workflows: int) -> None:
    """So many more of each. Every person is in five groups; every group holds three permissions on every new workflow and on
    this one; one person of ten holds them on this one alone, half of these with an end."""
    users: list[Any] = get_user_model().objects.bulk_create(
        get_user_model()(username=f"person-of-crowd-{next(_numbers)}", is_staff=True) for _ in range(people)
    )
    teams = Group.objects.bulk_create(Group(name=f"group of crowd {next(_numbers)}") for _ in range(groups))
    through: Any = get_user_model().groups.through
    through.objects.bulk_create(
        through(user_id=user.pk, group_id=teams[(number + step) % groups].pk)
        for number, user in enumerate(users)
        for step in range(min(5, groups))
    )
    made = Workflow.objects.bulk_create(
        Workflow(slug=f"crowd-{(number := next(_numbers))}", name=f"Crowd {number}") for _ in range(workflows)
    )
    kind = ContentType.objects.get_for_model(Workflow)
    permissions = [Permission.objects.get(content_type=kind, codename=action.value) for action in HELD]
    GroupObjectPermission.objects.bulk_create(
        GroupObjectPermission(permission=one, content_type=kind, object_pk=str(row.pk), group=team)
        for team in teams
        for row in (workflow, *made)
        for one in permissions
    )
    own = UserObjectPermission.objects.bulk_create(
        UserObjectPermission(permission=one, content_type=kind, object_pk=str(workflow.pk), user=user)
        for user in users[::10]
        for one in permissions
    )
    later = timezone.now() + timedelta(days=30)
    GrantEnd.objects.bulk_create(GrantEnd(own=row, ends_at=later) for row in own[::2])
    GrantChange.objects.bulk_create(
        GrantChange(workflow=workflow, action=action, given=True, name=team.name, group=team)
        for team in teams
        for action in HELD
    )
