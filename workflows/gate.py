"""Before it goes live: a checklist, each line computed from rows that somebody can look at. Nothing here is ticked by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from workflows.access import Action, people_who_may
from workflows.measuring import cost_of_an_item
from workflows.models import (
    REGISTER,
    Brief,
    Budget,
    GrantChange,
    Version,
    Workflow,
)
from workflows.tried import Tried, tried
from workflows.worth import per_week

FEWEST_MESSY = 12
NOTHING_RIGHT = "Nothing was right about them. Look at why on the page of the evaluation, then change the version and measure it again."
WEEKS_OF_A_MONTH = Decimal(52) / 12


@dataclass(frozen=True, slots=True)
class Check:
    """`evidence` is what was found; `to_do` what is missing, empty when met. `place` names the screen that mends it."""

    key: str
    title: str
    met: bool
    evidence: str
    to_do: str
    place: str


def checks(*, workflow: Workflow) -> list[Check]:
    """As it stands now. Constant in queries, whatever there is of each."""
    brief = Brief.objects.select_related("deputy", "access_reviewed_by").filter(workflow=workflow).first()
    brief = brief or Brief(workflow=workflow)
    version = workflow.version
    return [
        _people(workflow=workflow, brief=brief),
        _reviewers(workflow=workflow, version=version),
        _metric(brief=brief),
        *_cases(workflow=workflow, version=version),
        _destinations(workflow=workflow),
        _access(workflow=workflow, brief=brief),
        _budget(workflow=workflow, brief=brief),
        _instructions(brief=brief),
        _follow_up(brief=brief),
    ]


def unmet(found: Iterable[Check]) -> list[Check]:
    return [check for check in found if not check.met]


def _check(key: str, title: str, *, evidence: str = "", to_do: str = "", place: str) -> Check:
    return Check(key=key, title=title, met=not to_do, evidence=evidence, to_do=to_do, place=place)


def _people(*, workflow: Workflow, brief: Brief) -> Check:
    owner, deputy = workflow.owner, brief.deputy
    to_do = ""
    if owner is None:
        to_do = "Nobody owns it. Name an owner."
    elif not owner.is_active:
        to_do = f"{_name(owner)}, the owner, has left. Name another."
    elif deputy is None:
        to_do = "Name a deputy, who answers for it when the owner is away."
    elif not deputy.is_active:
        to_do = f"{_name(deputy)}, the deputy, has left. Name another."
    elif deputy.pk == owner.pk:
        to_do = "Owner and deputy are the same person. Name another deputy."
    named = "; ".join(_name(person) for person in (owner, deputy) if person)
    place = "brief" if owner is not None and owner.is_active else "settings"
    return _check("people", "Owner and deputy", evidence=named, to_do=to_do, place=place)


def _reviewers(*, workflow: Workflow, version: Version | None) -> Check:
    """Active members of the reviewers' group who see the items and may review them: nobody is counted for a name in a list."""
    title = "Reviewers who can really decide"
    if workflow.reviewers_id is None:
        return _check("reviewers", title, to_do="It has no reviewers’ group. Choose one.", place="settings")
    may_see = people_who_may(action=Action.VIEW, workflow=workflow).order_by().values("pk")
    may_review = people_who_may(action=Action.REVIEW, workflow=workflow).order_by().values("pk")
    may_sensitive = people_who_may(action=Action.DECIDE_SENSITIVE, workflow=workflow).order_by().values("pk")
    users = get_user_model().objects
    people = users.filter(groups=workflow.reviewers_id, pk__in=may_review).filter(pk__in=may_see)
    count = people.count()
    sensitive = version is not None and version.fields.filter(sensitive=True).exists()
    # Whoever may decide sensitive items does not have to be of the group: others see the item and ask them.
    seniors = users.filter(pk__in=may_sensitive).filter(pk__in=may_see).filter(pk__in=may_review).count()
    evidence = f"{count} {'person' if count == 1 else 'people'} of {workflow.reviewers} may review"
    if sensitive:
        evidence += f"; {seniors} may decide sensitive items"
    to_do = ""
    if not count:
        to_do = f"Nobody of {workflow.reviewers} may see and review its items. Give the group the permission."
    elif sensitive and not seniors:
        to_do = "It has sensitive fields, and nobody may decide them. Give somebody “Decide sensitive”."
    return _check("reviewers", title, evidence=evidence, to_do=to_do, place="access")


