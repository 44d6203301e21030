"""How many fields of the demo's drafts are right, on the open half and on the half nothing was tuned on."""

from __future__ import annotations

from dataclasses import dataclass, field

from config.demo.loading import SLUGS, Gold, golds
from workflows.drafting.compare import same_value
from workflows.models import FieldResult, Item, Run


@dataclass(slots=True)
class Score:
    """Fields right of fields due. A missing value, and every field of an item without a draft, counts as wrong."""

    right: int = 0
    due: int = 0
    items: int = 0
    undrafted: list[str] = field(default_factory=list)
    wrong: list[str] = field(
        default_factory=list
    )  # "input: field: drafted, not gold", of the open half alone

    def __str__(self) -> str:
        share = f"{100 * self.right / self.due:.1f} %" if self.due else "nothing due"
        return f"{self.right} of {self.due} fields right ({share}), {self.items} items"


def score(*, slug: str, held_out: bool) -> Score:
    total = Score()
    for gold in golds(slug):
        if gold.held_out == held_out and gold.expect == "drafted":
            _add(total=total, gold=gold)
    return total


def score_all(*, held_out: bool) -> Score:
    total = Score()
    for slug in SLUGS:
        one = score(slug=slug, held_out=held_out)
        total.right, total.due, total.items = (
            total.right + one.right,
            total.due + one.due,
            total.items + one.items,
        )
    return total


def _add(*, total: Score, gold: Gold) -> None:
    item = (
        Item.objects.filter(workflow__slug=gold.slug, external_id=gold.external_id)
        .select_related("version")
        .first()
    )
    # The first draft: a person's correction must not flatter the model.
    run = Run.objects.filter(item=item, outcome="ok").order_by("pk").first() if item else None
    drafted = {one.key: one.value for one in FieldResult.objects.filter(run=run)} if run else {}
    total.items += 1
    if run is None:
        total.undrafted.append(gold.inputs[0])
    assert item is not None, "the demo is loaded before it is scored"
    assert item.version is not None, "an item that came in has the version of its workflow"
    for spec in item.version.specs():
        if spec.key not in gold.values:
            continue
        total.due += 1
        if run is not None and same_value(
            spec=spec, drafted=drafted.get(spec.key), gold=gold.values[spec.key]
        ):
            total.right += 1
        elif not gold.held_out:
            total.wrong.append(
                f"{gold.inputs[0]}: {spec.label}: {drafted.get(spec.key)!r}, not {gold.values[spec.key]!r}"
            )
