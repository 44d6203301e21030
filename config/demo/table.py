"""The table that `manage.py demo --once` ends with."""

from __future__ import annotations

from collections.abc import Iterable

from workflows.models import Item, Run
from workflows.routing import show_signal
from workflows.states import State

HEAD = ("item", "workflow", "state", "why", "signal", "seconds", "cost")


def rows(items: Iterable[Item]) -> list[tuple[str, ...]]:
    return [_row(item) for item in items]


def _row(item: Item) -> tuple[str, ...]:
    runs = list(Run.objects.filter(item=item).only("seconds", "cost", "cpu_seconds"))
    seconds = sum(run.seconds or 0 for run in runs)
    if any(run.cpu_seconds for run in runs):
        cost = f"{sum(run.cpu_seconds or 0 for run in runs):.1f} CPU-s"
    else:
        cost = (
            f"{sum(run.cost for run in runs if run.cost is not None):.4f}"
            if any(run.cost is not None for run in runs)
            else "-"
        )
    return (
        item.title, item.workflow.slug, item.state, why(item),
        show_signal(item.signal) if item.signal is not None else "-", f"{seconds:.1f}" if runs else "-", cost,
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
