"""Who may do what on one workflow, as a table: what it holds, what a change of it does in words, and the change itself.

Whoever manages access may give and take any permission of that workflow, their own among them. What nobody can do
without a superuser is leave the workflow without a person who manages its access.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from workflows.access import Action, Holder, ends_of_grants, forget, grant, may, revoke
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import Workflow

WORDS: dict[Action, str] = {
    Action.VIEW: "See items", Action.SUBMIT: "Submit", Action.REVIEW: "Review", Action.DECIDE_SENSITIVE: "Decide sensitive",
    Action.HANDLE_ESCALATION: "Take escalations", Action.REPORTS: "See reports", Action.EXPORT: "Export",
    Action.MODEL_LOGS: "See model logs", Action.MANAGE: "Manage workflow", Action.ACCESS: "Manage access",
}  # fmt: skip
COLUMNS = tuple(WORDS)

_REVIEWER = frozenset({Action.VIEW, Action.SUBMIT, Action.REVIEW})
PRESETS: dict[str, frozenset[Action]] = {
    "Nothing": frozenset(),
    "Reviewer": _REVIEWER,
    "Senior": _REVIEWER | {Action.DECIDE_SENSITIVE, Action.HANDLE_ESCALATION},
    "Manager": frozenset({Action.VIEW, Action.REPORTS, Action.EXPORT}),
    # Looks at everything, changes nothing, takes nothing out.
    "Auditor": frozenset({Action.VIEW, Action.REPORTS, Action.MODEL_LOGS}),
    "Admin": frozenset({Action.VIEW, Action.MANAGE, Action.ACCESS}),
}

# Each of these needs somebody: without one, items or questions wait for nobody.
NEEDED = {
    Action.REVIEW: "Nobody is left who can review: items will wait for nobody.",
    Action.HANDLE_ESCALATION: "Nobody is left who can take escalations: they will wait for nobody.",
    Action.MANAGE: "Nobody is left who can change the workflow and its versions.",
    Action.ACCESS: "Nobody is left who can manage access.",
}

Held = Mapping[Action, datetime | None]  # each with when it ends; None: never
Grants = Mapping[Holder, Held]


@dataclass(frozen=True, slots=True)
class Change:
    holder: Holder
    action: Action
    given: bool
    ends_at: datetime | None = None
    kept: bool = False  # held before too: its end alone is another


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
        told = [f"{key_of(one.holder)} {one.action} {one.given} {one.ends_at}" for one in self.changes]
        return hashlib.sha256("\n".join([*told, *self.sentences, *self.warnings]).encode()).hexdigest()[:32]


def key_of(holder: Holder) -> str:
    """How a row is named in a form: people by their user name, so that a number cannot be tried for a name."""
    return f"group:{holder.pk}" if isinstance(holder, Group) else f"person:{holder.get_username()}"


def name_of(holder: Holder) -> str:
    return holder.name if isinstance(holder, Group) else holder.get_username()


def preset_of(actions: Collection[Action]) -> str:
    return next((name for name, held in PRESETS.items() if held == set(actions)), "Custom")


def end_of_day(day: date) -> datetime:
    """A grant "until" a day gives until that day is over."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def last_day(ends_at: datetime) -> date:
    return timezone.localtime(ends_at - timedelta(microseconds=1)).date()


def day_told(ends_at: datetime) -> str:
    day = last_day(ends_at)
    return f"{day.day} {day:%b %Y}"


def diff(*, before: Grants, after: Grants) -> tuple[Change, ...]:
    """Pure. Rows that are not in `after` stay as they are."""
    changes = []
    for holder, wanted in after.items():
        held = before.get(holder, {})
        for action in COLUMNS:
            if action in wanted and (action not in held or wanted[action] != held[action]):
                changes.append(
                    Change(holder, action, given=True, ends_at=wanted[action], kept=action in held)
                )
            elif action in held and action not in wanted:
                changes.append(Change(holder, action, given=False))
    return tuple(changes)


