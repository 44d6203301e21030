"""Log-probabilities of tokens, laid over the text they make up."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

# A server may write minus infinity, or -9999, for a token it was forced to take.
LOWEST_LOGPROB = -50.0


@dataclass(frozen=True)
class TokenLogprob:
    """`start` and `end` are character offsets into the raw text; a token that carries a part of a character covers
    that whole character."""

    text: str
    logprob: float
    start: int
    end: int


def locate_tokens(*, entries: Iterable[Any], raw_text: str) -> tuple[TokenLogprob, ...]:
    """Chat log-probabilities as the server gave them (`token`, `logprob`, `bytes`) to tokens with offsets.

    Nothing is returned when the tokens do not spell the text: a wrong offset is worse than none. Tokens outside the
    text (an end mark, reasoning before the answer) are left out.
    """
    pieces: list[tuple[str, float, bytes]] = []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("token"), str):
            return ()
        spelled = _spelled(entry)
        logprob = entry.get("logprob")
        if spelled is None or not isinstance(logprob, int | float):
            return ()
        pieces.append((entry["token"], max(float(logprob), LOWEST_LOGPROB), spelled))
    stream = b"".join(piece for _, _, piece in pieces)
    wanted = raw_text.encode("utf-8", "surrogatepass")
    # Reasoning may quote the answer before giving it, so the last place counts.
    shift = stream.rfind(wanted)
    if not wanted or shift < 0:
        return ()
    starts = _character_starts(raw_text)
    located = []
    position = -shift
    for text, logprob, piece in pieces:
        begin, position = position, position + len(piece)
        if piece and position > 0 and begin < len(wanted):
            start = bisect_right(starts, max(begin, 0)) - 1
            end = bisect_right(starts, min(position, len(wanted)) - 1)
            located.append(TokenLogprob(text, logprob, start, end))
    return tuple(located)


def mean_logprob(*, tokens: Sequence[TokenLogprob], start: int, end: int) -> float | None:
    """The mean over the tokens that overlap the span, or None where there are none."""
    inside = [token.logprob for token in tokens if token.start < end and token.end > start]
    return sum(inside) / len(inside) if inside else None


def _spelled(entry: dict[str, Any]) -> bytes | None:
    given = entry.get("bytes")
    if given is None:
        return str(entry["token"]).encode("utf-8", "surrogatepass")
    try:
        return bytes(given)
    except (TypeError, ValueError):
        return None


def _character_starts(text: str) -> list[int]:
    """The byte offset at which each character begins."""
    starts, at = [], 0
    for character in text:
        starts.append(at)
        at += len(character.encode("utf-8", "surrogatepass"))
    return starts
