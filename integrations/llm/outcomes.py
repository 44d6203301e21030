"""How a piece of work with the model can end. Only `ok` carries values that may be used."""

from enum import StrEnum


class Outcome(StrEnum):
    OK = "ok"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    FILTERED = "filtered"
    INVALID = "invalid"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    OVER_BUDGET = "over_budget"
    TOO_LONG = "too_long"
    UNREADABLE_SOURCE = "unreadable_source"


# What the model made of the input. A server that was away or slow says nothing about a version, and is asked again.
LASTING = (Outcome.OK, Outcome.REFUSED, Outcome.TRUNCATED, Outcome.FILTERED, Outcome.INVALID)
# Found in the input before the model is asked, and the same the next time.
OF_THE_INPUT = (Outcome.TOO_LONG, Outcome.UNREADABLE_SOURCE)

# A refusal or a filter is an answer, not a failure: asking another model to get round it is a person's decision.
# And where the ceiling is reached, no other profile may spend more.
TRY_FALLBACK = frozenset(
    {
        Outcome.TRUNCATED,
        Outcome.INVALID,
        Outcome.TIMEOUT,
        Outcome.RATE_LIMITED,
        Outcome.UNAVAILABLE,
        Outcome.TOO_LONG,
    }
)

# For the person who finds the item: what they can do about it.
NEXT_STEPS = {
    Outcome.REFUSED: "Complete the item by hand, or change the workflow's instructions.",
    Outcome.TRUNCATED: "Raise the greatest length of an answer in the model profile, split the item, or complete it"
    " by hand.",
    Outcome.FILTERED: "Complete the item by hand, or ask the provider about its filter.",
    Outcome.INVALID: "Try the item again with another model, or complete it by hand.",
    Outcome.TIMEOUT: "Try the item again later, or allow more time in the model profile.",
    Outcome.RATE_LIMITED: "Try the item again later.",
    Outcome.UNAVAILABLE: "Try the item again once the model server answers.",
    Outcome.OVER_BUDGET: "Raise the budget and try the item again, or complete it by hand.",
    Outcome.TOO_LONG: "Split the item, or use a model that takes longer material.",
    Outcome.UNREADABLE_SOURCE: "Supply the material in another form, or complete the item by hand.",
}
