"""Which items went to a person, and why; and which attempts of the model failed."""

from __future__ import annotations

from collections import Counter

from integrations.llm.outcomes import NEXT_STEPS, Outcome
from reviews.reports.asking import Asked
from reviews.reports.intervals import Share
from reviews.reports.tables import Column, Report, count, share, text

REASONS = {
    "bar": "Signal below the bar", "evidence": "Not found in the source", "value": "Missing, or cannot be right",
    "rule": "A rule of the workflow", "sensitive": "Sensitive, always reviewed", "unclear": "A question is open",
    "source": "Something about the source", "certificate": "No certificate: everything is reviewed",
}  # fmt: skip


def exceptions(asked: Asked) -> Report:
    """Several reasons an item: the rows do not add up to the whole, and each share is one of the items that went to people."""
    found = dict.fromkeys(REASONS, 0)
    whole = none = 0
    for written, n in (pair for one in asked.cells for pair in one.cell.reasons.items()):
        whole += n
        said = [kind for kind in written.split("|") if kind]
        none += 0 if said else n
        for kind in said:
            found[kind] = found.get(kind, 0) + n
    rows = [
        [
            text(REASONS.get(kind, kind.capitalize())),
            count(n, link=asked.link("reason", kind)),
            *share(Share(n, whole)),
        ]
        for kind, n in sorted(found.items(), key=lambda one: -one[1])
        if n
    ]
    if none:
        rows.append(
            [
                text("No reason was written down"),
                count(none, link=asked.link("reason")),
                *share(Share(none, whole)),
            ]
        )
    return Report(
        key="exceptions", title="Why items went to people",
        columns=(Column("Reason"), Column("Items", number=True), Column("Share", number=True), Column("95 % interval")),
        rows=rows, about=f"{whole:,} of {asked.total():,}", link=asked.link("to people"),
        notes=("An item may have several reasons. They are those of its newest draft.",),
        empty="No item went to a person yet.",
    )  # fmt: skip


def failures(asked: Asked) -> Report:
    found = Counter[str]()
    for one in asked.cells:
        found.update(one.cell.failed)
    rows = [
        [
            text(outcome.replace("_", " ").capitalize()), count(n, link=asked.link("outcome", outcome)),
            *share(Share(n, asked.total())), text(NEXT_STEPS.get(Outcome(outcome), "")),
        ]
        for outcome, n in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    ]  # fmt: skip
    return Report(
        key="failures", title="What the model failed at",
        columns=(
            Column("Outcome"), Column("Items", number=True), Column("Share", number=True), Column("95 % interval"), Column("What to do"),
        ),
        rows=rows, empty="No attempt failed.",
        notes=("Items with at least one attempt that ended so. Most were tried again.",),
    )  # fmt: skip