def effect_of(
    *,
    before: Grants,
    after: Grants,
    members: Mapping[int, frozenset[int]],
    now: datetime,
    by_superuser: bool = False,
) -> Effect:
    """Pure. `members`: the ids of the active people of each group, by its id."""
    changes = diff(before=before, after=after)
    result = {**before, **after}
    sentences = [
        _sentence(holder, [one for one in changes if one.holder == holder], members, before, now)
        for holder in dict.fromkeys(one.holder for one in changes)
    ]
    sentences += _still_held(changes, result, members, now)
    warnings, refusals = [], []
    for action, nobody in NEEDED.items():
        had, has = (_people(grants, action, members, now) for grants in (before, result))
        said = nobody if had and not has else ""
        if has and not _people(result, action, members, None) and _people(before, action, members, None):
            ends = [held[action] for held in result.values() if action in held]
            last = max(end for end in ends if end is not None)
            said = f"After {day_told(last)}: {nobody[:1].lower()}{nobody[1:]}"
        if said and action is Action.ACCESS and not by_superuser:
            when = " once the end has come" if has else ""
            refusals.append(
                f"Nobody would be left who can manage access{when}, so nothing was saved. "
                "Give “Manage access” to somebody else first, or ask a superuser."
            )
        elif said:
            warnings.append(said)
    for holder, wanted in after.items():
        # Reports show sums only, so they alone do without the rows.
        blind = [WORDS[one] for one in COLUMNS if one in set(wanted) - {Action.VIEW, Action.REPORTS}]
        if blind and Action.VIEW not in wanted and any(one.holder == holder for one in changes):
            refusals.append(
                f"{name_of(holder)}: without “See items” nothing comes of “{blind[0]}”. "
                "Switch “See items” on, or the others off."
            )
    if changes and not refusals:
        seen, sees = (_people(grants, Action.VIEW, members, now) for grants in (before, result))
        if new := len(sees - seen):
            sentences.append(f"{_counted(new)} will see its items who did not.")
        if gone := len(seen - sees):
            sentences.append(f"{_counted(gone)} will not see them any more.")
    if changes and not warnings and not refusals and (kept := _people(result, Action.REVIEW, members, now)):
        sentences.append(f"{_counted(len(kept))} can review afterwards.")
    return Effect(changes, tuple(sentences), tuple(warnings), tuple(refusals))


def _people(
    grants: Grants, action: Action, members: Mapping[int, frozenset[int]], now: datetime | None
) -> set[int]:
    """Active people who can really do it: they hold it and may see the items, each by themselves or through a group.
    `now` None: of those grants alone that never end."""

    def counts(ends_at: datetime | None) -> bool:
        return ends_at is None or (now is not None and ends_at > now)

    def holding(one: Action) -> set[int]:
        found: set[int] = set()
        for holder, held in grants.items():
            if one not in held or not counts(held[one]):
                continue
            if isinstance(holder, Group):
                found |= members.get(holder.pk, frozenset())
            elif holder.is_active:
                found.add(holder.pk)
        return found

    return holding(action) & holding(Action.VIEW)


def _sentence(
    holder: Holder,
    changes: Sequence[Change],
    members: Mapping[int, frozenset[int]],
    before: Grants,
    now: datetime,
) -> str:
    if isinstance(holder, Group):
        who = f"{holder.name} ({_counted(len(members.get(holder.pk, ())))})"
    else:
        who = holder.get_username()
    parts: dict[tuple[str, datetime | None], list[str]] = {}
    for one in changes:
        verb = "gains" if one.given else "loses"
        if one.kept:
            ended = before[holder][one.action]
            verb = "has again" if ended is not None and ended <= now else "keeps"
        parts.setdefault((verb, one.ends_at), []).append(WORDS[one.action])
    order = ("gains", "has again", "keeps", "loses")
    said = []
    for (verb, ends_at), words in sorted(parts.items(), key=lambda part: order.index(part[0][0])):
        until = f" until {day_told(ends_at)}" if ends_at else " without an end" if verb == "keeps" else ""
        said.append(f"{verb} {_listed(words)}{until}")
    return f"{who} {' and '.join(said)}."


def _still_held(
    changes: Iterable[Change], result: Grants, members: Mapping[int, frozenset[int]], now: datetime
) -> list[str]:
    """What is taken from a person and comes to them through a group all the same."""
    said = []
    for one in changes:
        if one.given or isinstance(one.holder, Group):
            continue
        groups = [
            holder.name
            for holder, held in result.items()
            if isinstance(holder, Group) and one.holder.pk in members.get(holder.pk, ())
            and one.action in held and ((end := held[one.action]) is None or end > now)
        ]  # fmt: skip
        if groups:
            said.append(f"{name_of(one.holder)} still has “{WORDS[one.action]}” through {groups[0]}.")
    return said


def _counted(count: int) -> str:
    return f"{count} {'person' if count == 1 else 'people'}"


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
    before = ends_of_grants(workflow)
    groups = [holder for holder in {**before, **wanted} if isinstance(holder, Group)]
    return effect_of(
        before=before,
        after=wanted,
        members=members_of(groups),
        now=timezone.now(),
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
                grant(
                    action=change.action, workflow=workflow, to=change.holder, by=by, ends_at=change.ends_at
                )
            else:
                revoke(action=change.action, workflow=workflow, of=change.holder, by=by)
    forget(by)
    return effect
