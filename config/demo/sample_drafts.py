"""What the model of the sample year made of a text: mostly right, and better with the newer version."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from config.demo.sample_texts import Value, Written, misread
from integrations.llm.outcomes import Outcome
from workflows.drafting.draft import Draft, FieldDraft, Flag
from workflows.drafting.evidence import Evidence, Status
from workflows.drafting.fields import CHOICE_KINDS, FieldSpec
from workflows.models import FieldResult, Item, Run
from workflows.routing import FieldReading, Route, RuleSpec, route

CHANNEL = "sample"  # of the items; no door writes it, so it marks them for good
NO_PROMPT = [{"role": "system", "content": "Sample history: no model was asked."}]
WRONG = {"older": 0.042, "newer": 0.017}  # of the fields that say something


@dataclass(frozen=True, slots=True)
class Model:
    """Of nobody: made-up names and prices for 1,000,000 tokens. Without prices it runs on the processor."""

    name: str
    prompt: Decimal | None
    completion: Decimal | None
    seconds: float


LARGE = Model("sample-hosted-large", Decimal("2.50"), Decimal("10.00"), 6.5)
SMALL = Model("sample-hosted-small", Decimal("0.40"), Decimal("1.60"), 2.4)
LOCAL = Model("sample-local", None, None, 24.0)
MODELS = {
    ("inbound-leads", False): LARGE, ("inbound-leads", True): SMALL, ("supplier-invoices", False): LARGE,
    ("supplier-invoices", True): LARGE, ("call-follow-ups", False): LOCAL, ("call-follow-ups", True): LOCAL,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drafted:
    run: Run
    results: list[FieldResult]
    values: dict[str, Any]
    route: Route


def draft(
    *, item: Item, written: Written, specs: Sequence[FieldSpec], rules: Sequence[RuleSpec], bar: Decimal,
    newer: bool, at: datetime, dice: Random, sure: bool = False,
) -> Drafted:  # fmt: skip
    """`sure`: a person said what was wrong before, and now nothing is."""
    wrong = 0.0 if sure else WRONG["newer" if newer else "older"]
    fields = {
        spec.key: _field(spec=spec, value=written.values.get(spec.key, (None, "")), text=written.text,
                         wrong=wrong, dice=dice)
        for spec in specs
    }  # fmt: skip
    run = _run(item=item, outcome=Outcome.OK, newer=newer, at=at, letters=len(written.text), dice=dice)
    run.draft = Draft(fields).as_json()
    results = [
        FieldResult(
            run=run, key=one.key, value=one.value, signal=one.signal, flags=[flag.value for flag in one.flags],
            evidence=one.evidence.as_json(),
        )
        for one in fields.values()
    ]  # fmt: skip
    readings: Mapping[str, FieldReading] = {
        one.key: FieldReading(value=one.value, signal=one.signal, evidence=one.evidence.status.value)
        for one in fields.values()
    }
    return Drafted(
        run=run, results=results, values={key: one.value for key, one in fields.items()},
        route=route(fields=specs, draft=readings, rules=rules, review_bar=bar),
    )  # fmt: skip


def failed_run(*, item: Item, outcome: Outcome, newer: bool, at: datetime, letters: int, dice: Random) -> Run:
    run = _run(item=item, outcome=outcome, newer=newer, at=at, letters=letters, dice=dice)
    if outcome in (Outcome.TIMEOUT, Outcome.RATE_LIMITED):  # no answer, so nothing to pay for
        run.completion_tokens = run.prompt_tokens = run.cost = None
    run.error = "Sample history: no model was asked."
    return run


def _field(*, spec: FieldSpec, value: Value, text: str, wrong: float, dice: Random) -> FieldDraft:
    right, as_written = value
    drafted = right
    if right is not None and dice.random() < wrong:
        if spec.kind in CHOICE_KINDS:
            drafted = dice.choice([one.key for one in spec.choices if one.key != right])
        else:
            drafted = misread(dice=dice, value=right)
            as_written = drafted if isinstance(drafted, str) else ""
    evidence = _evidence(spec=spec, value=drafted, as_written=as_written, text=text)
    lost = evidence.status is Status.NOT_FOUND
    if drafted is None:
        signal = None
    elif drafted == right:
        signal = 1 - 0.14 * dice.betavariate(1.1, 5)
    else:
        signal = dice.betavariate(6, 3) * (0.5 if lost else 1)
    flags = [Flag.MISSING] if drafted is None and spec.required else [Flag.NOT_FOUND] if lost else []
    return FieldDraft(spec.key, drafted, as_written or None, evidence, signal, tuple(flags))


def _evidence(*, spec: FieldSpec, value: Any, as_written: str, text: str) -> Evidence:
    if value is None or not spec.needs_evidence:
        return Evidence(Status.ABSENT)
    start = text.find(as_written) if as_written else -1
    if start < 0:
        return Evidence(Status.NOT_FOUND)
    status = Status.VERBATIM if value == as_written else Status.NORMALISED
    return Evidence(status, quote=as_written, source=0, page=1, start=start, end=start + len(as_written))


def _run(*, item: Item, outcome: Outcome, newer: bool, at: datetime, letters: int, dice: Random) -> Run:
    model = MODELS[item.workflow.slug, newer]
    seconds = model.seconds * math.exp(dice.gauss(0, 0.35))
    asked, answered = 820 + letters // 3 + dice.randint(0, 60), dice.randint(130, 240)
    run = Run(
        item=item, version=item.version, outcome=outcome.value, model=model.name, profile=CHANNEL, prompt=NO_PROMPT,
        prompt_tokens=asked, completion_tokens=answered, seconds=round(seconds, 2), started_at=at,
        ended_at=at + timedelta(seconds=seconds),
    )  # fmt: skip
    if model.prompt is None or model.completion is None:
        run.cost, run.cpu_seconds = Decimal(0), round(seconds * 0.96, 2)
    else:
        run.cost = (model.prompt * asked + model.completion * answered) / 1_000_000
    return run
