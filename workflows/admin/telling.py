"""How states, due times, signals, reasons and values are told on every screen: one wording, one look."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from workflows.drafting.fields import FieldSpec
from workflows.drafting.telling import in_order
from workflows.drafting.telling import told_value as told_value  # screens take it from here
from workflows.states import LABELS, State

SOON = timedelta(hours=1)
TONES = {
    State.IN_REVIEW: "info", State.ESCALATED: "warn", State.ATTENTION: "warn", State.APPROVED: "good",
    State.DELIVERED: "good", State.REJECTED: "bad",
}  # fmt: skip
ICONS = {
    State.RECEIVED: "move_to_inbox", State.WORKING: "autorenew", State.IN_REVIEW: "visibility", State.ESCALATED: "moving",
    State.ATTENTION: "warning", State.APPROVED: "check", State.DELIVERED: "done_all", State.REJECTED: "block",
    State.SKIPPED: "skip_next",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """`tone`: bad when late, warn within the hour, else empty."""

    text: str
    at: str
    tone: str


def due(at: datetime) -> Due:
    left = at - timezone.now()
    minutes = round(abs(left.total_seconds()) / 60)
    local = timezone.localtime(at)
    clock = f"{local:%H:%M}" if local.date() == timezone.localdate() else f"{local.day} {local:%b %H:%M}"
    if left < timedelta(0):
        return Due(text=f"Late by {duration(minutes)}", at=f"was due {clock}", tone="bad")
    return Due(text=f"{duration(minutes)} left", at=f"due {clock}", tone="warn" if left < SOON else "")


def duration(minutes: int) -> str:
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} days"


def chip(*, text: str, tone: str = "", icon: str = "") -> SafeString:
    """The icon is a ligature, which a screen reader would read out as a word."""
    drawn = (
        format_html('<span class="material-symbols-outlined" aria-hidden="true">{}</span>', icon)
        if icon
        else ""
    )
    return format_html('<span class="cs-chip{}">{}{}</span>', f" cs-{tone}" if tone else "", drawn, text)


def state_chip(state: str) -> SafeString:
    return chip(text=LABELS[State(state)], tone=TONES.get(State(state), ""), icon=ICONS[State(state)])


def reason_chips(reasons: Sequence[Mapping[str, Any]], *, most: int) -> SafeString:
    """Amber only where something is doubtful; policy is grey. What does not fit is counted, never dropped in silence."""
    drawn = [
        (chip(text=str(reason["text"]), tone="warn" if reason.get("doubtful", True) else ""),)
        for reason in reasons[:most]
    ]
    more = len(reasons) - most
    told = format_html_join("", "{}", drawn)
    rest = format_html('<span class="cs-more">and {} more</span>', more) if more > 0 else ""
    return format_html('<span class="cs-chips">{}{}</span>', told, rest)


def told_values(*, values: Mapping[str, Any] | None, specs: Sequence[FieldSpec]) -> SafeString:
    """Label and value of each field, as a list to read. What no field knows any more is told under its key's words."""
    known = {spec.key: spec for spec in specs}
    rows = [
        (
            known[key].label if key in known else key.replace("_", " "),
            told_value(value=value, spec=known.get(key)),
        )
        for key, value in in_order(values=values or {}, specs=specs).items()
    ]
    if not rows:
        return SafeString("–")
    return format_html('<dl class="cs-values">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows))


def as_text(value: Any) -> SafeString:
    """JSON to read, escaped: it may carry what a document says."""
    return format_html(
        '<pre class="cs-pre" tabindex="0">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False)
    )
