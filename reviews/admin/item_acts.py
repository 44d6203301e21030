"""What is done on the page of an item besides deciding it: claim, move, split, mend a delivery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse

from reviews.admin.claim_shown import review_of
from reviews.admin.deciding import number_of
from reviews.admin.source_views import SourceViews
from reviews.admin.typed_values import read_typed
from reviews.claims import claim, claim_next, claimed_by_another, holder, release, renew, take_over
from reviews.models import Review
from reviews.reasons import common_reasons
from workflows import handoff
from workflows.access import Action, may, visible
from workflows.drafting.typed import validate_values
from workflows.errors import Conflict, Refused
from workflows.models import Delivery, Item, Workflow
from workflows.moving import move_to_workflow, split_item
from workflows.transitions import InvalidTransition


class ItemActs(SourceViews):
    def own(self, route: str, view: Any, name: str, *, cacheable: bool = False) -> URLPattern:
        asked = self.admin_site.admin_view(view, cacheable=cacheable)
        return path(route, asked, name=f"workflows_item_{name}")

    # The claim

    def claim_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item: Item = self.get_object(request, object_id)
        return self._try(request, item, lambda: claim(review=_open_review(item), by=request.user))

    def renew_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Asked by the page while its person works."""
        item: Item = self.get_object(request, object_id)
        try:
            renewed = renew(review=_open_review(item), by=request.user)
        except Refused as refused:
            return JsonResponse({"said": str(refused)}, status=409)
        assert renewed.claimed_until is not None, "what was renewed has an end"
        return JsonResponse({"until": renewed.claimed_until.isoformat()})

    def release_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """With `next`, go to the next item; this one stays in review for others."""
        item: Item = self.get_object(request, object_id)
        review = review_of(item=item)
        if review is not None:
            release(review=review, by=request.user)
        if "next" in request.POST:
            messages.info(request, f"{item.title}: left for someone else.")
            return go_on(request, after=review)
        return to_item(item)

    def take_over_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item: Item = self.get_object(request, object_id)
        reason = request.POST.get("reason", "")
        return self._try(
            request, item, lambda: take_over(review=_open_review(item), by=request.user, reason=reason)
        )

    # Elsewhere, and in two

    def move_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item: Item = self.get_object(request, object_id)
        open_to = visible(request.user, Workflow.objects.all(), Action.SUBMIT)
        target = open_to.filter(pk=number_of(request.POST.get("workflow", "")) or 0).first()
        if target is None:
            messages.error(request, "Choose a workflow that you may submit to. Nothing was changed.")
            return to_item(item)

        def move() -> None:
            made = move_to_workflow(
                item=item, workflow=target, by=request.user, reason=request.POST.get("reason", ""), revision=_revision(request)
            )  # fmt: skip
            messages.success(request, f"{item.title}: moved to {made.workflow.name}. It is drafted there.")

        return self._try(request, item, move)

    def split_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item: Item = self.get_object(request, object_id)

        def split() -> None:
            review = review_of(item=item)
            has = holder(review=review) if review else None
            if review is not None and has is not None and has.pk != request.user.pk:
                raise claimed_by_another(review=review)
            made = split_item(
                item=item, by=request.user, reason=request.POST.get("reason", ""), revision=_revision(request),
                sources=[pk for pk in map(number_of, request.POST.getlist("sources")) if pk is not None],
                excerpt=request.POST.get("excerpt", ""),
            )  # fmt: skip
            messages.success(request, f"{item.title}: split in two. The second is “{made.title}”.")

        return self._try(request, item, split)

    def _try(self, request: HttpRequest, item: Item, act: Callable[[], Any]) -> HttpResponse:
        try:
            act()
        except (Refused, InvalidTransition) as refused:
            messages.error(request, str(refused))
        return to_item(item)

    # What the page asks while it is open

    def check_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """What is wrong with the values sent, by field, in words. Nothing is kept; the decision asks again."""
        item: Item = self.get_object(request, object_id)
        if not may(request.user, Action.REVIEW, item) and not may(
            request.user, Action.HANDLE_ESCALATION, item
        ):
            raise Http404
        version = item.version or item.workflow.version
        specs = version.specs() if version else ()
        values, problems = read_typed(fields=specs, typed=request.POST)
        found = validate_values(values=values, fields=[spec for spec in specs if spec.key in values])
        return JsonResponse({"problems": found | problems})

    def reasons_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item: Item = self.get_object(request, object_id)
        found = common_reasons(item=item, user=request.user, verb=request.GET.get("verb", ""))
        return render(request, "reviews/_reasons.html", {"reasons": found})

    # Deliveries

    def delivery_view(self, request: HttpRequest, object_id: str, delivery_id: int) -> HttpResponse:
        item: Item = self.get_object(request, object_id)
        delivery = get_object_or_404(
            visible(request.user, Delivery.objects.filter(item=item)), pk=delivery_id
        )
        reason = request.POST.get("reason", "").strip()
        try:
            match request.POST.get("verb"):
                case "send again":
                    handoff.resend(delivery=delivery, by=request.user)
                    messages.success(request, "It is sent again.")
                case "arrived" if reason:
                    handoff.mark_arrived(delivery=delivery, by=request.user, why=reason)
                    messages.success(request, "Marked as arrived.")
                case "arrived":
                    messages.error(
                        request, "Say how you know that it arrived, in a few words. Nothing was changed."
                    )
                case _:
                    messages.error(request, "There is no such act. Nothing was changed.")
        except (Refused, InvalidTransition) as refused:
            messages.error(request, str(refused))
        return to_item(item)


def _open_review(item: Item) -> Review:
    review = review_of(item=item)
    if review is None:
        raise Conflict(
            f"“{item.title}” does not wait for a decision now. Nothing was changed. Its timeline says what happened."
        )
    return review


def _revision(request: HttpRequest) -> int:
    revision = number_of(request.POST.get("revision", ""))
    return -1 if revision is None else revision  # none is like a stale one


def go_on(request: HttpRequest, *, after: Review | None = None) -> HttpResponseRedirect:
    """Claim the next item and open it; when nothing is left, the list of reviews."""
    found = claim_next(user=request.user, after=after)
    if found is None:
        messages.info(request, "Nothing to review. Every item you may review is decided or claimed.")
        return HttpResponseRedirect(reverse("admin:reviews_review_changelist"))
    messages.info(request, f"Now: {found.item.title}")
    return to_item(found.item)


def to_item(item: Item) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:workflows_item_change", args=[item.pk]))
