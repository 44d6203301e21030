"""What a person is told when the AI step failed: what happened, what was kept, what to do next."""

from __future__ import annotations

from typing import Any

from integrations.llm.outcomes import Outcome

KEPT = "The item, its files and everything that the model said are kept."

HAPPENED: dict[Outcome, tuple[str, str]] = {
    Outcome.REFUSED: ("The model refused to work on this item.", "Read the source and complete it by hand, or try again with another model."),
    Outcome.TRUNCATED: (
        "The model's answer was cut off before its end, so none of it was used.",
        "Try again, raise the limit of tokens in the model profile, or split the item.",
    ),
    Outcome.FILTERED: ("The provider's content filter stopped the answer.", "Read the source and complete it by hand."),
    Outcome.INVALID: ("The model's answer did not have the form that was asked for, twice.", "Try again, or complete it by hand."),
    Outcome.TIMEOUT: ("The model did not answer in time.", "Try again; if it happens often, raise the time-out in the model profile."),
    Outcome.RATE_LIMITED: ("The model's provider refused more calls for now.", "Try again later, or ask for a higher limit there."),
    Outcome.UNAVAILABLE: ("The model could not be reached.", "Check that the model server runs and that its address and key are right, then try again."),
    Outcome.OVER_BUDGET: ("Over budget: the model was not called.", "Try again when there is budget, or complete it by hand."),
    Outcome.TOO_LONG: ("The source is longer than the model can read.", "Split the item, or choose a model with a longer context."),
}  # fmt: skip


def of_outcome(*, outcome: Outcome, detail: str = "") -> dict[str, Any]:
    happened, next_step = HAPPENED[outcome]
    return {
        "outcome": outcome.value,
        "happened": happened,
        "detail": detail,
        "kept": KEPT,
        "next_step": next_step,
    }


def of_calls_spent(*, calls: int) -> dict[str, Any]:
    return {
        "outcome": Outcome.OVER_BUDGET.value,
        "happened": f"The model was called {calls} times for this item without a usable answer; more is not allowed.",
        "detail": "",
        "kept": KEPT,
        "next_step": "Try again, which allows a new round of calls, or complete it by hand.",
    }


def of_unreadable(*, sources: list[tuple[str, dict[str, str]]]) -> dict[str, Any]:
    """`sources`: the name and the stored `unreadable` of each one."""
    name, first = sources[0]
    others = f" {len(sources) - 1} more could not be read." if len(sources) > 1 else ""
    return {
        "outcome": Outcome.UNREADABLE_SOURCE.value,
        "happened": f"“{name or 'The pasted text'}”: {first['message']}{others}",
        "detail": "; ".join(f"{name}: {one['message']}" for name, one in sources[1:]),
        "kept": "The item and the file are kept. The model was not called.",
        "next_step": first["next_step"],
    }


def of_lost_workers(*, times: int) -> dict[str, Any]:
    return {
        "outcome": "",
        "happened": f"The worker stopped {times} times while it worked on this item.",
        "detail": "",
        "kept": KEPT,
        "next_step": "Look at the source for something unusual, then try again or complete it by hand.",
    }


def of_our_error(*, error: BaseException) -> dict[str, Any]:
    return {
        "outcome": "",
        "happened": "Countersign itself failed on this item. This is a fault of ours, not of the item.",
        "detail": type(error).__name__,
        "kept": KEPT,
        "next_step": "Try again. If it fails again, tell whoever runs Countersign; the log has the details.",
    }


def of_delivery(*, destination: str, error: str, tries: int, uncertain: bool) -> dict[str, Any]:
    if uncertain:
        happened = f"It is not known whether {destination} received the result. {error}".strip()
        next_step = f"Look in {destination}, then mark the delivery as arrived or send it again."
    else:
        counted = f"{tries} {'try' if tries == 1 else 'tries'}, no more by itself."
        happened = f"{destination} did not take the result. {error} {counted}"
        next_step = "Mend the cause, then send the delivery again."
    return {
        "outcome": "",
        "happened": happened,
        "detail": "",
        "kept": "The approval stands.",
        "next_step": next_step,
    }
