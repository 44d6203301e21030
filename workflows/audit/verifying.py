"""Is the log still what was written: every hash, every link, the end of the chain, the contents that are there, the anchors,
and whether the database still refuses changes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import batched

from workflows.audit.anchoring import ANCHOR, anchors, last_line
from workflows.audit.recording import HEAD, told_of
from workflows.audit.triggers import missing_triggers
from workflows.audit.verify_file import START, Broken, Chain
from workflows.models import AuditCheck, AuditContent, AuditEvent, AuditHead

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """`sequence` and `hash` are where the verified part ends. `broken_at` is the first event that is not as it was written."""

    events: int
    sequence: int
    hash: str
    words: str
    broken_at: int | None = None

    @property
    def whole(self) -> bool:
        return self.broken_at is None


def verify_log(*, after: int = 0, hash: str = START) -> Verdict:
    """From the event after `after`, whose hash is given, to the end."""
    chain = Chain(sequence=after, previous=hash)
    try:
        # Before the file: a line that is added meanwhile is then one too many, and never one too few.
        anchored = AuditCheck.objects.filter(name=ANCHOR, sequence__gt=0).first()
        known = anchors()
        _check_last_anchor(row=anchored, known=known)
        chain.anchors = known
        # Read first: what is written meanwhile lies behind it.
        head = AuditHead.objects.filter(pk=HEAD).first()
        end = head.sequence if head else 0
        erased = _follow(chain=chain, end=end)
        _check_end(chain=chain, head=head, known=known)
    except Broken as broken:
        return Verdict(chain.events, chain.sequence or 0, chain.previous, str(broken), broken.sequence)
    if missing := missing_triggers():
        said = f"The events are whole, but the database does not refuse changes any more: {', '.join(missing)} missing or changed."
        return Verdict(chain.events, chain.sequence or 0, chain.previous, said, (chain.sequence or 0) + 1)
    return Verdict(
        chain.events, chain.sequence or 0, chain.previous, _words(chain=chain, after=after, erased=erased)
    )


def _follow(*, chain: Chain, end: int) -> int:
    """How many events have a content that is not there any more."""
    erased = 0
    events = AuditEvent.objects.filter(sequence__gt=chain.sequence or 0, sequence__lte=end).order_by(
        "sequence"
    )
    for some in batched(events.iterator(chunk_size=CHUNK), CHUNK):
        contents = _contents(first=some[0].sequence, last=some[-1].sequence)
        for event in some:
            told = told_of(event)
            content = contents.get(event.sequence)
            if content is not None:
                told["content"] = {"salt": content.salt, "body": content.body}
            elif event.content_digest:
                erased += 1
            chain.add(told)
    return erased


def _contents(*, first: int, last: int) -> dict[int, AuditContent]:
    rows = AuditContent.objects.filter(event_sequence__gte=first, event_sequence__lte=last)
    return {one.event_sequence: one for one in rows}


def _check_last_anchor(*, row: AuditCheck | None, known: dict[int, str]) -> None:
    """The file ends with the line that was written last: lines cut off its end are missed here."""
    if row is None:
        return
    if row.sequence not in known:
        raise Broken(row.sequence, "its anchor is gone from the anchors' file.")
    line = last_line()
    if json.loads(line)["sequence"] == row.sequence and hashlib.sha256(line).hexdigest() != row.hash:
        raise Broken(row.sequence, "its anchor was changed in the anchors' file.")


def _check_end(*, chain: Chain, head: AuditHead | None, known: dict[int, str]) -> None:
    last = chain.sequence or 0
    if head is None and (AuditEvent.objects.exists() or known):
        raise Broken(last + 1, "the row that says where the log ends is gone.")
    if head is not None and head.sequence > last:
        raise Broken(last + 1, "it is missing.")
    if head is not None and (head.sequence, head.hash) != (last, chain.previous):
        raise Broken(last, "the log does not end where its last row says.")
    if known and max(known) > last:
        raise Broken(
            last + 1, f"event {max(known)} was anchored and is not here any more: the log was cut off."
        )
    # Behind the head there is nothing but what others wrote since, and that follows from it.
    for event in AuditEvent.objects.filter(sequence__gt=last).order_by("sequence")[:CHUNK]:
        if AuditHead.objects.filter(pk=HEAD, sequence__lt=event.sequence).exists():
            raise Broken(event.sequence, "it was added behind the end of the log.")
        chain.add(told_of(event))


def _words(*, chain: Chain, after: int, erased: int) -> str:
    span = f"{chain.events:,} events" + (f" after event {after:,}" if after else "")
    words = f"{span} are whole, up to event {chain.sequence:,}"
    if chain.anchored:
        words += f"; {chain.anchored:,} {'anchor agrees' if chain.anchored == 1 else 'anchors agree'}"
    if erased:
        words += f"; of {erased:,} the personal content was erased"
    return f"{words}."
