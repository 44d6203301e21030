"""In-app help: the chapters are the pages of `docs/`, so that help and documents are one text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt

from workflows.access import Action, may

FOLDER = settings.BASE_DIR / "docs"


@dataclass(frozen=True, slots=True)
class Chapter:
    slug: str  # also the file's name
    title: str
    about: str
    for_those_who: tuple[Action, ...]  # any of them; empty: nobody in particular


CHAPTERS = (
    Chapter("reviewers", "Reviewing items", "The list, the claim, the screen, its keys, and each decision.",
            (Action.SUBMIT, Action.REVIEW, Action.HANDLE_ESCALATION)),
    Chapter("managers", "Following the work", "Home, the register and its export, what is stuck and whose it is.",
            (Action.REPORTS, Action.EXPORT)),
    Chapter("metrics", "What the figures mean", "Each figure of the reports, its formula, and what it leaves out.",
            (Action.REPORTS,)),
    Chapter("admins", "Setting up a workflow", "Versions, rules, people, destinations, and who may do what.",
            (Action.MANAGE, Action.ACCESS)),
    Chapter("permissions", "Who may do what", "Each permission, and the screens, calls and buttons it opens.", ()),
)  # fmt: skip
BY_SLUG = {chapter.slug: chapter for chapter in CHAPTERS}


@dataclass(frozen=True, slots=True)
class Hint:
    """One sentence above a list, and where to read on: a chapter and a heading of it."""

    text: str
    chapter: str
    heading: str


# By the model of a list. A list that is missing here shows none; a test names it.
HINTS: dict[str, Hint] = {
    "workflows.item": Hint("Every item you may see, in every state.", "reviewers", "What the states mean"),
    "reviews.review": Hint("What waits for a decision, most urgent first.", "reviewers", "The review list"),
    "reviews.escalation": Hint("Decisions that somebody asked of somebody else.", "reviewers", "Escalations"),
    "reviews.stuck": Hint("Something failed here, and a person has the next step.", "reviewers", "Needs attention"),
    "workflows.registerentry": Hint("Every accepted result, with who accepted it.", "managers", "The register"),
    "workflows.registerexport": Hint("Who took rows of the register out, and which.", "admins", "Exports on record"),
    "workflows.auditevent": Hint("What happened, who did it, and that nobody changed the record.", "admins", "The audit log"),
    "workflows.erasure": Hint("What was erased, when and why, and what could not be reached.", "admins", "How long content is kept, and erasing it"),
    "workflows.delivery": Hint("Each result on its way to one destination.", "managers", "Deliveries"),
    "workflows.workflow": Hint("One repeated task with its people, versions and destinations.", "admins", "Make a workflow"),
    "workflows.version": Hint("What the model is asked, and when a person must look.", "admins", "Versions"),
    "workflows.case": Hint("One input and what a careful person would make of it.", "admins", "Cases and evaluations"),
    "workflows.evaluation": Hint("A version over all cases: how many fields are right.", "admins", "Cases and evaluations"),
    "workflows.destination": Hint("Where approved results go.", "admins", "Destinations"),
    "workflows.run": Hint("What the model was asked, and what it answered.", "admins", "Runs"),
    "workflows.apikey": Hint("Who may submit and read by the API.", "admins", "API keys"),
}  # fmt: skip


def chapters_for(*, user: Any) -> tuple[list[Chapter], list[Chapter]]:
    """Those about what this person may do, and the others."""
    mine = [one for one in CHAPTERS if any(may(user, action) for action in one.for_those_who)]
    if user.has_perm("workflows.add_workflow") and BY_SLUG["admins"] not in mine:
        mine.append(BY_SLUG["admins"])
    return mine, [one for one in CHAPTERS if one not in mine]


def headings(*, slug: str) -> Iterator[tuple[str, str]]:
    """Anchor and text of each second-level heading."""
    for line in _text(slug).splitlines():
        if line.startswith("## "):
            yield slugify(line[3:]), line[3:].strip()


@cache
def rendered(*, slug: str) -> SafeString:
    """The chapter as HTML, without its title. Raw HTML in it is shown, not run; links to other chapters stay in the help."""
    made = MarkdownIt("commonmark", {"html": False}).enable("table").render(_text(slug).partition("\n")[2])
    made = re.sub(
        r"<h([23])>(.*?)</h\1>",
        lambda match: f'<h{match[1]} id="{slugify(match[2])}">{match[2]}</h{match[1]}>',
        made,
    )
    made = re.sub(r'<a href="([\w-]+)\.md(#[\w-]*)?">(.*?)</a>', _to_chapter, made)
    # A wide table scrolls by itself, and by keyboard, instead of the whole page.
    made = made.replace(
        "<table>", '<div class="cs-scroll" tabindex="0" role="region" aria-label="Table"><table>'
    )
    return mark_safe(made.replace("</table>", "</table></div>"))  # noqa: S308 - our own files, and raw HTML is off


def _to_chapter(match: re.Match[str]) -> str:
    """A page of `docs/` that is no chapter is named: the help does not serve it."""
    slug, anchor, text = match[1], match[2] or "", match[3]
    return f'<a href="../{slug}/{anchor}">{text}</a>' if slug in BY_SLUG else f"<code>docs/{slug}.md</code>"


@cache
def _text(slug: str) -> str:
    return (FOLDER / f"{BY_SLUG[slug].slug}.md").read_text(encoding="utf-8")
