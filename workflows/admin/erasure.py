"""Screens of erasing: one item, a person's data, the holds, and the record of what was erased."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join

from workflows.access import Action, may, visible
from workflows.admin.base import ScopedAdmin, label
from workflows.admin.filters import WorkflowFilter
from workflows.admin.launching import status_of
from workflows.erasure.beyond import beyond_of
from workflows.erasure.erasing import Erased, count_parts, erase, refusals
from workflows.erasure.holds import place_hold, release_hold
from workflows.erasure.person import Found, search_person
from workflows.erasure.retention import kept_of
from workflows.erasure.scrubbing import is_scrubbed
from workflows.errors import InvalidInput, Refused
from workflows.models import Erasure, Item, LegalHold, Workflow

MOST_SHOWN = 200  # items of one person's preview; with more, the search was too wide to be read
RECORDS_SHOWN = 5


def confirmation(count: int) -> str:
    """What is typed to have it done: the number shows that the preview was read."""
    return f"erase {count}"


@admin.register(Erasure)
class ErasureAdmin(ScopedAdmin):
    list_display = ("at", "kind", "workflow", "items", "by_told", "reason")
    list_select_related = ("workflow", "by")
    list_filter = (WorkflowFilter, "kind")
    fields = (
        "at",
        "workflow",
        "kind",
        "items",
        "by_told",
        "reason",
        "erased_told",
        "not_reached_told",
        "end_told",
    )
    readonly_fields = fields
    list_before_template = "workflows/erasures_top.html"

    @label("by")
    def by_told(self, record: Erasure) -> str:
        if record.by is not None:
            return str(record.by.get_username())
        return "Countersign" if record.kind == Erasure.Kind.RETENTION else "the command line"

    @label("what was erased")
    def erased_told(self, record: Erasure) -> str:
        lines = ((name.capitalize(), count) for name, count in record.erased.items())
        return format_html_join("", "{}: {}<br>", lines) or "nothing"

    @label("what could not be reached")
    def not_reached_told(self, record: Erasure) -> str:
        return format_html_join("", "{}<br>", ((said,) for said in record.not_reached))

    @label("where it stands")
    def end_told(self, record: Erasure) -> str:
        if record.ended_at is None:
            return "Files are still to go; it is finished by itself within a minute."
        if not is_scrubbed(record):
            return (
                "Done. Its bytes are still in free space of the database file, until that is rebuilt: within a day, or at "
                "once by “manage.py erase --vacuum”."
            )
        return "Done."

    def get_urls(self) -> list[URLPattern]:
        person = self.admin_site.admin_view(self.person_view)
        return [path("person/", person, name="workflows_erasure_person"), *super().get_urls()]

    def person_view(self, request: HttpRequest) -> HttpResponse:
        """What is looked for is posted, so that no name comes into an address or a log of addresses."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        user: Any = request.user
        workflows = visible(user, Workflow.objects.order_by("name"), Action.MANAGE)
        if not workflows:
            raise Http404
        typed, status, said = request.POST, 200, ""
        context: dict[str, Any] = {
            "workflows": workflows,
            "text": typed.get("text", ""),
            "reason": typed.get("reason", ""),
        }
        if request.method == "POST":
            workflow = _chosen(typed.get("workflow", ""), workflows)
            context["workflow"] = workflow
            try:
                found = search_person(text=typed.get("text", ""), by=user, workflow=workflow)
                if typed.get("verb") == "erase":
                    done = _erase_found(request=request, found=found)
                    _tell(request=request, done=done)
                    return HttpResponseRedirect(reverse("admin:workflows_erasure_changelist"))
                context |= _preview(found=found, user=user)
            except _Changed as changed:
                said, status = str(changed), 409
                context |= _preview(found=found, user=user)
            except Refused as refused:
                said, status = str(refused), status_of(refused)
                if typed.get("verb") == "erase":
                    context |= _preview(found=found, user=user)
        return _page(
            self,
            request,
            "workflows/erase_person.html",
            {**context, "said": said, "title": "Erase a person’s data"},
            status,
        )


class _Changed(Refused):
    pass


def _chosen(sent: str, workflows: QuerySet[Workflow]) -> Workflow | None:
    if not sent:
        return None
    found = workflows.filter(pk=int(sent)).first() if sent.isdecimal() and len(sent) < 18 else None
    if found is None:
        raise Http404
    return found


def _seal(found: Found) -> str:
    """Of what the preview showed: what is erased is that, and nothing that came in meanwhile."""
    told = (sorted(found.items), sorted((pk, repr(one)) for pk, one in found.beside.items()))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def _erase_found(*, request: HttpRequest, found: Found) -> Erased:
    typed = request.POST
    if typed.get("seal") != _seal(found):
        raise _Changed("What is found is not what you were shown any more. Nothing was erased. Look again.")
    kept = {int(pk) for pk in typed.getlist("keep") if pk.isdecimal() and len(pk) < 18}
    if not found:
        raise InvalidInput("Nothing of it was found. Nothing was erased.")
    _check_confirmed(typed.get("confirm", ""), len(found.items))
    return erase(
        items=set(found.items) - kept, by=request.user, reason=typed.get("reason", ""), kind=Erasure.Kind.PERSON,
        beside=found.beside, unspoken=[typed.get("text", "").strip()],
    )  # fmt: skip


def _check_confirmed(typed: str, count: int) -> None:
    if " ".join(typed.split()).casefold() != confirmation(count):
        raise InvalidInput(
            f"Type “{confirmation(count)}” to confirm. Nothing was erased.", problems={"confirm": "Type it."}
        )


