"""docs/permissions.md, written from the code: what each permission opens, and who holds it in the demo.

Screens are read from the admin's registry. Acts are in the table below; a test tries each of them with exactly what it
names, and with one permission less.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin

from config.demo.loading import ROLES
from workflows.access import PATHS, Action, seen_with
from workflows.admin.base import ScopedAdmin
from workflows.permission_matrix import COLUMNS, PRESETS, WORDS

PATH = settings.BASE_DIR / "docs" / "permissions.md"

MEANS: dict[Action, str] = {
    Action.VIEW: "sees the workflow and its items, sources, drafts, deliveries and register. Every other permission needs this one as well",
    Action.SUBMIT: "submits work",
    Action.REVIEW: "decides items in review, tries again what failed, mends deliveries",
    Action.DECIDE_SENSITIVE: "sees what stands in sensitive fields, and decides items in which one is filled",
    Action.HANDLE_ESCALATION: "decides what was escalated, takes a claim over",
    Action.REPORTS: "sees the numbers of the workflow on Home and in reports",
    Action.EXPORT: "takes rows of the register out as a file",
    Action.MODEL_LOGS: "sees prompts, raw answers and what they cost",
    Action.MANAGE: "changes the workflow, its versions and destinations, tries a version, takes a claim over",
    Action.ACCESS: "gives and takes permissions, sees API keys and revokes them, sees who exported, reads the audit log",
}


@dataclass(frozen=True, slots=True)
class Act:
    name: str
    where: str
    needs: tuple[Action, ...]  # all of them
    or_else: tuple[Action, ...] = ()  # any of these alone does as well
    also: str = ""

    def takes(self) -> str:
        words = " and ".join(WORDS[one] for one in self.needs)
        words += "".join(f", or {WORDS[one]}" for one in self.or_else)
        return f"{words}, {self.also}" if self.also else words

    def open_to(self, held: Collection[Action]) -> bool:
        return Action.VIEW in held and (set(self.needs) <= set(held) or bool(set(self.or_else) & set(held)))


ACTS = (
    Act("Submit work", "Items, command line, `POST /api/v1/workflows/…/items`", (Action.SUBMIT,)),
    Act("Read items by the API", "`GET /api/v1/items/…`, `GET /api/v1/workflows/…/items`", (Action.VIEW,), also="with a key of that workflow"),
    Act("Approve, edit and approve, reject, escalate, send back", "item in review", (Action.REVIEW,)),
    Act("The same, with a sensitive field", "item in review", (Action.REVIEW, Action.DECIDE_SENSITIVE)),
    Act("Decide an escalated item", "escalated item", (Action.HANDLE_ESCALATION,)),
    Act("Decide an escalated item with a sensitive field", "escalated item", (Action.HANDLE_ESCALATION, Action.DECIDE_SENSITIVE)),
    Act("Complete by hand", "item that needs attention", (Action.REVIEW,)),
    Act("Close without a review", "item in review or that needs attention", (Action.REVIEW,)),
    Act("Try again", "item that needs attention or was skipped", (Action.REVIEW,), or_else=(Action.MANAGE,)),
    Act("Move to another workflow", "item", (Action.REVIEW,), also="and Submit on the other workflow"),
    Act("Split in two", "item", (Action.REVIEW, Action.SUBMIT)),
    Act("Claim, renew, release", "review", (Action.REVIEW,), also="for an escalation Take escalations"),
    Act("Take a claim over", "review", (Action.HANDLE_ESCALATION,), or_else=(Action.MANAGE,)),
    Act("Remind of an escalation", "Escalations", (Action.REVIEW,), or_else=(Action.HANDLE_ESCALATION, Action.MANAGE), also="or having asked"),
    Act("Send a delivery again, mark it as arrived", "delivery", (Action.REVIEW,)),
    Act("Export the register", "Register", (Action.EXPORT,)),
    Act("Read prompts and raw answers", "Runs", (Action.MODEL_LOGS,)),
    Act("Change a workflow, make a version, change a destination", "Workflows, Versions, Destinations", (Action.MANAGE,)),
    Act("Try a version, make it active, send a test to a destination", "Versions, the workflow's page", (Action.MANAGE,)),
    Act("Import cases, leave one out, run or stop an evaluation", "Cases, Versions, the workflow's page", (Action.MANAGE,)),
    Act("Erase an item or a person’s data, hold and release", "item, Erasures, the workflow's page", (Action.MANAGE,)),
    Act("Give and take permissions", "the table on the workflow's page", (Action.ACCESS,)),
    Act("Ask why somebody may or may not, list grants that may go", "the workflow's page", (Action.ACCESS,)),
    Act("Look as somebody else", "Why", (Action.ACCESS,), also="within the workflows whose access one manages; never as a superuser"),
    Act("Make an API key of one's own, rotate it", "API keys", (Action.ACCESS,)),
    Act("Revoke an API key", "API keys", (Action.ACCESS,)),
    Act("See who exported", "Exports", (Action.ACCESS,)),
    Act("Read the audit log of the workflow", "Audit log", (Action.ACCESS,)),
)  # fmt: skip


def written() -> str:
    """The whole file."""
    return "\n".join([*_head(), *_permissions(), *_presets(), *_acts(), *_screens(), *_rest()]) + "\n"


def _head() -> Iterator[str]:
    yield "# Who may do what"
    yield ""
    yield "Written by `manage.py write_permissions_doc` from the code; a test fails when it is stale. Do not edit it by hand."
    yield ""
    yield "Permissions are given on one workflow, to groups or to people, and decide everything below it: its items, sources,"
    yield "drafts, reviews, deliveries and register. What one may not see is not counted, not offered as a filter and not found by a"
    yield "search; its address answers as one that never was. Superusers may do everything but what takes two people: make a version active"
    yield "that they wrote, make themselves the owner, give the second approval to their own edits, from the first launch on."
    yield ""


def _permissions() -> Iterator[str]:
    yield "## The permissions"
    yield ""
    yield from _table(
        ("permission", "name in code", "who holds it", *(f"demo: {role}" for role in ROLES)),
        (
            (WORDS[action], f"`{action}`", MEANS[action], *(_yes(action in held) for held in ROLES.values()))
            for action in Action
        ),
    )  # fmt: skip


def _presets() -> Iterator[str]:
    yield "## The presets"
    yield ""
    yield "What a preset of the table ticks. Each row may end on a day; from the next day on it gives nothing."
    yield ""
    names = [name for name, held in PRESETS.items() if held]
    rows = ((WORDS[action], *(_yes(action in PRESETS[name]) for name in names)) for action in COLUMNS)
    yield from _table(("permission", *names), rows)


def _acts() -> Iterator[str]:
    yield "## What each act takes"
    yield ""
    yield "See items is needed for all of them."
    yield ""
    rows = (
        (act.name, act.where, act.takes(), *(_yes(act.open_to(held)) for held in ROLES.values()))
        for act in ACTS
    )
    yield from _table(("act", "where", "takes", *(f"demo: {role}" for role in ROLES)), rows)


def _screens() -> Iterator[str]:
    yield "## What each screen takes"
    yield ""
    registered = [
        one
        for one in admin.site._registry.values()
        if isinstance(one, ScopedAdmin) and one.model._meta.label_lower in PATHS
    ]
    rows = []
    for screen in sorted(registered, key=lambda one: str(one.opts.verbose_name_plural)):
        seeing = seen_with(screen.opts.label_lower)
        cells = [" or ".join(map(_word, seeing)), _word(screen.add_action), _word(screen.change_action)]
        open_to = (Action.VIEW in held and bool({*seeing} & {*held}) for held in ROLES.values())
        rows.append((_name(screen), *cells, *map(_yes, open_to)))
    yield from _table(("rows", "see", "add", "change", *(f"demo: {role}" for role in ROLES)), rows)


def _rest() -> Iterator[str]:
    yield "## What is not given per workflow"
    yield ""
    yield "- **Signing in** takes an active account with access to the admin; whose second factor, password and sessions it is, their own."
    yield "- **Making a workflow** takes the model permission `workflows.add_workflow`; who makes one receives Manage workflow and Manage access on it. In the demo: admin."
    yield "- **People, groups and the queue's tasks** are for superusers; model permissions open nothing there."
    yield "- **Nothing is deleted** in the admin: people are deactivated, workflows retired, keys revoked."


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(titles)
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _name(screen: ScopedAdmin) -> str:
    return str(screen.opts.verbose_name_plural).capitalize().replace("Api", "API")


def _word(action: Any) -> str:
    return WORDS[action] if action else "–"


def _yes(holds: bool) -> str:
    return "yes" if holds else "–"
