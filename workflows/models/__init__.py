from workflows.models.audit import AuditCheck, AuditContent, AuditEvent, AuditHead
from workflows.models.beats import Beat
from workflows.models.briefs import Brief, FollowUp, Launch, MetricActual
from workflows.models.cases import Case, CaseResult, CaseSource, Evaluation, Label
from workflows.models.decisions import Decision
from workflows.models.definitions import (
    REGISTER,
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
from workflows.models.duties import BreakGlass
from workflows.models.erasures import Erasure, LegalHold
from workflows.models.exports import RegisterExport
from workflows.models.grants import GrantChange, GrantEnd
from workflows.models.items import BACKLOG, MAX_ATTEMPTS, SUBMITTED, IdempotencyKey, Item, Page, Source
from workflows.models.keys import ApiKey
from workflows.models.limits import Tally
from workflows.models.money import Budget, Price, Reservation, Spending
from workflows.models.people import GroupFromSignOn
from workflows.models.runs import FieldResult, Run
from workflows.models.tries import Try
from workflows.models.viewing import ViewAs

__all__ = [
    "BACKLOG",
    "MAX_ATTEMPTS",
    "REGISTER",
    "SUBMITTED",
    "TAKES_WORK",
    "ApiKey",
    "AuditCheck",
    "AuditContent",
    "AuditEvent",
    "AuditHead",
    "Beat",
    "BreakGlass",
    "Brief",
    "Budget",
    "Case",
    "CaseResult",
    "CaseSource",
    "Decision",
    "Delivery",
    "DeliveryAttempt",
    "Destination",
    "Erasure",
    "Evaluation",
    "Field",
    "FieldResult",
    "FollowUp",
    "GrantChange",
    "GrantEnd",
    "GroupFromSignOn",
    "IdempotencyKey",
    "Item",
    "Label",
    "Launch",
    "LegalHold",
    "MetricActual",
    "Operator",
    "Page",
    "Price",
    "RegisterEntry",
    "RegisterExport",
    "Reservation",
    "Rule",
    "Run",
    "Source",
    "Spending",
    "Stage",
    "Tally",
    "Try",
    "Version",
    "ViewAs",
    "Workflow",
]
