"""Needs attention: what happened, what was kept, the next step as a button, and whose it is.

The buttons post to the pages of the item, which do what they always do.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from reviews.admin.list_filters import SeenWorkflowDropdown
from reviews.admin.worklists import WorkList, address, told_due, told_item
from reviews.claims import name_of
from reviews.counting import stuck
from reviews.models import Stuck
from workflows.access import Action, may
from workflows.admin.base import label
from workflows.models import Delivery

FAILED = (Delivery.State.DEAD, Delivery.State.UNCERTAIN)


@admin.register(Stuck)
class StuckAdmin(WorkList):
    heading = "Needs attention"
    list_display = ("due_told", "item_told", "happened", "kept", "whose", "acts")
    list_select_related = ("workflow__reviewers", "workflow__owner")
    list_filter = (SeenWorkflowDropdown,)
    list_before_template = "reviews/attention_top.html"
    search_fields = ("title", "external_id")
    search_help_text = "Title or reference"
    deferred = ("values", "route", "metadata", "note")
    empty_title = "Nothing needs attention"
    empty_text = "What could not be drafted, read or handed over appears here, with what to do next."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        sent = Delivery.objects.exclude(state=Delivery.State.CANCELLED).select_related("destination")
        sent = sent.defer("payload").order_by("-pk")
        return stuck(user=request.user).prefetch_related(
            Prefetch("deliveries", queryset=sent, to_attr="sent")
        )

    @label("due", order="due_at")
    def due_told(self, item: Stuck) -> str:
        return told_due(item.due_at) if item.due_at else "–"

    @label("item", order="title")
    def item_told(self, item: Stuck) -> str:
        return told_item(item, below=item.workflow.name)

    @label("what happened")
    def happened(self, item: Stuck) -> str:
        return _problem(item, "happened")

    @label("what was kept")
    def kept(self, item: Stuck) -> str:
        return _problem(item, "kept")

    @label("whose it is")
    def whose(self, item: Stuck) -> str:
        workflow = item.workflow
        owner = f"owner: {name_of(workflow.owner)}" if workflow.owner else "no owner"
        group = workflow.reviewers.name if workflow.reviewers else "Nobody"
        return format_html('{}<span class="cs-below">{}</span>', group, owner)

    @label("next step")
    def acts(self, item: Stuck) -> str:
        viewer = item.viewer  # type: ignore[attr-defined]
        reviews = may(viewer, Action.REVIEW, item)
        buttons = []
        sent: list[Delivery] = item.sent  # type: ignore[attr-defined]
        if sent and reviews:
            buttons += [_again(item, delivery) for delivery in _to_send_again(sent)]
        elif not sent and (reviews or may(viewer, Action.MANAGE, item)):
            buttons.append(
                format_html(
                    '<button class="cs-button cs-slim" form="again" formaction="{}" name="revision" value="{}" '
                    'aria-label="{}">Try again</button>',
                    reverse("admin:workflows_item_decide", args=[item.pk]), item.revision, f"Try again: {item.title}",
                )
            )  # fmt: skip
        told = "Fill in by hand" if reviews and not sent else "Open"
        buttons.append(format_html('<a class="cs-button cs-slim" href="{}">{}</a>', address(item), told))
        return format_html(
            '<span class="cs-below">{}</span><span class="cs-acts">{}</span>',
            _problem(item, "next_step"), format_html_join("", "{}", ((one,) for one in buttons)),
        )  # fmt: skip


def _problem(item: Stuck, part: str) -> str:
    return str((item.problem or {}).get(part) or "–")


def _to_send_again(sent: list[Delivery]) -> list[Delivery]:
    """The newest of each result that failed, where none arrived or is on its way."""
    newest: dict[tuple[int, int], Delivery] = {}
    moving = set()
    for delivery in sent:
        result = (delivery.decision_id, delivery.destination_id)
        newest.setdefault(result, delivery)
        if delivery.state not in FAILED:
            moving.add(result)
    return [delivery for result, delivery in newest.items() if result not in moving]


def _again(item: Stuck, delivery: Delivery) -> str:
    # The same result must not come twice by a click: where it is unknown, the person looks there first.
    if delivery.state == Delivery.State.UNCERTAIN:
        return format_html('<a class="cs-button cs-slim" href="{}">Say whether it arrived</a>', address(item))
    return format_html(
        '<button class="cs-button cs-slim" form="send" formaction="{}" aria-label="{}">Send again to {}</button>',
        reverse("admin:workflows_item_delivery", args=[item.pk, delivery.pk]),
        f"Send again to {delivery.destination.name}: {item.title}", delivery.destination.name,
    )  # fmt: skip
