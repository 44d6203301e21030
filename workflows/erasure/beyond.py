"""What no erasure here can reach, in sentences without content: it is told before, and kept with the record."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from workflows.access import visible
from workflows.models import REGISTER, Delivery, Item, RegisterExport, Run

BACKUPS = "Backups made before now hold it until they are overwritten."
LOGS = "What was noted outside of this system (logs of servers, printed pages) is not known here."


def beyond_of(*, items: Collection[int], by: Any) -> list[str]:
    """`by` None is the command line, which sees everything."""
    return [*_delivered(items), *_exported(items), *_asked(items), *_offshoots(items, by), BACKUPS, LOGS]


def _delivered(items: Collection[int]) -> list[str]:
    left = Delivery.objects.filter(item__in=items).exclude(destination__kind=REGISTER)
    # Refused ones too, where a try may have arrived.
    arrived = left.filter(
        Q(state__in=(Delivery.State.DELIVERED, Delivery.State.UNCERTAIN)) | Q(attempts__result="uncertain")
    )
    rows = (
        arrived.order_by()
        .values_list("destination__name", "destination__kind")
        .annotate(n=Count("pk", distinct=True), last=Max("created_at"))
        .order_by("destination__name")
    )
    return [
        f"{n} {'result' if n == 1 else 'results'} went to “{name}” ({kind}), the last of {_day(last)}: have it erased there."
        for name, kind, n, last in rows
    ]


def _exported(items: Collection[int]) -> list[str]:
    accepted = Item.objects.filter(pk__in=items, register_entry__isnull=False)
    first = accepted.aggregate(first=Min("register_entry__accepted_at"))["first"]
    if first is None:
        return []
    workflows = accepted.order_by().values("workflow").distinct()
    exports = RegisterExport.objects.filter(workflow__in=workflows, at__gte=first)
    told = exports.aggregate(n=Count("pk"), people=Count("by", distinct=True))
    if not told["n"]:
        return []
    return [
        f"The register was exported {_times(told['n'])} since then, by {told['people']} "
        f"{'person' if told['people'] == 1 else 'people'}: the files are with them."
    ]


def _asked(items: Collection[int]) -> list[str]:
    """A model that runs here says how long it computed, and keeps nothing."""
    elsewhere = Run.objects.filter(item__in=items, cpu_seconds=None).exclude(model="")
    rows = elsewhere.order_by().values_list("model").annotate(n=Count("pk")).order_by("model")
    return [
        f"The model {model} read it {_times(n)}: if it runs elsewhere, its provider keeps what it keeps."
        for model, n in rows
    ]


def _offshoots(items: Collection[int], by: Any) -> list[str]:
    made = Item.objects.filter(origin__in=items, erased_at=None).exclude(pk__in=items)
    n = (made if by is None else visible(by, made)).count()
    if not n:
        return []
    return [
        f"{n} {'item was' if n == 1 else 'items were'} made of it (moved or split) and {'holds' if n == 1 else 'hold'} "
        "content of its own: erase it too, where that is meant."
    ]


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def _day(at: Any) -> str:
    local = timezone.localtime(at)
    return f"{local.day} {local:%b %Y}"
