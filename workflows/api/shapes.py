"""What the API tells. Prompts, raw answers and the text of sources are not in it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.conf import settings
from ninja import Schema
from pydantic import Field

from workflows.access import User
from workflows.gate import checks
from workflows.masking import hidden_keys, reasons_shown
from workflows.models import Decision, Delivery, Item, Run, Stage, Workflow
from workflows.stages import MOST_REASON, reason_told


class Problem(Schema):
    """RFC 9457. `errors` names the place of each mistake where there are several."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = []


class Taken(Schema):
    id: str
    state: str
    url: str


class Reason(Schema):
    text: str
    field: str = ""
    value: str = ""
    bar: str = ""
    next_step: str = ""


class Route(Schema):
    target: str
    reasons: list[Reason]


class DraftField(Schema):
    label: str
    value: Any = None
    evidence: Any = None
    signal: float | None = None
    flags: list[str] = []


class Draft(Schema):
    at: datetime | None
    model: str
    fields: dict[str, DraftField]


class DecisionTold(Schema):
    kind: str
    by: str
    at: datetime
    reason: str
    changed: list[str]


class DeliveryTold(Schema):
    key: str
    destination: str
    kind: str
    state: str
    tries: int
    reference: str
    error: str
    delivered_at: datetime | None


class Cost(Schema):
    """Of all runs together. `amount` is null where a price is not known; it is a decimal number as text."""

    amount: str | None
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    cpu_seconds: float | None


class ProblemTold(Schema):
    happened: str = ""
    kept: str = ""
    next_step: str = ""
    outcome: str = ""


class ItemLine(Schema):
    id: str
    workflow: str
    title: str
    state: str
    external_id: str
    signal: float | None
    url: str
    created_at: datetime
    updated_at: datetime


class ItemWhole(ItemLine):
    due_at: datetime | None
    metadata: dict[str, Any]
    route: Route | None
    draft: Draft | None
    values: dict[str, Any] | None
    hidden: list[
        str
    ]  # sensitive fields that the user of the key may not see; null in `values`, left out of `draft`
    decision: DecisionTold | None
    deliveries: list[DeliveryTold]
    cost: Cost
    problem: ProblemTold | None
    erased_at: datetime | None  # its content is gone; what is left counts


class ItemPage(Schema):
    items: list[ItemLine]
    next_cursor: str | None


class StageWanted(Schema):
    stage: Stage
    reason: Annotated[str, Field(max_length=MOST_REASON)] = ""


class CheckTold(Schema):
    """One line of the launch gate. `to_do` is empty when it is met."""

    key: str
    title: str
    met: bool
    evidence: str
    to_do: str


class StageTold(Schema):
    workflow: str
    stage: str
    reason: str
    checks: list[CheckTold]


def stage_told(*, workflow: Workflow) -> StageTold:
    return StageTold(
        workflow=workflow.slug, stage=workflow.stage, reason=reason_told(workflow),
        checks=[
            CheckTold(key=one.key, title=one.title, met=one.met, evidence=one.evidence, to_do=one.to_do)
            for one in checks(workflow=workflow)
        ],
    )  # fmt: skip


def address(*, item: Item) -> str:
    return f"{settings.SITE_URL}/api/v1/items/{item.public_id}"


def taken(*, item: Item) -> Taken:
    return Taken(id=str(item.public_id), state=item.state, url=address(item=item))


def line(*, item: Item) -> ItemLine:
    return ItemLine(**_line(item))


def _line(item: Item) -> dict[str, Any]:
    return {
        "id": str(item.public_id), "workflow": item.workflow.slug, "title": item.title, "state": item.state,
        "external_id": item.external_id, "signal": item.signal, "url": address(item=item),
        "created_at": item.created_at, "updated_at": item.updated_at,
    }  # fmt: skip


def whole(*, item: Item, user: User) -> ItemWhole:
    runs = list(item.runs.prefetch_related("results"))
    decision = item.decisions.select_related("by").first()
    specs = item.version.specs() if item.version else ()
    hidden = hidden_keys(user=user, item=item, specs=specs)
    route = reasons_shown(item.route, hidden)
    return ItemWhole(
        **_line(item),
        due_at=item.due_at,
        metadata=item.metadata,
        route=Route(
            target=route["target"], reasons=[Reason(**_known(Reason, one)) for one in route["reasons"]]
        )
        if route
        else None,
        draft=_draft(item=item, runs=runs, hidden=hidden),
        values=None
        if item.values is None
        else {key: None if key in hidden else value for key, value in item.values.items()},
        hidden=sorted(hidden),
        decision=_decision(decision) if decision else None,
        deliveries=[_delivery(one) for one in item.deliveries.select_related("destination").order_by("pk")],
        cost=_cost(runs),
        problem=ProblemTold(**_known(ProblemTold, item.problem)) if item.problem else None,
        erased_at=item.erased_at,
    )


def _known(shape: type[Schema], told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in shape.model_fields if told.get(name) is not None}


def _draft(*, item: Item, runs: list[Run], hidden: Collection[str]) -> Draft | None:
    run = next((one for one in runs if one.outcome == "ok"), None)
    if run is None:
        return None
    labels = {spec.key: spec.label for spec in item.version.specs()} if item.version else {}
    return Draft(
        at=run.ended_at,
        model=run.model,
        fields={
            one.key: DraftField(
                label=labels.get(one.key, one.key),
                value=one.value,
                evidence=one.evidence,
                signal=one.signal,
                flags=one.flags,
            )
            for one in run.results.all()
            if one.key not in hidden
        },
    )


def _decision(decision: Decision) -> DecisionTold:
    return DecisionTold(
        kind=decision.kind, by=decision.by.get_username(), at=decision.created_at, reason=decision.reason,
        changed=decision.changed,
    )  # fmt: skip


def _delivery(delivery: Delivery) -> DeliveryTold:
    return DeliveryTold(
        key=str(delivery.key), destination=delivery.destination.name, kind=delivery.destination.kind, state=delivery.state,
        tries=delivery.tries, reference=delivery.reference, error=delivery.error, delivered_at=delivery.delivered_at,
    )  # fmt: skip


def _cost(runs: list[Run]) -> Cost:
    priced = [run.cost for run in runs if run.cost is not None]
    timed = [run.cpu_seconds for run in runs if run.cpu_seconds is not None]
    return Cost(
        # One unpriced run makes the sum a guess.
        amount=format(sum(priced, Decimal(0)), "f") if len(priced) == len(runs) else None,
        prompt_tokens=sum(run.prompt_tokens or 0 for run in runs),
        completion_tokens=sum(run.completion_tokens or 0 for run in runs),
        seconds=sum(run.seconds or 0.0 for run in runs),
        cpu_seconds=sum(timed) if timed else None,
    )
