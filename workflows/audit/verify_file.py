"""Verify an exported audit log with nothing but the file: `python3 verify_file.py audit.jsonl [anchors.jsonl]`.

It needs Python 3.9 or later and no part of Countersign. An export is JSON Lines: a head line that says what was
taken, one line an event, an end line that counts them. Each event carries its own hash and that of the one before:

    hash = SHA-256 of the event as canonical JSON (sorted keys, no spaces, UTF-8), without `hash` and `content`
    content_digest = SHA-256 of the salt, a line feed and the body as canonical JSON

Exit code 0: whole. 1: broken, with the first broken sequence number. 2: the file could not be read.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

FORMAT = "countersign audit log 1"
START = "0" * 64  # what the first event of all has in the place of a hash before it
HASHED = (
    "sequence", "at", "kind", "actor_id", "actor", "workflow_id", "workflow", "item", "facts", "content_digest", "previous",
)  # fmt: skip


class Broken(Exception):
    def __init__(self, sequence: int, why: str) -> None:
        self.sequence, self.why = sequence, why
        super().__init__(f"Event {sequence}: {why}")


def canonical(value: Any) -> bytes:
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode("utf-8", "surrogatepass")


def hash_of(event: dict[str, Any]) -> str:
    return hashlib.sha256(canonical({name: event[name] for name in HASHED})).hexdigest()


def digest_of(*, salt: str, body: Any) -> str:
    return hashlib.sha256(salt.encode() + b"\n" + canonical(body)).hexdigest()


def check_line_of(anchors: Iterable[dict[str, Any]], *, raw: Iterable[bytes]) -> None:
    """Each line of the anchors' file carries the hash of the line before it."""
    before = START
    for anchor, line in zip(anchors, raw):  # noqa: B905 - Python 3.9 reads this too
        if anchor.get("previous") != before:
            raise Broken(
                int(anchor.get("sequence", 0)),
                "the line before its anchor was changed, or lines were taken out of the anchors' file.",
            )
        before = hashlib.sha256(line).hexdigest()


class Chain:
    """Events in their order, one after the other. `gaps` allows left-out events between them: their links cannot be followed."""

    def __init__(
        self, *, sequence: int | None = 0, previous: str = START, anchors: dict[int, str] | None = None,
        gaps: bool = False,
    ) -> None:  # fmt: skip
        self.sequence, self.previous, self.anchors, self.gaps = sequence, previous, anchors or {}, gaps
        self.events = self.left_out = self.anchored = 0

    def add(self, event: dict[str, Any]) -> None:
        number = event["sequence"]
        if self.sequence is not None and number != self.sequence + 1:
            if number <= self.sequence:
                raise Broken(number, f"it comes after event {self.sequence}; the order was changed.")
            if not self.gaps:
                raise Broken(self.sequence + 1, "it is missing.")
            self.left_out += number - self.sequence - 1
        elif self.sequence is not None and event["previous"] != self.previous:
            raise Broken(number, "it does not follow from the event before it; one of the two was replaced.")
        if hash_of(event) != event["hash"]:
            raise Broken(number, "it was changed: its hash is that of another text.")
        content = event.get("content")
        if (
            content is not None
            and digest_of(salt=content["salt"], body=content["body"]) != event["content_digest"]
        ):
            raise Broken(number, "its content was changed after it was written.")
        if number in self.anchors:
            if self.anchors[number] != event["hash"]:
                raise Broken(number, "it is not the event that was anchored: log or anchor was rewritten.")
            self.anchored += 1
        self.sequence, self.previous = number, event["hash"]
        self.events += 1


def read_anchors(path: str) -> dict[int, str]:
    with open(path, "rb") as file:
        raw = [line.rstrip(b"\r\n") for line in file if line.strip()]
    anchors = [json.loads(line) for line in raw]
    check_line_of(anchors, raw=raw)
    return {one["sequence"]: one["hash"] for one in anchors}


def verify(lines: Iterable[bytes], *, anchors: dict[int, str] | None = None) -> str:
    """What was found, in words. Raises Broken; ValueError or KeyError where it is no export."""
    told: Iterator[dict[str, Any]] = (json.loads(line) for line in lines if line.strip())
    head = next(told, {})
    if head.get("format") != FORMAT:
        raise ValueError(f"this is no export: it does not begin with a line of the format “{FORMAT}”")
    anchors = anchors or {}
    part = bool(head.get("workflow")) or bool(head.get("since"))
    chain = Chain(
        sequence=None if head.get("since") else 0, anchors=anchors, gaps=bool(head.get("workflow"))
    )  # fmt: skip
    end = None
    for line in told:
        if end is not None:
            raise ValueError("there are lines after the end")
        if "events" in line:
            end = line
            continue
        chain.add(line)
    last = chain.sequence or 0
    if end is None or end["events"] != chain.events:
        raise Broken(last + 1, f"the file ends too early: {chain.events} events are here.")
    if not head.get("workflow"):
        if chain.events and (end["sequence"], end["hash"]) != (last, chain.previous):
            raise Broken(last + 1, "the file does not end where the log ended when it was exported.")
        late = [number for number in anchors if number > max(last, end["sequence"])]
        if late:
            raise Broken(
                last + 1, f"event {min(late)} was anchored and is not here: the log was cut off, or is older."
            )
    words = f"{chain.events} events, whole" if not part else f"{chain.events} events, each as it was written"
    if chain.left_out:
        words += f"; {chain.left_out} between them were left out, so that only an export of everything proves that none is missing"
    return f"{words}. {chain.anchored} of {len(anchors)} anchors met." if anchors else f"{words}."


def main(given: list[str]) -> int:
    if not 1 <= len(given) <= 2:
        print("usage: verify_file.py EXPORT [ANCHORS]", file=sys.stderr)
        return 2
    try:
        anchors = read_anchors(given[1]) if len(given) == 2 else {}
        with open(given[0], "rb") as file:
            print(verify(file, anchors=anchors))
    except Broken as broken:
        print(f"BROKEN. {broken}")
        return 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"It could not be verified: {type(error).__name__}: {error}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
