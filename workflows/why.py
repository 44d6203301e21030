"""Why can this person do something on this workflow, or not: the whole chain of grants, also of those that give nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from workflows.access import Action, Holder, ends_of_grants, may
from workflows.models import GrantChange, Workflow
from workflows.permission_matrix import COLUMNS, WORDS, day_told, name_of


@dataclass(frozen=True, slots=True)
class Link:
    """One thing that gives the permission, or would. `counts` says whether it does now; `said` tells it whole."""

    said: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Answer:
    action: Action
    holds: bool  # the one door's own answer
    chain: tuple[Link, ...]
    missing: str  # in words, what is needed; empty where it holds

    @property
    def words(self) -> str:
        return WORDS[self.action]


def why(*, person: Any, workflow: Workflow) -> list[Answer]:
    """For each permission, in the order of the table. Six queries, whatever there is of each."""
    grants = ends_of_grants(workflow)
    groups = set(person.groups.values_list("pk", flat=True))
    given = _given(workflow=workflow, person=person, groups=groups)
    answers = []
    for action in COLUMNS:
        chain = tuple(_chain(person=person, action=action, grants=grants, groups=groups, given=given))
        holds = may(person, action, workflow)
        missing = "" if holds else _missing(person=person, action=action, chain=chain, grants=grants)
        answers.append(Answer(action=action, holds=holds, chain=chain, missing=missing))
    return answers


def account_told(person: Any) -> list[str]:
    """What keeps the account from everything, whatever it was given."""
    said = []
    if not person.is_active:
        said.append("The account is switched off: it opens nothing until a superuser switches it on.")
    if not person.is_staff:
        said.append("The account has no access to the admin: it works through the API alone.")
    return said


def _chain(*, person: Any, action: Action, grants: Any, groups: set[int], given: Any) -> Iterator[Link]:
    if person.is_superuser:
        yield Link("is a superuser, who may do everything", person.is_active)
    now = timezone.now()
    for holder, held in grants.items():
        if action not in held:
            continue
        own = not hasattr(holder, "permissions")  # a group has them
        if (own and holder.pk != person.pk) or (not own and holder.pk not in groups):
            continue
        ends_at = held[action]
        ended = ends_at is not None and ends_at <= now
        said = f"given{given.get((_key(holder), action.value), '')} to "
        said += "them" if own else f"the group {name_of(holder)}, which they are in"
        if ends_at is not None:
            said += f"; it {'ended after' if ended else 'ends after'} {day_told(ends_at)}"
        if not person.is_active:
            said += "; the account is switched off"
        yield Link(said, not ended and person.is_active)


def _missing(*, person: Any, action: Action, chain: tuple[Link, ...], grants: Any) -> str:
    if not person.is_active:
        return "The account is switched off."
    if any(link.counts for link in chain):
        return "“See items” is missing, without which nothing else counts."
    if chain:
        return "What gave it has ended. Give it again, or another end."
    names = [
        name_of(holder)
        for holder, held in grants.items()
        if action in held and hasattr(holder, "permissions")
    ]
    if names:
        return f"No grant leads here. It is held by {_listed(names[:3])}: put them into the group, or give it to them."
    return "No grant leads here, and no group holds it. Give it in the table."


def _given(*, workflow: Workflow, person: Any, groups: set[int]) -> dict[tuple[str, str], str]:
    """When each grant was given last, and by whom; the newest entry of each."""
    found: dict[tuple[str, str], str] = {}
    theirs = Q(user=person) | Q(group__in=groups)
    changes = (
        GrantChange.objects.filter(theirs, workflow=workflow, given=True).select_related("by").order_by("pk")
    )
    for one in changes.only("at", "action", "user_id", "group_id", "by__username"):
        key = f"group:{one.group_id}" if one.group_id else f"person:{one.user_id}"
        at = timezone.localtime(one.at)
        by = one.by.get_username() if one.by else "the command line"
        found[(key, one.action)] = f" by {by} on {at.day} {at:%b %Y}"
    return found


def _key(holder: Holder) -> str:
    return f"{'group' if hasattr(holder, 'permissions') else 'person'}:{holder.pk}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
