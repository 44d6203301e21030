"""Reference numbers: invoice, order, customer, account and tax numbers, and which fields ask for one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workflows.drafting.contacts import Found
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.stretches import Stretches

_ASKED = re.compile(
    r"\b(?:number|no|nr|reference|ref|iban|bic|swift|account|vat|id|po|sku|code|order|ticket|invoice|policy|rechnungsnummer|bestellnummer|tax)\b",
    re.I,
)
_NOT_ASKED = re.compile(
    r"\b(?:name|who|owner|title|summary|description|address|firm|company|supplier|person)\b", re.I
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_LETTERED = re.compile(
    r"(?<![\w@.])#?(?=[\w./-]{0,40}\d)(?=[\w./-]{0,40}[A-Z])[A-Z0-9][A-Za-z0-9]{0,40}(?:[-/_.][A-Za-z0-9]{1,40}){0,5}(?![\w@])"
)
_SPACED = re.compile(r"\b[A-Z]{2,4}[ -]\d[\w/-]{2,20}(?: \d{2,4}){0,3}(?!\w)")
_DIGITS = re.compile(r"(?<![\w.,+@/#:-])#?\d{2,14}(?:[-/]\d{1,8}){0,3}(?![\w@/]|[.,:]\d|-\d)")
_CODE = re.compile(r"\bcode\b", re.I)
_MODEL_IN_TEXT = re.compile(r"(?<![\w@.-])[A-Z]{1,4}[- ]?\d{1,4}[A-Za-z]?(?![\w@.-]*[\w@])")
_MODEL = re.compile(r"[A-Za-z]{1,4}[- ]?\d{1,2}")
_SIZE = re.compile(r"\d[x×]\d", re.I)
_LABELLED = re.compile(
    r"(?:invoice|order|po|reference|ref|number|no|nr|ticket|case|customer|account|quote|offer|contract|rechnung\w*|auftrag\w*|bestell\w*|kunden\w*"
    r"|facture|commande|devis|fattura|ordine|factura|pedido|factuur\w*|n°|№)\W{0,4}(?:number|no|nr|n°|ref)?\W{0,4}(?:(?:is|ist|est|es|was)\s)?$",
    re.I,
)


def asks_for_reference(spec: FieldSpec) -> bool:
    """A text field whose name says that it wants a number or code: then those found in the text are offered."""
    words = f"{spec.key.replace('_', ' ')} {spec.label}"
    return spec.kind is Kind.TEXT and bool(_ASKED.search(words)) and not _NOT_ASKED.search(words)


def asks_for_iban(spec: FieldSpec) -> bool:
    return spec.kind is Kind.TEXT and "iban" in f"{spec.key} {spec.label}".casefold()


def asks_for_model(spec: FieldSpec) -> bool:
    """A text field whose hint says that it wants a code, such as that of a machine or an article."""
    return spec.kind is Kind.TEXT and bool(_CODE.search(spec.hint)) and not asks_for_reference(spec)


def find_models(*, text: str) -> Iterator[Found]:
    """A few capitals and a number, like "CL-12"."""
    for match in _MODEL_IN_TEXT.finditer(text):
        yield Found(match.start(), match.end(), match.group())


def names_a_model(written: str) -> bool:
    """Up to four letters and one or two digits, as in "CL-12" or "E31": shorter than a reference is unless it is labelled as one."""
    return bool(_MODEL.fullmatch(written.strip()))


def find_ibans(*, text: str) -> Iterator[Found]:
    for match in _IBAN.finditer(text):
        yield Found(match.start(), match.end(), match.group())


def find_references(*, text: str, taken: Stretches) -> Iterator[Found]:
    """`taken`: stretches already known as dates, amounts, addresses; a number inside one of them is no reference."""
    taken = taken.copy()
    for pattern in (_SPACED, _LETTERED, _DIGITS):
        for match in pattern.finditer(text):
            written = match.group()
            if taken.overlap(match.start(), match.end()):
                continue
            if not 3 <= len(written) <= 40 or not (_is_shaped(pattern, written) or _is_labelled(text, match)):
                continue
            taken.add(match.start(), match.end())
            yield Found(match.start(), match.end(), written.lstrip("#"))


def _is_shaped(pattern: re.Pattern[str], written: str) -> bool:
    """Letters and digits like a reference. A model or a size ("CL-12", "M8x20"), a postcode and a short bare number are none
    unless they are labelled as one."""
    digits = sum(character.isdigit() for character in written)
    if pattern is _DIGITS:
        return digits >= 6 or written.startswith("#")
    return digits >= 3 and len(written) >= 5 and not _SIZE.search(written)


def _is_labelled(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 40) : match.start()].rsplit("\n", 1)[-1]
    return bool(_LABELLED.search(before))
