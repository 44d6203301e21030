"""The permission matrix as the page shows it, and what a person ticked in it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from workflows.access import Action, Holder, ends_of_grants
from workflows.models import GrantChange, Workflow
from workflows.permission_matrix import (
    COLUMNS,
    PRESETS,
    WORDS,
    Effect,
    Held,
    day_told,
    end_of_day,
    key_of,
    last_day,
    members_of,
    name_of,
    preset_of,
)
from workflows.storable import storable

LOG_ROWS = 20
MOST_PEOPLE = 50  # rows of people that one page shows; the search leads to the others
Wanted = dict[Holder, Held]


def read_wanted(*, typed: QueryDict, workflow: Workflow) -> tuple[Wanted, list[str]]:
    """The rows that were on the page, as they are ticked now, and in words which of them nobody is known for."""
    keys = list(dict.fromkeys(storable(key) for key in typed.getlist("row")))
    problems: list[str] = []
    if added := typed.get("add_group", ""):
        keys.append(f"group:{added}")
    if added := storable(typed.get("add_person", "")).strip():
        keys.append(f"person:{added}")
    before = ends_of_grants(workflow)
    known = {key_of(holder): holder for holder in before}
    groups = [key[6:] for key in keys if key.startswith("group:") and key not in known]
    people = [key[7:] for key in keys if key.startswith("person:") and key not in known]
    ids = [int(one) for one in groups if one.isdecimal() and len(one) < 19]
    known |= {key_of(one): one for one in Group.objects.filter(pk__in=ids)}
    active = get_user_model().objects.filter(username__in=people, is_active=True)
    known |= {key_of(one): one for one in active}
    on = set(typed.getlist("on"))
    wanted: Wanted = {}
    for key in dict.fromkeys(keys):
        holder = known.get(key)
        if holder is None:
            name = key.partition(":")[2][:150]
            problems.append(
                f"There is nobody with the user name “{name}”."
                if key.startswith("person:")
                else "This group is not there any more."
            )
            continue
        held = before.get(holder, {})
        shown, until = end_shown(held), typed.get(f"until|{key}", "")
        ends_at = shown
        if until not in (_day_typed(shown), "same"):
            try:
                ends_at = end_of_day(date.fromisoformat(until)) if until else None
            except (ValueError, OverflowError):
                problems.append(f"{name_of(holder)}: “{until[:20]}” is no day. Write it like 2027-03-31.")
            if ends_at is not None and ends_at != shown and ends_at <= timezone.now():
                problems.append(
                    f"{name_of(holder)}: the last day has passed already. Choose a day to come, or untick."
                )
        changed = ends_at != shown
        wanted[holder] = {
            action: held[action] if action in held and not changed else ends_at
            for action in COLUMNS
            if f"{key}|{action}" in on
        }
    return wanted, problems


def matrix_told(
    *, workflow: Workflow, wanted: Wanted | None = None, effect: Effect | None = None, who: str = ""
) -> dict[str, Any]:
    """Without `wanted` as it is stored. The workflow's own groups have a row even while they hold nothing.

    Of people a page of rows, those that `who` finds; a row that is not on the page stays as it is.
    """
    held = ends_of_grants(workflow)
    term = who.strip().casefold()
    people = [one for one in held if not isinstance(one, Group) and term in name_of(one).casefold()]
    shown = {*people[:MOST_PEOPLE], *(one for one in held if isinstance(one, Group))}
    rows: Wanted = {one: actions for one, actions in held.items() if one in shown}
    for group in (workflow.reviewers, workflow.escalation):
        if group is not None:
            rows.setdefault(group, {})
    for holder, actions in (wanted or {}).items():
        rows[holder] = actions
    ordered = sorted(rows, key=lambda one: (not isinstance(one, Group), name_of(one).casefold()))
    members = members_of(one for one in rows if isinstance(one, Group))
    there = {one.pk for one in rows if isinstance(one, Group)}
    return {
        "columns": [{"action": action, "words": words} for action, words in WORDS.items()],
        "presets": [{"name": name, "actions": " ".join(sorted(actions))} for name, actions in PRESETS.items()],
        "rows": [_row(one, actions=rows[one], held=held.get(one, {}), members=members) for one in ordered],
        "who": who, "people_hidden": sum(not isinstance(one, Group) for one in held) - sum(not isinstance(one, Group) for one in rows),
        "people_address": reverse("admin:workflows_workflow_people", args=[workflow.pk]),
        "groups": Group.objects.exclude(pk__in=there).order_by("name"),
        "effect": effect,
        "log": _log(workflow),
    }  # fmt: skip


def _row(holder: Holder, *, actions: Held, held: Held, members: dict[int, frozenset[int]]) -> dict[str, Any]:
    key, now = key_of(holder), timezone.now()
    until = end_shown(actions)
    return {
        "key": key, "until": _day_typed(until), "until_was": _day_typed(end_shown(held)),
        "ended": until is not None and until <= now, "mixed": len({end and last_day(end) for end in actions.values()}) > 1, "name": name_of(holder), "note": _note(holder, members), "preset": preset_of(actions),
        "cells": [
            {"value": f"{key}|{action}", "action": action, "words": words, "on": action in actions, "was": action in held}
            for action, words in WORDS.items()
        ],
    }  # fmt: skip


def end_shown(held: Held) -> datetime | None:
    """Of a row: the last end of its grants; None where one of them has none, or none is held."""
    ends = list(held.values())
    return None if not ends or None in ends else max(end for end in ends if end is not None)


def _day_typed(ends_at: datetime | None) -> str:
    return last_day(ends_at).isoformat() if ends_at else ""


def _note(holder: Holder, members: dict[int, frozenset[int]]) -> str:
    if isinstance(holder, AbstractBaseUser):
        return "person" if holder.is_active else "person, cannot sign in"
    count = len(members.get(holder.pk, ()))
    return f"{count} {'person' if count == 1 else 'people'}"


def _log(workflow: Workflow) -> list[dict[str, Any]]:
    changes = GrantChange.objects.filter(workflow=workflow).select_related("by")[:LOG_ROWS]
    return [
        {
            "at": one.at, "by": one.by.get_username() if one.by else "the command line",
            "said": f"{'gave' if one.given else 'took'} “{_words(one.action)}” {'to' if one.given else 'from'} {one.name}"
            + (f" until {day_told(one.ends_at)}" if one.ends_at else ""),
        }
        for one in changes
    ]  # fmt: skip


def _words(action: str) -> str:
    return WORDS[Action(action)] if action in set(Action) else action.replace("_", " ")
