"""The table that `manage.py demo --once` ends with."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from workflows.models import Item, Run
from workflows.money import told_cost
from workflows.routing import show_signal
from workflows.states import State

HEAD = ("item", "workflow", "state", "why", "signal", "seconds", "cost")


def rows(items: Iterable[Item]) -> list[tuple[str, ...]]:
    return [_row(item) for item in items]


def _row(item: Item) -> tuple[str, ...]:
    runs = list(Run.objects.filter(item=item).only("seconds", "cost", "cpu_seconds"))
    seconds = sum(run.seconds or 0 for run in runs)
    computed = [run.cpu_seconds for run in runs if run.cpu_seconds is not None]
    costs = [run.cost for run in runs if run.cost is not None]
    cost = told_cost(
        cost=sum(costs, Decimal(0)) if costs else None, cpu_seconds=sum(computed) if computed else None
    )
    return (
        item.title, item.workflow.slug, item.state, why(item),
        show_signal(item.signal) if item.signal is not None else "-", f"{seconds:.1f}" if runs else "-", cost if runs else "-",
    )  # fmt: skip


def why(item: Item) -> str:
    if item.state in (State.ATTENTION, State.SKIPPED) and item.problem:
        return str(item.problem["happened"])
    reasons = (item.route or {}).get("reasons", [])
    return str(reasons[0]["text"]) if reasons else ""


def as_text(rows: list[tuple[str, ...]]) -> str:
    shown = [HEAD, *(tuple(_cut(cell, 60) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    )


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
