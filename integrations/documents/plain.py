"""Bytes that are text -> text. Runs in the caller's process: it is short, linear and needs no parser of a format."""

import codecs
import re

from charset_normalizer import from_bytes

from integrations.documents.pages import Page, Reading, Reason, Unreadable

# Guessing an encoding is the only slow part; a sample decides as well as the whole.
_GUESS_BYTES = 64 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control characters, surrogates, byte-order marks, and the invisible characters that reorder or smuggle text
# (bidirectional overrides, tag characters): a person cannot see them, so the model must not read them either.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060-\u2064\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def decode_text(content: bytes) -> str:
    """Text in the encoding its mark names, else UTF-8, else the likeliest; never fails."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    wide = _wide_encoding(content)
    if wide:
        return content.decode(wide, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        # One stray byte in a long UTF-8 text must not turn the whole into another alphabet.
        if _mostly_utf8(content, error):
            return content.decode("utf-8", errors="replace")
    guess = from_bytes(content[:_GUESS_BYTES]).best()
    encoding = guess.encoding if guess is not None else "cp1252"
    return content.decode(encoding, errors="replace")


def clean_text(text: str) -> str:
    """Line breaks are "\\n"; characters nobody can see are gone; no-break spaces are spaces."""
    return _UNSEEN.sub("", _BREAKS.sub("\n", text)).replace("\xa0", " ")


def read_plain_text(*, content: bytes) -> Reading:
    """One page. Raises Unreadable(empty) when nothing but white space is left."""
    text = clean_text(decode_text(content))
    if not text.strip():
        raise Unreadable(Reason.EMPTY)
    return Reading(kind="text", media_type="text/plain", pages=(Page(number=1, text=text),))


def looks_like_text(content: bytes) -> bool:
    """Whether the bytes are text in some encoding: judged by NULs and control characters in the first 64 KiB."""
    sample = content[:_GUESS_BYTES]
    if any(sample.startswith(mark) for mark, _ in _BOMS) or _wide_encoding(sample):
        return True
    control = sum(sample.count(bytes([byte])) for byte in (*range(1, 8), *range(14, 27), *range(28, 32), 127))
    return sample.count(0) * 1000 <= len(sample) and control * 50 <= len(sample)


def _wide_encoding(content: bytes) -> str | None:
    """UTF-16 without a mark: in text of most languages every second byte is then often NUL."""
    sample = content[:4096]
    if len(sample) < 8 or len(content) % 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.4 * len(sample) / 2 and even * 20 < odd:
        return "utf-16-le"
    if even > 0.4 * len(sample) / 2 and odd * 20 < even:
        return "utf-16-be"
    return None


def _mostly_utf8(content: bytes, error: UnicodeDecodeError) -> bool:
    if error.reason == "unexpected end of data" and error.start > 0:
        return True
    text = content[:_GUESS_BYTES].decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if ord(character) > 127) - bad
    return good > 4 * bad
