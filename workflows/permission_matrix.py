"""Who may do what on one workflow, as a table: what it holds, what a change of it does in words, and the change itself.

Whoever manages access may give and take any permission of that workflow, their own among them. What nobody can do
without a superuser is leave the workflow without a person who manages its access.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.db import transaction

from workflows.access import Action, forget, grant, grants_of, may, revoke
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import Workflow

WORDS: dict[Action, str] = {
    Action.VIEW: "See items", Action.SUBMIT: "Submit", Action.REVIEW: "Review", Action.DECIDE_SENSITIVE: "Decide sensitive",
    Action.HANDLE_ESCALATION: "Take escalations", Action.REPORTS: "See reports", Action.EXPORT: "Export",
    Action.MODEL_LOGS: "See model logs", Action.MANAGE: "Manage workflow", Action.ACCESS: "Manage access",
}  # fmt: skip
COLUMNS = tuple(WORDS)

_STAFF = frozenset({Action.VIEW, Action.SUBMIT, Action.REVIEW})
PRESETS: dict[str, frozenset[Action]] = {
    "Nothing": frozenset(),
    "Staff": _STAFF,
    "Senior": _STAFF | {Action.DECIDE_SENSITIVE, Action.HANDLE_ESCALATION},
    "Manager": frozenset({Action.VIEW, Action.REPORTS, Action.EXPORT}),
    "Admin": frozenset({Action.VIEW, Action.MANAGE, Action.ACCESS}),
}

# Each of these needs somebody: without one, items or questions wait for nobody.
NEEDED = {
    Action.REVIEW: "Nobody is left who can review: items will wait for nobody.",
    Action.HANDLE_ESCALATION: "Nobody is left who can take escalations: they will wait for nobody.",
    Action.MANAGE: "Nobody is left who can change the workflow and its versions.",
    Action.ACCESS: "Nobody is left who can manage access.",
}

Holder = Group | AbstractBaseUser
Grants = Mapping[Holder, frozenset[Action]]


@dataclass(frozen=True, slots=True)
class Change:
    holder: Holder
    action: Action
    given: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """What the changes do, in sentences. `warnings` are things to think about; `refusals` stop the change."""

    changes: tuple[Change, ...]
    sentences: tuple[str, ...]
    warnings: tuple[str, ...]
    refusals: tuple[str, ...]

    @property
    def seal(self) -> str:
        """Of these changes and their words: who saves has been told exactly them."""
        told = [f"{key_of(one.holder)} {one.action} {one.given}" for one in self.changes]
        return hashlib.sha256("\n".join([*told, *self.sentences, *self.warnings]).encode()).hexdigest()[:32]


def key_of(holder: Holder) -> str:
    """How a row is named in a form: people by their user name, so that a number cannot be tried for a name."""
    return f"group:{holder.pk}" if isinstance(holder, Group) else f"person:{holder.get_username()}"


def name_of(holder: Holder) -> str:
    return holder.name if isinstance(holder, Group) else holder.get_username()


def preset_of(actions: frozenset[Action]) -> str:
    return next((name for name, held in PRESETS.items() if held == actions), "Custom")


def diff(*, before: Grants, after: Grants) -> tuple[Change, ...]:
    """Pure. Rows that are not in `after` stay as they are."""
    changes = []
    for holder, wanted in after.items():
        held = before.get(holder, frozenset())
        changes += [
            Change(holder=holder, action=action, given=action in wanted)
            for action in COLUMNS
            if (action in wanted) != (action in held)
        ]
    return tuple(changes)


def effect_of(
    *, before: Grants, after: Grants, members: Mapping[int, frozenset[int]], by_superuser: bool = False
) -> Effect:
    """Pure. `members`: the ids of the active people of each group, by its id."""
    changes = diff(before=before, after=after)
    result = {**before, **after}
    sentences = [
        _sentence(holder, changes, members) for holder in dict.fromkeys(one.holder for one in changes)
    ]
    warnings, refusals = [], []
    for action, nobody in NEEDED.items():
        if not _people(before, action, members) or _people(result, action, members):
            continue
        if action is Action.ACCESS and not by_superuser:
            refusals.append(
                "Nobody would be left who can manage access, so nothing was saved. "
                "Give “Manage access” to somebody else first, or ask a superuser."
            )
        else:
            warnings.append(nobody)
    for holder, wanted in after.items():
        # Reports show sums only, so they alone do without the rows.
        blind = [WORDS[one] for one in COLUMNS if one in wanted - {Action.VIEW, Action.REPORTS}]
        if blind and Action.VIEW not in wanted and any(one.holder == holder for one in changes):
            refusals.append(
                f"{name_of(holder)}: without “See items” nothing comes of “{blind[0]}”. "
                "Switch “See items” on, or the others off."
            )
    if changes and not warnings and not refusals and (kept := _people(result, Action.REVIEW, members)):
        sentences.append(f"{len(kept)} {'person' if len(kept) == 1 else 'people'} can review afterwards.")
    return Effect(changes, tuple(sentences), tuple(warnings), tuple(refusals))


def _people(grants: Grants, action: Action, members: Mapping[int, frozenset[int]]) -> set[int]:
    """Active people who can really do it: they hold it and may see the items, each by themselves or through a group."""

    def holding(one: Action) -> set[int]:
        found: set[int] = set()
        for holder, held in grants.items():
            if one not in held:
                continue
            if isinstance(holder, Group):
                found |= members.get(holder.pk, frozenset())
            elif holder.is_active:
                found.add(holder.pk)
        return found

    return holding(action) & holding(Action.VIEW)


def _sentence(holder: Holder, changes: Sequence[Change], members: Mapping[int, frozenset[int]]) -> str:
    given = [WORDS[one.action] for one in changes if one.holder == holder and one.given]
    taken = [WORDS[one.action] for one in changes if one.holder == holder and not one.given]
    if isinstance(holder, Group):
        count = len(members.get(holder.pk, ()))
        who = f"{holder.name} ({count} {'person' if count == 1 else 'people'})"
    else:
        who = holder.get_username()
    parts = [f"{verb} {_listed(words)}" for verb, words in (("gains", given), ("loses", taken)) if words]
    return f"{who} {' and '.join(parts)}."


def _listed(words: Iterable[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def members_of(groups: Iterable[Group]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {group.pk: set() for group in groups}
    pairs = get_user_model().objects.filter(is_active=True, groups__in=list(found))
    for group, person in pairs.values_list("groups", "pk"):
        if group in found:
            found[group].add(person)
    return {group: frozenset(people) for group, people in found.items()}


def look(*, workflow: Workflow, wanted: Grants, by: AbstractBaseUser) -> Effect:
    """What saving `wanted` would do now."""
    before = grants_of(workflow)
    groups = [holder for holder in {**before, **wanted} if isinstance(holder, Group)]
    return effect_of(
        before=before,
        after=wanted,
        members=members_of(groups),
        by_superuser=bool(getattr(by, "is_superuser", False)),
    )


def save(*, workflow: Workflow, wanted: Grants, by: AbstractBaseUser, seal: str) -> Effect:
    """Apply what `by` was told of. Conflict when the grants changed since, so that the words were of something else."""
    if not may(by, Action.ACCESS, workflow):
        raise NotPermitted("You may not change who may do what here. Ask whoever manages its access.")
    with transaction.atomic():
        Workflow.objects.select_for_update().get(pk=workflow.pk)  # one at a time: the last holder is counted
        effect = look(workflow=workflow, wanted=wanted, by=by)
        if effect.refusals:
            raise InvalidInput(" ".join(effect.refusals))
        if not effect.changes:
            raise Conflict("Nothing would change, so nothing was saved.")
        if effect.seal != seal:
            raise Conflict("Nothing was saved yet. Read what the changes do, then save them.")
        for change in effect.changes:
            if change.given:
                grant(action=change.action, workflow=workflow, to=change.holder, by=by)
            else:
                revoke(action=change.action, workflow=workflow, of=change.holder, by=by)
    forget(by)
    return effect
