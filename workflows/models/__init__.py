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
from workflows.models.exports import RegisterExport
from workflows.models.grants import GrantChange
from workflows.models.items import BACKLOG, MAX_ATTEMPTS, SUBMITTED, IdempotencyKey, Item, Page, Source
from workflows.models.keys import ApiKey
from workflows.models.runs import FieldResult, Run
from workflows.models.tries import Try

__all__ = [
    "BACKLOG", "MAX_ATTEMPTS", "SUBMITTED", "TAKES_WORK", "ApiKey", "Beat", "Decision", "Delivery", "DeliveryAttempt", "Destination", "Field",
    "FieldResult", "GrantChange", "IdempotencyKey", "Item", "Operator", "Page", "RegisterEntry", "RegisterExport", "Rule", "Run", "Source", "Stage",
    "Try",
    "Version", "Workflow",
]  # fmt: skip
