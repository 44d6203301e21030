"""The page of an item and what is decided on it. What else is done there stands in `item_acts`."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from reviews.admin.deciding import DONE, TYPED, decide, done, number_of
from reviews.admin.item_acts import ItemActs, go_on, to_item
from reviews.admin.item_page import item_page
from reviews.admin.typed_values import read_typed
from workflows.admin.erasure import item_erase_view
from workflows.errors import Conflict, InvalidInput, NotPermitted, Refused
from workflows.models import Item
from workflows.states import TO_DECIDE
from workflows.transitions import InvalidTransition
from workflows.viewed import note_view


class ItemPages(ItemActs):
    def get_urls(self) -> list[Any]:
        return [
            self.own("<path:object_id>/decide/", require_POST(self.decide_view), "decide"),
            self.own("<path:object_id>/claim/", require_POST(self.claim_view), "claim"),
            self.own("<path:object_id>/renew/", require_POST(self.renew_view), "renew"),
            self.own("<path:object_id>/release/", require_POST(self.release_view), "release"),
            self.own("<path:object_id>/take-over/", require_POST(self.take_over_view), "take_over"),
            self.own("<path:object_id>/move/", require_POST(self.move_view), "move"),
            self.own("<path:object_id>/split/", require_POST(self.split_view), "split"),
            self.own("<path:object_id>/check/", require_POST(self.check_view), "check"),
            self.own("<path:object_id>/erase/", self.erase_view, "erase"),
            self.own("<path:object_id>/reasons/", require_safe(self.reasons_view), "reasons"),
            self.own(
                "<path:object_id>/deliveries/<int:delivery_id>/", require_POST(self.delivery_view), "delivery"
            ),
            self.own("<path:object_id>/sources/<int:source_id>/", require_safe(self.source_view), "source"),
            self.own("<path:object_id>/sources/<int:source_id>/find/", require_safe(self.find_view), "find"),
            self.own(
                "<path:object_id>/sources/<int:source_id>/pages/<int:number>/<int:width>/",
                require_safe(self.picture_view),
                "picture",
                cacheable=True,
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        item = self.get_object(request, object_id)
        page = self.page(request, item)  # reads the fields, once for both
        # Whose eyes these really are, while somebody looks as somebody else.
        note_view(item=item, by=getattr(request, "viewer", request.user), way="admin")
        return page

    def erase_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return item_erase_view(request=request, item=self.get_object(request, object_id), screen=self)

    def page(
        self, request: HttpRequest, item: Item, *, typed: QueryDict | None = None, problems: dict[str, str] | None = None,
        said: str = "", status: int = 200, clashed: str = "",
    ) -> HttpResponse:  # fmt: skip
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": item.title, "original": item,
            **item_page(item=item, user=request.user, typed=typed, problems=problems, clashed=clashed), "said": said,
            # The source and the fields need the width, and the work here is this one item.
            "is_nav_sidebar_enabled": False, "is_fullwidth": "1",
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "reviews/item.html", context, status=status)

    def decide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item: Item = self.get_object(request, object_id)
        verb, typed = request.POST.get("verb", ""), request.POST
        if verb == "keep":  # after a conflict: what is saved stands
            return go_on(request) if item.state not in TO_DECIDE else to_item(item)
        if verb == "fill":  # after a conflict: the item as it is now, with what was typed in its fields
            return self.page(request, item, typed=typed)
        if verb not in DONE:
            return self.page(
                request,
                item,
                typed=typed,
                said="This is not a decision there is. Nothing was changed.",
                status=422,
            )
        try:
            # What stands in the fields is what is approved: an edit is never dropped because of the button.
            values = _typed_values(item=item, typed=typed) if verb in TYPED else None
            revision = number_of(typed.get("revision", ""))
            if revision is None:
                raise Conflict(
                    "It is not known which state of the item you saw. Nothing of yours was sent. Look again and decide."
                )
            decision = decide(
                item=item,
                by=request.user,
                verb=verb,
                values=values,
                reason=typed.get(f"reason-{verb}", "") or typed.get("reason", ""),
                revision=revision,
                seen=typed.getlist("seen"),
            )
        except InvalidInput as refused:
            return self.page(
                request, item, typed=typed, problems=refused.problems, said=str(refused), status=422
            )
        except NotPermitted as refused:
            return self.page(request, item, typed=typed, said=str(refused), status=403)
        except (Refused, InvalidTransition) as refused:
            # What was typed stays on the page, beside the item as it is now.
            fresh = self.get_object(request, object_id)
            return self.page(request, fresh, typed=typed, said=str(refused), status=409, clashed=str(refused))
        messages.success(request, done(item=item, verb=verb, decision=decision))
        if item.state not in TO_DECIDE:
            return to_item(item)  # nobody's list was worked through: stay with it
        return go_on(request)


def _typed_values(*, item: Item, typed: QueryDict) -> dict[str, Any]:
    version = item.version or item.workflow.version
    values, problems = read_typed(fields=version.specs() if version else (), typed=typed)
    if problems:
        raise InvalidInput(
            "Some values cannot be read. Nothing was changed, and what you typed still stands below.",
            problems=problems,
        )
    return values
