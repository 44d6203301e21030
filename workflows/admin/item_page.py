"""What the page of an item shows to one user."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.http import QueryDict

from workflows.access import Action, may, visible
from workflows.admin.typed_values import Input, inputs_of
from workflows.decisions import may_decide
from workflows.models import Delivery, FieldResult, Item, Page, Run, Source
from workflows.states import LABELS, TO_DECIDE, State

MOST_CHARACTERS = 100_000  # of a source on the page; the file itself can be taken home
MOST_EVENTS = 100


def item_page(
    *, item: Item, user: Any, typed: QueryDict | None = None, problems: dict[str, str] | None = None
) -> dict[str, Any]:
    specs = item.version.specs() if item.version else ()
    reviews = may(user, Action.REVIEW, item)
    return {
        "item": item,
        "state": LABELS[State(item.state)],
        "fields": _fields(
            item=item,
            inputs=inputs_of(fields=specs, values=item.values or {}, typed=typed, problems=problems),
        ),
        "reasons": (item.route or {}).get("reasons", []),
        "problem": item.problem,
        "sources": _sources(item=item, user=user),
        "deliveries": visible(user, Delivery.objects.filter(item=item))
        .select_related("destination")
        .prefetch_related("attempts"),
        "may_change_deliveries": reviews,
        "events": item.history.select_related("history_user").order_by("-history_date", "-history_id")[
            :MOST_EVENTS
        ],
        "decided": item.decisions.select_related("by"),
        "runs": visible(user, Run.objects.filter(item=item)).defer("prompt", "raw_text", "draft", "calls"),
        "may_see_runs": may(user, Action.MODEL_LOGS, item),
        "may_decide": item.state in TO_DECIDE and may_decide(item=item, by=user),
        "may_try_again": item.state in (State.ATTENTION, State.SKIPPED)
        and (reviews or may(user, Action.MANAGE, item)),
        "may_close": item.state == State.ATTENTION and reviews,
        "reason": typed.get("reason", "") if typed else "",
        "reason_problem": (problems or {}).get("reason", ""),
    }


def _fields(*, item: Item, inputs: list[Input]) -> list[dict[str, Any]]:
    run = Run.objects.filter(item=item, outcome="ok").only("pk").first()
    results = {one.key: one for one in FieldResult.objects.filter(run=run)} if run else {}
    to_check = set((item.route or {}).get("to_check", []))
    values = item.values or {}
    return [
        {
            "input": one,
            "label": one.spec.label,
            "value": values.get(one.spec.key),
            "result": results.get(one.spec.key),
            "evidence": _evidence(results.get(one.spec.key)),
            "to_check": one.spec.key in to_check,
        }
        for one in inputs
    ]


def _evidence(result: FieldResult | None) -> str:
    if result is None or result.value is None:
        return ""
    told = result.evidence or {}
    place = f", page {told['page']}" if told.get("page") else ""
    quote = f": “{told['quote']}”" if told.get("quote") else ""
    match told.get("status"):
        case "verbatim":
            return f"Found word for word{quote}{place}"
        case "normalised":
            return f"Found normalised{quote}{place}"
        case "not_found":
            return "Draft value not found in the source"
    return "No quote was due"


def _sources(*, item: Item, user: Any) -> list[dict[str, Any]]:
    pages = Prefetch("pages", queryset=Page.objects.defer("pieces"))
    sources = visible(user, Source.objects.filter(item=item)).prefetch_related(pages)
    shown = []
    for source in sources:
        text = "\n\n".join(page.text for page in source.pages.all())
        shown.append({"source": source, "text": text[:MOST_CHARACTERS], "cut": len(text) > MOST_CHARACTERS})
    return shown
