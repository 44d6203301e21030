from workflows.models.beats import Beat
from workflows.models.decisions import Decision
from workflows.models.definitions import (
    TAKES_WORK,
    Destination,
    Field,
    Operator,
    Rule,
    Stage,
    Version,
    Workflow,
)
from workflows.models.deliveries import Delivery, DeliveryAttempt, RegisterEntry
from workflows.models.items import BACKLOG, MAX_ATTEMPTS, SUBMITTED, IdempotencyKey, Item, Page, Source
from workflows.models.keys import ApiKey
from workflows.models.runs import FieldResult, Run

__all__ = [
    "BACKLOG", "MAX_ATTEMPTS", "SUBMITTED", "TAKES_WORK", "ApiKey", "Beat", "Decision", "Delivery", "DeliveryAttempt", "Destination", "Field",
    "FieldResult", "IdempotencyKey", "Item", "Operator", "Page", "RegisterEntry", "Rule", "Run", "Source", "Stage",
    "Version", "Workflow",
]  # fmt: skip