def _metric(*, brief: Brief) -> Check:
    wanted = (
        ("a name", brief.metric_name), ("a unit", brief.metric_unit), ("a baseline", brief.metric_baseline is not None),
        ("a target", brief.metric_target is not None),
    )  # fmt: skip
    missing = [name for name, said in wanted if not said]
    evidence = to_do = ""
    if missing:
        to_do = f"The metric needs {_listed(missing)}."
    else:
        baseline, target = number(brief.metric_baseline), number(brief.metric_target)
        evidence = f"{brief.metric_name}: {baseline} {brief.metric_unit} today, target {target}. {brief.get_metric_source_display()}"
        if brief.metric_baseline == brief.metric_target:
            to_do = "Baseline and target of the metric are the same. Say what is to change."
    return _check("metric", "Metric with baseline and target", evidence=evidence, to_do=to_do, place="metric")


def _cases(*, workflow: Workflow, version: Version | None) -> list[Check]:
    """What counts is what the active version was really tried on, since it last changed."""
    found = tried(workflow=workflow, version=version)
    messy = _messy(found=found)
    return [messy, _evaluation(found=found, version=version)]


def _messy(*, found: Tried) -> Check:
    count, known = len(found.messy), found.known_messy
    counted = Counter(kind for kinds in found.messy for kind in kinds)
    evidence = f"{count} of {FEWEST_MESSY} needed"
    if counted:
        evidence += ": " + ", ".join(f"{count} {kind}" for kind, count in counted.most_common(3))
    to_do = ""
    if known < FEWEST_MESSY:
        to_do = f"{known} cases are marked messy, and {FEWEST_MESSY} are needed. Add some, then run an evaluation."
        if known < found.marked_messy:
            to_do = (
                f"{found.marked_messy} cases are marked messy, {known} of them count, and {FEWEST_MESSY} are needed. A copy of "
                "another case counts once; one to be skipped, or one to be drafted without gold values, does not. Add some, then run an evaluation."
            )
    elif count < FEWEST_MESSY:
        to_do = f"{count} of {known} messy cases were tried with the active version. Run an evaluation."
    elif not found.some_messy_right:
        to_do = NOTHING_RIGHT
    return _check(
        "messy", "Messy inputs tried", evidence=evidence, to_do=to_do, place="cases" if known < FEWEST_MESSY else "evaluation"
    )  # fmt: skip


def _evaluation(*, found: Tried, version: Version | None) -> Check:
    done, of, last = found.measured, found.inputs, found.last
    evidence = to_do = ""
    if version is None:
        to_do = "It has no active version. Make one active, then measure it."
    elif not of:
        to_do = "It has no cases to measure it on. Add labelled examples, then run an evaluation."
    elif found.without_gold:
        to_do = (
            f"{found.without_gold} {'case is' if found.without_gold == 1 else 'cases are'} to be drafted without a gold value, so nothing "
            "there can be right. Add what is right, or leave them out."
        )
    elif not done:
        to_do = f"Version {version.number} was not measured on the {of} cases yet. Run an evaluation."
    elif done < of:
        to_do = f"Version {version.number} was measured on {done} of {of} cases, as they are today. Run it on all of them."
    elif not found.some_right:
        to_do = NOTHING_RIGHT
    if version is not None and last is not None:
        evidence = f"Version {version.number} on {done} of {of} cases, {day(last['ended_at'])}"
        if last["due"]:
            evidence += f": {last['right']} of {last['due']} fields right"
    place = "evaluation" if of and not found.without_gold else "cases"
    return _check("evaluation", "Evaluation on record", evidence=evidence, to_do=to_do, place=place)


