"""What parent and child say to each other: a JSON header and raw bytes, each with its length in front.

Nothing is pickled: the child has parsed hostile files, so its answer is data to check and never code to run.
"""

import json
import struct
from dataclasses import asdict
from typing import Any

from integrations.documents.pages import Attachment, Page, Piece, Reading, Reason, Unreadable

PREFIX = struct.Struct("!IQ")
_MAX_HEADER = 64 * 1024 * 1024
_MAX_BODY = 512 * 1024 * 1024


class BadFrame(Exception):
    """The other side said something that is no frame."""


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    encoded = json.dumps(header, separators=(",", ":")).encode()
    return PREFIX.pack(len(encoded), len(body)) + encoded + body


def sizes(prefix: bytes) -> tuple[int, int]:
    """Lengths of header and body. Raises BadFrame when either is beyond any honest answer."""
    header, body = PREFIX.unpack(prefix)
    if header > _MAX_HEADER or body > _MAX_BODY:
        raise BadFrame(f"frame of {header} and {body} bytes")
    return header, body


def header_of(encoded: bytes) -> dict[str, Any]:
    try:
        header = json.loads(encoded)
    except ValueError as error:
        raise BadFrame("header is no JSON") from error
    if not isinstance(header, dict):
        raise BadFrame("header is no object")
    return header


def pack_reading(reading: Reading) -> bytes:
    header = {
        "reading": {
            "kind": reading.kind,
            "media_type": reading.media_type,
            "title": reading.title,
            "sent_at": reading.sent_at,
            "newest_end": reading.newest_end,
            "notes": reading.notes,
            "pages": [asdict(page) for page in reading.pages],
            "attachments": [[one.name, one.media_type, len(one.content)] for one in reading.attachments],
        }
    }
    return pack(header, b"".join(one.content for one in reading.attachments))


def unpack_reading(header: dict[str, Any], body: bytes) -> Reading:
    """Raises BadFrame when a part is missing or of the wrong shape."""
    try:
        said = header["reading"]
        attachments = []
        offset = 0
        for name, media_type, size in said["attachments"]:
            attachments.append(Attachment(str(name), str(media_type), body[offset : offset + int(size)]))
            offset += int(size)
        newest_end = said["newest_end"]
        return Reading(
            kind=str(said["kind"]),
            media_type=str(said["media_type"]),
            pages=tuple(_page(page) for page in said["pages"]),
            title=str(said["title"]),
            sent_at=str(said["sent_at"]),
            attachments=tuple(attachments),
            newest_end=None if newest_end is None else int(newest_end),
            notes=tuple(str(note) for note in said["notes"]),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BadFrame("reading of the wrong shape") from error


def pack_refusal(refusal: Unreadable) -> bytes:
    return pack({"refusal": [refusal.reason.value, refusal.message, refusal.next_step]})


def unpack_refusal(header: dict[str, Any]) -> Unreadable:
    try:
        reason, message, next_step = header["refusal"]
        return Unreadable(Reason(reason), str(message), str(next_step))
    except (KeyError, TypeError, ValueError) as error:
        raise BadFrame("refusal of the wrong shape") from error


def _page(said: dict[str, Any]) -> Page:
    pieces = []
    for piece in said["pieces"]:
        x0, y0, x1, y1 = (float(edge) for edge in piece["box"])
        confidence = piece["confidence"]
        pieces.append(
            Piece(
                int(piece["start"]),
                int(piece["end"]),
                (x0, y0, x1, y1),
                None if confidence is None else float(confidence),
            )
        )
    return Page(
        number=int(said["number"]),
        text=str(said["text"]),
        width=None if said["width"] is None else float(said["width"]),
        height=None if said["height"] is None else float(said["height"]),
        pieces=tuple(pieces),
        method=str(said["method"]),
    )
