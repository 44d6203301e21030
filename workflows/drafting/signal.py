"""One number from 0 to 1 that orders fields by how well they are supported. It is no probability and is never shown as one.

    signal = support x certainty x soundness x agreement

support     1.0 found verbatim; 0.95 found in another form; 0.3 not found; for a value that stands nowhere by its nature (a
            choice, yes or no without a quote) 0.9; nothing given: 0.9, but 0.2 where the field is required
certainty   exp(mean log-probability of the value's tokens), the geometric mean of their probabilities; 0.9 where the
            server gives none, so that silence is never better than assurance
soundness   0.4 for each problem of validation, 0.8 when the value can be read in two ways, 0.9 when it was worked out
agreement   the share of further samples with the same value, where they were asked for; else 1

There is no signal (None) when neither the text nor the model says anything about a value: a choice without quote, token
probabilities and samples. None is below any bar.
"""

from __future__ import annotations

import math

from workflows.drafting.evidence import Evidence, Status
from workflows.drafting.fields import FieldSpec
from workflows.drafting.values import FieldValue

_SUPPORT = {Status.VERBATIM: 1.0, Status.NORMALISED: 0.95, Status.NOT_FOUND: 0.3}
_STANDS_NOWHERE = 0.9
_REQUIRED_AND_MISSING = 0.2
_CERTAINTY_UNKNOWN = 0.9
_PROBLEM, _DOUBTFUL, _DERIVED = 0.4, 0.8, 0.9


def compute_signal(
    *,
    spec: FieldSpec,
    field_value: FieldValue,
    evidence: Evidence,
    mean_logprob: float | None,
    agreement: float | None = None,
) -> float | None:
    """`mean_logprob`: natural logarithm, 0 at best. What is no finite number counts as not given."""
    logprob, share = _finite(mean_logprob), _finite(agreement)
    missing = field_value.value is None and field_value.as_written is None
    if evidence.status is Status.ABSENT and not missing and logprob is None and share is None:
        return None
    if missing and logprob is None and share is None and not spec.required:
        return None
    if evidence.status is Status.ABSENT:
        support = _REQUIRED_AND_MISSING if missing and spec.required else _STANDS_NOWHERE
    else:
        support = _SUPPORT[evidence.status]
    certainty = math.exp(min(logprob, 0.0)) if logprob is not None else _CERTAINTY_UNKNOWN
    soundness = _PROBLEM ** len(field_value.problems)
    soundness *= _DOUBTFUL if field_value.doubtful else 1.0
    soundness *= _DERIVED if field_value.derived else 1.0
    together = min(max(share, 0.0), 1.0) if share is not None else 1.0
    return round(support * certainty * soundness * together, 4)


def weakest(signals: list[float | None]) -> float | None:
    """The least of them; None when any is missing, since a missing one is below any bar."""
    present = [signal for signal in signals if signal is not None and math.isfinite(signal)]
    return min(present) if present and len(present) == len(signals) else None


def _finite(number: float | None) -> float | None:
    return number if isinstance(number, int | float) and math.isfinite(number) else None
