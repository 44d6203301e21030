"""E-mail addresses, web addresses and phone numbers as they stand in text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from workflows.drafting.stretches import Stretches

_EMAIL = re.compile(
    r"(?<![\w.+%-])[A-Za-z0-9][\w.+%-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,200}\.[A-Za-z]{2,24}(?![\w@-])"
)
_URL = re.compile(r"(?<![\w@.])(?:https?://[^\s<>\"'|)\]}]{3,300}|www\.[^\s<>\"'|)\]}]{3,200})", re.I)
_DOMAIN = re.compile(
    r"(?<![\w@./-])(?:[a-z0-9][a-z0-9-]{0,62}\.){1,4}(?:com|org|net|io|example|co\.uk|de|fr|es|it|nl|eu|at|ch)(?:/[^\s<>\"'|)]{0,200})?(?![\w@-])",
    re.I,
)
_PHONE = re.compile(r"(?<![\w/.,#-])(?:\+|\()?\d[\d\s().\-–‑/\u00a0]{5,22}\d(?![\w/-])")
_DICTATED = re.compile(
    r"(?<![\w/.,#-])0\d{2,4}(?:(?:,|\.{3}|…)?\s\d{2,4}){2,4}(?![\w/-]|[.,]\d)"
)  # "0113, 496, 0355"
_LABEL = re.compile(
    r"\b(?:tel|phone|mobile|mobil|cell|call|ring|fon|telefon|téléphone|tél|handy|reach|number|direct|whatsapp|m|t|p)\W{0,6}(?:\w+\W{1,3})?$",
    re.I,
)
_NORTH_AMERICAN = re.compile(r"\(?[2-9]\d{2}\)?[\s.-]{1,2}[2-9]\d{2}[\s.-]\d{4}")
_FAX = re.compile(r"(?<![/&+])(?<![/&+] )\b(?:fax|telefax|télécopie|telecopie|f)\W{0,4}$", re.I)


@dataclass(frozen=True)
class Found:
    start: int
    end: int
    value: str


def find_emails(*, text: str) -> Iterator[Found]:
    for match in _EMAIL.finditer(text):
        yield Found(match.start(), match.end(), match.group().lower())


def find_urls(*, text: str) -> Iterator[Found]:
    taken = Stretches(length=len(text))
    for pattern in (_URL, _DOMAIN):
        for match in pattern.finditer(text):
            written = match.group().rstrip(".,;:!?")
            if not taken.overlap(match.start(), match.end()):
                taken.add(match.start(), match.end())
                yield Found(match.start(), match.start() + len(written), read_url(written) or written)


def find_phones(*, text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """Only what looks like one: an international or trunk prefix, brackets, a North American grouping, or a label."""
    for match in _PHONE.finditer(text):
        start, written = match.start(), match.group()
        if written[0] == "(" and ")" not in written:  # around it all: "my mobile (07700 900 123)"
            start, written = start + 1, written[1:]
        digits = re.sub(r"\D", "", written)
        if not 7 <= len(digits) <= 15 or re.search(r"\s{3}|\n\s*\n", written):
            continue
        before = text[max(0, start - 24) : start].rsplit("\n", 1)[-1]
        if _FAX.search(before):
            continue
        shaped = written[0] in "+(" or digits[0] == "0" or _NORTH_AMERICAN.fullmatch(written)
        if (shaped or _LABEL.search(before)) and (value := read_phone(text=written, regions=regions)):
            yield Found(start, match.end(), value)
    for match in _DICTATED.finditer(text):
        said = re.sub(r"[,.…]+", "", match.group())
        if said != match.group() and (value := read_phone(text=said, regions=regions)):
            yield Found(match.start(), match.end(), value)


@lru_cache(maxsize=1024)
def read_phone(*, text: str, regions: tuple[str, ...]) -> str | None:
    """E.164; None when it is no possible number, or a national one and no region fits. `regions`: most likely first; the first
    one in which the number is assigned is taken, else the first in which it is possible: numbers set aside for fiction and
    tests are never assigned."""
    import phonenumbers  # its tables take a tenth of a second to import

    written = " ".join(re.sub(r"\(0\)", "", text).split())  # "+49 (0)30 ..." means +49 30
    if re.match(r"00\d", written):
        written = "+" + written[2:]
    if _NORTH_AMERICAN.fullmatch(
        written
    ):  # the British write the 0 in front, whatever else in the text is British
        regions = (*(region for region in regions if region != "GB"), "US", "GB")
    possible = None
    for region in regions or (None,):
        try:
            number = phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            possible = number
            break
        if possible is None and phonenumbers.is_possible_number(number):
            possible = number
    if possible is None:
        return None
    return str(phonenumbers.format_number(possible, phonenumbers.PhoneNumberFormat.E164))


def read_email(text: str) -> str | None:
    match = _EMAIL.search(text)
    return match.group().lower() if match and len(text) < 400 and len(_EMAIL.findall(text)) == 1 else None


def read_url(text: str) -> str | None:
    """With a scheme; https where none is written. None when there is no host in it."""
    written = text.strip().rstrip(".,;")
    if not re.match(r"[a-z][a-z0-9+.-]*://", written, re.I):
        written = "https://" + written
    if not re.fullmatch(r"https?://[^\s/?#@]+\.[^\s/?#@.]{2,63}(?:[/?#]\S*)?", written, re.I):
        return None
    scheme, rest = written.split("://", 1)
    host, *path = re.split(r"(?=[/?#])", rest, maxsplit=1)
    return f"{scheme.lower()}://{host.lower()}{path[0] if path else ''}"
