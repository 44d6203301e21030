"""What the log tells of. docs/audit.md has one row for each, held by a test."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    ITEM_RECEIVED = "item.received"
    ITEM_MOVED = "item.moved"
    ITEM_ROUTED = "item.routed"
    ITEM_DECIDED = "item.decided"
    ITEM_VIEWED = "item.viewed"
    RUN_RECORDED = "run.recorded"
    DELIVERY_ENDED = "delivery.ended"
    DELIVERY_RESENT = "delivery.resent"
    ACCESS_GIVEN = "access.given"
    ACCESS_TAKEN = "access.taken"
    GROUP_JOINED = "group.joined"
    GROUP_LEFT = "group.left"
    USER_CHANGED = "user.changed"
    SIGNED_IN = "sign_in.done"
    SIGN_IN_FAILED = "sign_in.failed"
    SIGNED_OUT = "sign_in.ended"
    STAGE_CHANGED = "workflow.stage_changed"
    LAUNCHED = "workflow.launched"
    OWNER_CHANGED = "workflow.owner_changed"
    GLASS_BROKEN = "glass.broken"
    LOOK_BEGUN = "view_as.begun"
    LOOK_ENDED = "view_as.ended"
    VERSION_ACTIVATED = "version.activated"
    BUDGET_CHANGED = "budget.changed"
    KEY_MADE = "api_key.made"
    KEY_ROTATED = "api_key.rotated"
    KEY_REVOKED = "api_key.revoked"
    ERASED = "content.erased"
    HELD = "hold.placed"
    RELEASED = "hold.released"
    EXPORTED = "register.exported"
    REPORT_EXPORTED = "report.exported"
    LOG_EXPORTED = "audit.exported"


LABELS = {
    Kind.ITEM_RECEIVED: "Item came in",
    Kind.ITEM_MOVED: "Item changed its state",
    Kind.ITEM_ROUTED: "Item was routed",
    Kind.ITEM_DECIDED: "Item was decided",
    Kind.ITEM_VIEWED: "Sensitive item was opened",
    Kind.RUN_RECORDED: "Run was recorded",
    Kind.DELIVERY_ENDED: "Delivery ended",
    Kind.DELIVERY_RESENT: "Delivery was sent again",
    Kind.ACCESS_GIVEN: "Permission was given",
    Kind.ACCESS_TAKEN: "Permission was taken",
    Kind.GROUP_JOINED: "Person joined a group",
    Kind.GROUP_LEFT: "Person left a group",
    Kind.USER_CHANGED: "Account was changed",
    Kind.SIGNED_IN: "Signed in",
    Kind.SIGN_IN_FAILED: "Sign-in failed",
    Kind.SIGNED_OUT: "Signed out",
    Kind.STAGE_CHANGED: "Stage was changed",
    Kind.LAUNCHED: "Workflow went live",
    Kind.OWNER_CHANGED: "Workflow has another owner",
    Kind.GLASS_BROKEN: "One person did what takes two",
    Kind.LOOK_BEGUN: "Began to look as somebody else",
    Kind.LOOK_ENDED: "Ended a look as somebody else",
    Kind.VERSION_ACTIVATED: "Version was made active",
    Kind.BUDGET_CHANGED: "Budget was changed",
    Kind.KEY_MADE: "API key was made",
    Kind.KEY_ROTATED: "API key was rotated",
    Kind.KEY_REVOKED: "API key was revoked",
    Kind.ERASED: "Content was erased",
    Kind.HELD: "Hold was placed",
    Kind.RELEASED: "Hold was released",
    Kind.EXPORTED: "Register was exported",
    Kind.REPORT_EXPORTED: "Report was exported",
    Kind.LOG_EXPORTED: "Audit log was exported",
}


def label_of(kind: str) -> str:
    """Other apps may record kinds of their own: those are told as they are written."""
    return LABELS.get(Kind(kind), kind) if kind in Kind else kind
