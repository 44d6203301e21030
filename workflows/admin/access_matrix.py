"""The permission matrix as the page shows it, and what a person ticked in it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.http import QueryDict

from workflows.access import Action, grants_of
from workflows.models import GrantChange, Workflow
from workflows.permission_matrix import (
    COLUMNS,
    PRESETS,
    WORDS,
    Effect,
    Holder,
    key_of,
    members_of,
    name_of,
    preset_of,
)
from workflows.storable import storable

LOG_ROWS = 20
Wanted = dict[Holder, frozenset[Action]]


def read_wanted(*, typed: QueryDict, workflow: Workflow) -> tuple[Wanted, list[str]]:
    """The rows that were on the page, as they are ticked now, and in words which of them nobody is known for."""
    keys = list(dict.fromkeys(storable(key) for key in typed.getlist("row")))
    problems: list[str] = []
    if added := typed.get("add_group", ""):
        keys.append(f"group:{added}")
    if added := storable(typed.get("add_person", "")).strip():
        keys.append(f"person:{added}")
    known = {key_of(holder): holder for holder in grants_of(workflow)}
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
        wanted[holder] = frozenset(action for action in COLUMNS if f"{key}|{action}" in on)
    return wanted, problems


def matrix_told(
    *, workflow: Workflow, wanted: Wanted | None = None, effect: Effect | None = None
) -> dict[str, Any]:
    """Without `wanted` as it is stored. The workflow's own groups have a row even while they hold nothing."""
    held = grants_of(workflow)
    rows: Wanted = dict(held)
    for group in (workflow.reviewers, workflow.escalation):
        if group is not None:
            rows.setdefault(group, frozenset())
    for holder, actions in (wanted or {}).items():
        rows[holder] = actions
    ordered = sorted(rows, key=lambda one: (not isinstance(one, Group), name_of(one).casefold()))
    members = members_of(one for one in rows if isinstance(one, Group))
    there = {one.pk for one in rows if isinstance(one, Group)}
    return {
        "columns": [{"action": action, "words": words} for action, words in WORDS.items()],
        "presets": [{"name": name, "actions": " ".join(sorted(actions))} for name, actions in PRESETS.items()],
        "rows": [_row(one, actions=rows[one], held=held.get(one, frozenset()), members=members) for one in ordered],
        "groups": Group.objects.exclude(pk__in=there).order_by("name"),
        "effect": effect,
        "log": _log(workflow),
    }  # fmt: skip


def _row(
    holder: Holder, *, actions: frozenset[Action], held: frozenset[Action], members: dict[int, frozenset[int]]
) -> dict[str, Any]:
    key = key_of(holder)
    return {
        "key": key, "name": name_of(holder), "note": _note(holder, members), "preset": preset_of(actions),
        "cells": [
            {"value": f"{key}|{action}", "action": action, "words": words, "on": action in actions, "was": action in held}
            for action, words in WORDS.items()
        ],
    }  # fmt: skip


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
            "said": f"{'gave' if one.given else 'took'} “{_words(one.action)}” {'to' if one.given else 'from'} {one.name}",
        }
        for one in changes
    ]  # fmt: skip


def _words(action: str) -> str:
    return WORDS[Action(action)] if action in set(Action) else action.replace("_", " ")