def _destinations(*, workflow: Workflow) -> Check:
    active = list(workflow.destinations.filter(active=True))
    untested = [one.name for one in active if one.kind != REGISTER and one.tested_at is None]
    evidence = "; ".join(
        f"{one.name}: part of this installation"
        if one.kind == REGISTER
        else f"{one.name}: a test arrived {day(one.tested_at)}"
        for one in active
        if one.kind == REGISTER or one.tested_at
    )
    to_do = ""
    if not active:
        to_do = "No destination is switched on: accepted results would go nowhere."
    elif untested:
        to_do = f"No test has arrived at {_listed(untested)} with the settings of today. Send one."
    return _check("destinations", "Destination tested", evidence=evidence, to_do=to_do, place="destinations")


def _access(*, workflow: Workflow, brief: Brief) -> Check:
    at = brief.access_reviewed_at
    newest = GrantChange.objects.filter(workflow=workflow).values_list("at", flat=True).first()
    evidence = to_do = ""
    if at is not None and brief.access_reviewed_by is not None:
        evidence = f"Looked through by {_name(brief.access_reviewed_by)}, {day(at)}"
    if at is None:
        to_do = "Nobody has looked through who may do what."
    elif newest is not None and newest >= at:
        to_do = f"Permissions changed on {day(newest)}, after somebody looked through them. Look again."
    return _check("access", "Permissions looked through", evidence=evidence, to_do=to_do, place="access")


def _budget(*, workflow: Workflow, brief: Brief) -> Check:
    title, currency = "Budget and expected month", currency_told()
    limit = Budget.objects.filter(workflow=workflow).values_list("per_month", flat=True).first()
    items, cost = per_week(brief=brief), cost_of_an_item(workflow=workflow)
    evidence = f"{number(limit)} {currency} a month set" if limit is not None else ""
    expected = ""
    if cost is not None and items is not None:
        low, high = (money(cost * count * WEEKS_OF_A_MONTH) for count in (items.low, items.high))
        expected = f"{low} to {high} {currency} expected" if low != high else f"{low} {currency} expected"
        if cost == 0:
            expected = f"0 {currency} expected: the model runs here"
    to_do, place = "", "budget"
    if limit is None:
        to_do = "Set what the model may cost in a month."
    elif items is None:
        to_do, place = "Say how many items a week there are: then the month can be expected.", "often"
    elif cost is None:
        to_do = "What an item costs is not known: nothing was drafted yet, or the model has no price. Enter the price, or run an evaluation."
    elif cost * items.high * WEEKS_OF_A_MONTH > limit:
        to_do = f"{expected}, more than the {number(limit)} {currency} that it may cost. Raise the budget, or take a cheaper model."
    said = "; ".join(part for part in (evidence, expected) if part)
    return _check("budget", title, evidence=said, to_do=to_do, place=place)


def _instructions(*, brief: Brief) -> Check:
    words = len(brief.instructions.split())
    evidence = f"{words} {'word' if words == 1 else 'words'}, shown on the review screen" if words else ""
    to_do = "" if words else "None written. Reviewers see no instructions."
    return _check("instructions", "Staff instructions", evidence=evidence, to_do=to_do, place="instructions")


def _follow_up(*, brief: Brief) -> Check:
    on = brief.follow_up_on
    to_do = ""
    if on is None:
        to_do = "Set the day on which somebody looks back at whether it was worth it."
    elif on <= timezone.localdate():
        to_do = f"The day, {day(on)}, has come. Write down what was found, or set a later one."
    return _check(
        "follow_up", "Follow-up review", evidence=day(on) if on else "", to_do=to_do, place="follow_up"
    )


# --- words


def currency_told() -> str:
    return str(getattr(settings, "CURRENCY", "USD"))


def day(at: Any) -> str:
    if isinstance(at, datetime):
        at = timezone.localtime(at)
    return f"{at.day} {at:%b %Y}"


def number(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():,f}"


def money(value: Decimal) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _name(person: Any) -> str:
    return str(person.get_full_name() or person.get_username())