def _preview(*, found: Found, user: Any) -> dict[str, Any]:
    rows = visible(user, Item.objects.filter(pk__in=list(found.items), erased_at=None), Action.MANAGE)
    by_workflow: dict[int, list[Item]] = {pk: [] for pk in found.beside}
    for item in (
        rows.select_related("workflow")
        .defer("values", "route", "metadata", "note")
        .order_by("workflow", "pk")
    ):
        by_workflow.setdefault(item.workflow_id, []).append(item)
    shown = []
    for workflow in Workflow.objects.filter(pk__in=by_workflow).order_by("name"):
        items, beside = by_workflow[workflow.pk], found.beside.get(workflow.pk)
        refused = refusals(items=items, workflow_id=workflow.pk)
        going = [item.pk for item in items if item.pk not in refused]
        shown.append(
            {
                "workflow": workflow,
                "items": [{"row": one, "places": ", ".join(found.items[one.pk]), "refused": refused.get(one.pk, "")} for one in items[:MOST_SHOWN]],
                "more": max(0, len(items) - MOST_SHOWN),
                "parts": list(count_parts(items=going, workflow_id=workflow.pk, extra=beside).items()),
                "not_reached": [*beyond_of(items=going, by=user), *(beside.not_reached if beside else ())],
            }
        )  # fmt: skip
    return {
        "searched": True, "shown": shown, "seal": _seal(found), "count": len(found.items),
        "confirm": confirmation(len(found.items)),
    }  # fmt: skip


def _tell(*, request: HttpRequest, done: Erased) -> None:
    for said in list(done.refused.values())[:20]:
        messages.error(request, said)
    if done.records:
        count = done.items
        messages.success(
            request,
            f"{count} {'item was' if count == 1 else 'items were'} erased. What could not be reached stands in the record.",
        )
    elif not done.refused:
        messages.info(request, "There was nothing left to erase.")


def _page(
    screen: Any, request: HttpRequest, template: str, context: dict[str, Any], status: int
) -> HttpResponse:
    whole = {**screen.admin_site.each_context(request), "opts": screen.opts, **context}
    request.current_app = screen.admin_site.name
    return TemplateResponse(request, template, whole, status=status)


# One item


def item_erase_view(*, request: HttpRequest, item: Item, screen: Any) -> HttpResponse:
    """The item's own page of what would go, with its hold: `verb` is erase, hold or release."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    user: Any = request.user
    if not may(user, Action.MANAGE, item):
        raise PermissionDenied
    said, status = "", 200
    if request.method == "POST":
        try:
            if _act_on_item(request=request, item=item):
                return HttpResponseRedirect(reverse("admin:workflows_item_change", args=[item.pk]))
            return HttpResponseRedirect(request.path)
        except Refused as refused:
            said, status = str(refused), status_of(refused)
    refused_now = refusals(items=[item], workflow_id=item.workflow_id)
    context = {
        "original": item, "item": item, "title": "Erase or hold", "said": said, "reason": request.POST.get("reason", ""),
        "hold": LegalHold.objects.filter(item=item, released_at=None).select_related("by").first(),
        "refused": refused_now.get(item.pk, ""), "confirm": confirmation(1),
        "parts": list(count_parts(items=[item.pk], workflow_id=item.workflow_id).items()),
        "not_reached": beyond_of(items=[item.pk], by=user),
    }  # fmt: skip
    return _page(screen, request, "workflows/erase_item.html", context, status)


def _act_on_item(*, request: HttpRequest, item: Item) -> bool:
    """Whether it was erased, and not only held or released."""
    user, reason = request.user, request.POST.get("reason", "")
    match request.POST.get("verb"):
        case "erase":
            _check_confirmed(request.POST.get("confirm", ""), 1)
            done = erase(items=[item.pk], by=user, reason=reason)
            _tell(request=request, done=done)
            return not done.refused
        case "hold":
            place_hold(on=item, by=user, reason=reason)
            messages.success(request, "It is held: nothing of it is erased until the hold is released.")
        case "release":
            hold = LegalHold.objects.filter(item=item, released_at=None).first()
            _release(request=request, hold=hold, reason=reason)
        case _:
            raise InvalidInput("There is no such act. Nothing was changed.")
    return False


def _release(*, request: HttpRequest, hold: LegalHold | None, reason: str) -> None:
    if hold is None:
        raise InvalidInput("It is not held. Nothing was changed.")
    release_hold(hold=hold, by=request.user, reason=reason)
    messages.success(request, "The hold was released.")


# The workflow


def workflow_hold_view(*, request: HttpRequest, workflow: Workflow) -> None:
    """Hold the whole workflow, or release it. Raises Refused."""
    reason = request.POST.get("reason", "")
    if request.POST.get("verb") == "release":
        _release(
            request=request,
            hold=LegalHold.objects.filter(workflow=workflow, item=None, released_at=None).first(),
            reason=reason,
        )
        return
    place_hold(on=workflow, by=request.user, reason=reason)
    messages.success(
        request, "The whole workflow is held: nothing of it is erased until the hold is released."
    )


def kept_told(*, workflow: Workflow, user: Any) -> dict[str, Any] | None:
    """For the page of the workflow; None for who does not manage it."""
    if not may(user, Action.MANAGE, workflow):
        return None
    records: Collection[Erasure] = workflow.erasures.select_related("by")[:RECORDS_SHOWN]
    return {"kept": kept_of(workflow=workflow), "records": records}
