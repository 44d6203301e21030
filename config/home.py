"""Home: what waits for the person who opens it, by what they may do. Every count starts from the one door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from reviews.claims import to_decide
from reviews.counting import count_each, on_me, open_escalations, stuck, told, waiting
from reviews.models import Review
from workflows.access import Action, may, visible
from workflows.admin.telling import due, duration
from workflows.gate import day
from workflows.models import Brief, Decision, Delivery, Destination, Item, Stage, Version, Workflow
from workflows.states import FOR_THE_WORKER, State

MOST_URGENT = 6
MOST_WAITING = 5
MOST_WORKFLOWS = 30
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Tile:
    """`tone`: bad, warn or empty. `link` leads to the rows that were counted."""

    count: str
    text: str
    link: str
    tone: str = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    user: Any = request.user
    decides = may(user, Action.REVIEW) or may(user, Action.HANDLE_ESCALATION)
    leads = may(user, Action.REPORTS) or may(user, Action.MANAGE)
    context |= {
        "sees": may(user, Action.VIEW),
        "decides": decides,
        "reviews": may(user, Action.REVIEW),
        "submits": may(user, Action.SUBMIT),
        "leads": leads,
    }
    if decides:
        context |= _own_work(request)
    if leads:
        context |= _of_workflows(user)
    if may(user, Action.MANAGE):
        context["gaps"] = _gaps(user)
        context["look_backs"] = _look_backs(user)
    if context["sees"]:
        context["tiles"] = _tiles(user)
    return context


# Whoever decides


def _own_work(request: HttpRequest) -> dict[str, Any]:
    user: Any = request.user
    counts = waiting(request)
    mine = counts["mine"] + counts["on me"]
    now = timezone.now()
    claimed = to_decide(user=user).filter(claimed_by=user, claimed_until__gte=now).select_related("item")
    today = Decision.objects.filter(
        by=user, created_at__gte=timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    )
    decided = count_each({"decided": today, "edited": today.filter(kind=Decision.Kind.EDIT)})
    return {
        "mine": told(mine),
        "mine_count": mine,
        "late": counts["late"] + counts["on me late"],
        "today": counts["today"],
        "to_review": counts["mine"],
        "on_me": counts["on me"],
        "claimed": claimed.order_by("claimed_until").first(),
        "claimed_count": counts["claimed"],
        "urgent": _urgent(user),
        "asked": [
            {
                "title": row.item.title,
                "link": _item_link(row.item_id),
                "group": row.group.name if row.group else "",
                "due": due(row.due_at),
            }
            for row in _readable(open_escalations(user=user).filter(asked_by=user))
            .select_related("item", "group")
            .order_by("due_at", "pk")[:MOST_WAITING]
        ],
        "decided": told(decided["decided"]),
        "edited": told(decided["edited"]),
    }


def _urgent(user: Any) -> list[dict[str, Any]]:
    """The first of both lists: each is read in order by its own index."""
    found: list[Review] = []
    for rows in (to_decide(user=user), on_me(user=user)):
        found += _readable(rows).select_related("item", "workflow").order_by("due_at", "pk")[:MOST_URGENT]
    found.sort(key=lambda review: (review.due_at, review.pk))
    return [_told(review) for review in found[:MOST_URGENT]]


def _readable(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.defer("item__values", "item__metadata", "item__note", "item__problem")


def _told(review: Review) -> dict[str, Any]:
    reasons = (review.item.route or {}).get("reasons", [])
    return {
        "title": review.item.title,
        "link": _item_link(review.item_id),
        "workflow": review.workflow.name,
        "due": due(review.due_at),
        "reasons": reasons[:2],
        "more": max(0, len(reasons) - 2),
    }


def _item_link(pk: int) -> str:
    return reverse("admin:workflows_item_change", args=[pk])


# Whoever answers for workflows


def _of_workflows(user: Any) -> dict[str, Any]:
    now = timezone.now()
    led = _led(user).order_by("name")
    attention = stuck(user=user).filter(workflow__in=led)
    skipped = visible(user, Item.objects.filter(state=State.SKIPPED, state_since__gte=now - WEEK))
    decided = visible(user, Decision.objects.filter(created_at__gte=now - WEEK)).filter(
        item__workflow__in=led
    )
    kinds: dict[str, QuerySet[Any]] = {str(kind): decided.filter(kind=kind) for kind in Decision.Kind}
    counts = count_each(
        {
            "stuck": attention,
            "no owner": attention.filter(workflow__owner=None),
            "skipped": skipped.filter(workflow__in=led),
            **kinds,
        }
    )
    longest = attention.order_by("state_since").values_list("state_since", flat=True).first()
    return {
        "stuck": told(counts["stuck"]),
        "stuck_count": counts["stuck"],
        "no_owner": counts["no owner"],
        "longest": duration(round((now - longest).total_seconds() / 60)) if longest else "",
        "skipped": told(counts["skipped"]),
        "skipped_link": f"{reverse('admin:workflows_item_changelist')}?state__exact=skipped",
        "week": [{"count": told(counts[str(kind)]), "text": kind.label} for kind in Decision.Kind],
        "workflows": _per_workflow(led[:MOST_WORKFLOWS], now=now),
    }


def _led(user: Any) -> QuerySet[Workflow]:
    """The workflows whose reports they may see or that they manage."""
    reports = visible(user, Workflow.objects.all(), Action.REPORTS).values("pk")
    managed = visible(user, Workflow.objects.all(), Action.MANAGE).values("pk")
    return Workflow.objects.filter(Q(pk__in=reports) | Q(pk__in=managed)).exclude(stage=Stage.RETIRED)


def _per_workflow(led: QuerySet[Workflow], *, now: Any) -> list[dict[str, Any]]:
    workflows = list(led)
    reviews = Review.objects.filter(state=Review.State.OPEN)
    questions: dict[str, QuerySet[Any]] = {}
    for one in workflows:
        own = reviews.filter(workflow=one)
        questions |= {
            f"{one.pk} to review": own.filter(kind=Review.Kind.DECISION),
            f"{one.pk} late": own.filter(due_at__lt=now),
            f"{one.pk} escalated": own.filter(kind=Review.Kind.ESCALATION),
            f"{one.pk} attention": Item.objects.filter(workflow=one, state=State.ATTENTION),
        }
    counts = count_each(questions)
    return [
        {
            "name": one.name,
            "stage": one.get_stage_display(),
            "link": f"{reverse('admin:workflows_item_changelist')}?workflow__id__exact={one.pk}",
            **{
                key: {"count": counts[f"{one.pk} {name}"], "told": told(counts[f"{one.pk} {name}"])}
                for key, name in (
                    ("to_review", "to review"), ("late", "late"), ("escalated", "escalated"), ("attention", "attention"),
                )
            },
        }
        for one in workflows
    ]  # fmt: skip


# Whoever sets workflows up


def _gaps(user: Any) -> list[dict[str, str]]:
    """What keeps a workflow from working, each with the page on which it is mended."""
    managed = visible(user, Workflow.objects.exclude(stage=Stage.RETIRED), Action.MANAGE).order_by("name")
    failing = Destination.objects.filter(
        workflow__in=managed, active=True, deliveries__state__in=(Delivery.State.DEAD, Delivery.State.UNCERTAIN),
        deliveries__item__state=State.ATTENTION,
    )  # fmt: skip
    gaps = []
    drafts = Version.objects.filter(workflow=OuterRef("pk"))
    for workflow in managed.annotate(has_versions=Exists(drafts))[:MOST_WORKFLOWS]:
        link = reverse("admin:workflows_workflow_change", args=[workflow.pk])
        if workflow.version_id is None:
            text = "has versions, and none is active" if workflow.has_versions else "has no version yet"
            gaps.append({"name": workflow.name, "text": f"{text}: nothing is drafted", "link": link})
        if workflow.reviewers_id is None:
            gaps.append({"name": workflow.name, "text": "has no group of reviewers", "link": link})
    for destination in failing.annotate(failed=Count("deliveries")).select_related("workflow")[
        :MOST_WORKFLOWS
    ]:
        waits = "delivery waits" if destination.failed == 1 else "deliveries wait"
        gaps.append(
            {
                "name": destination.workflow.name,
                "text": f"{destination.name} did not take results: {destination.failed} {waits} for a person",
                "link": reverse("admin:reviews_stuck_changelist"),
            }
        )
    return gaps


def _look_backs(user: Any) -> list[dict[str, str]]:
    """Whether it was worth it: promised for a day that has come, and asked of the owner."""
    owned = visible(user, Brief.objects.filter(workflow__owner=user.pk), Action.MANAGE).select_related(
        "workflow"
    )
    due_ones = owned.filter(
        workflow__stage__in=(Stage.LIVE, Stage.PAUSED), follow_up_on__lte=timezone.localdate()
    ).order_by("follow_up_on", "pk")
    return [
        {
            "name": one.workflow.name,
            "since": day(one.follow_up_on),
            "link": f"{reverse('admin:workflows_workflow_brief', args=[one.workflow_id])}#look-back",
        }
        for one in due_ones[:MOST_WORKFLOWS]
    ]


# Everybody who sees items


def _tiles(user: Any) -> list[Tile]:
    items = reverse("admin:workflows_item_changelist")
    seen = visible(user, Item.objects.all())
    dead = visible(user, Delivery.objects.filter(state=Delivery.State.DEAD))
    wanted: list[tuple[str, QuerySet[Any], str, str]] = [
        ("in review", seen.filter(state=State.IN_REVIEW), f"{items}?state__exact=in_review", ""),
        ("escalated", open_escalations(user=user), reverse("admin:reviews_escalation_changelist"), ""),
        ("need attention", stuck(user=user), reverse("admin:reviews_stuck_changelist"), "warn"),
        ("deliveries refused", dead, f"{reverse('admin:workflows_delivery_changelist')}?state__exact=dead", "bad"),
        ("being drafted", seen.filter(state__in=FOR_THE_WORKER), f"{items}?state__in=received,working", ""),
        ("approved, not yet delivered", seen.filter(state=State.APPROVED), f"{items}?state__exact=approved", ""),
        ("delivered", seen.filter(state=State.DELIVERED), f"{items}?state__exact=delivered", ""),
        ("skipped", seen.filter(state=State.SKIPPED), f"{items}?state__exact=skipped", ""),
    ]  # fmt: skip
    counts = count_each({text: rows for text, rows, _, _ in wanted})
    return [
        Tile(count=told(counts[text]), text=text, link=link, tone=tone if counts[text] else "")
        for text, _, link, tone in wanted
    ]
