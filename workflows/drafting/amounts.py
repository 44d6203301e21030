"""Numbers and amounts of money as people write them, with the separators of any country."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from workflows.drafting.conventions import CODES, currency_of
from workflows.drafting.stretches import Stretches

_PLAIN = r"\d{1,3}(?:[.,'’\u00a0\u202f]\d{3}){1,4}(?:[.,]\d{1,2})?|\d{1,3}(?: \d{3}){1,4}[.,]\d{2}|\d{1,9}(?:[.,]\d{1,3})?"
_MARK = (
    r"(?:US\$|C\$|A\$|[€£¥₹$]|zł|Kč|\b(?:"
    + "|".join(sorted(CODES))
    + r"|eur|usd|gbp|chf)\b|\b(?:euros?|dollars?|pounds|sterling|[Ff]ranken|sFr|Fr\.))"
)
_SCALE = r"(?P<{0}>[ \u00a0]?(?:k|K|thousand|grand|tausend|million|Mio\.?|m)\b)?"
_GAP = r"[ \t\u00a0\u202f]"  # never a new line, and no more than one: the next column of a table is another amount
_NUMBER = rf"(?:[-−–]{_GAP}?)?(?:" + _PLAIN + r"|\d{1,3}(?: \d{3}){1,4})"
_BEFORE = re.compile(
    rf"(?P<minus>[-−(]{_GAP}?)?(?P<mark>{_MARK}){_GAP}?(?P<number>{_NUMBER})(?!\d)" + _SCALE.format("scale")
)
_AFTER = re.compile(
    rf"(?<![\w.,/-])(?P<number>{_NUMBER})" + _SCALE.format("scale") + rf"(?:,[-–])?{_GAP}?(?P<mark>{_MARK})"
)
_BARE = re.compile(rf"(?<![\w.,/:+-])(?P<number>[-−]?(?:{_PLAIN}))(?![\w/:%-]|[.,]\d| ?%)")
_DECIMALS = re.compile(r"[.,]\d{2}$")
_CENTS = re.compile(r"[.,]\d{2}$|\d[.,'’\u00a0\u202f]\d{3}")
_SCALES = {
    "k": 1000,
    "thousand": 1000,
    "grand": 1000,
    "tausend": 1000,
    "million": 1_000_000,
    "mio": 1_000_000,
    "mio.": 1_000_000,
    "m": 1_000_000,
}


@dataclass(frozen=True)
class FoundAmount:
    start: int
    end: int
    amount: Decimal
    currency: str | None  # None: none stands beside it
    number: str = ""  # as written, without its currency


def find_amounts(*, text: str) -> list[FoundAmount]:
    """Numbers beside a currency, and bare ones written like money: with two decimals, or, where no currency stands beside
    any number, with thousands set apart."""
    found = list(_marked(text))
    bare: list[FoundAmount] = []
    taken = Stretches(length=len(text))
    for item in found:
        taken.add(item.start, item.end)
    for match in _BARE.finditer(text):
        if _CENTS.search(match["number"]) and not taken.overlap(match.start(), match.end()):
            amount = read_number(match["number"])
            if amount is not None and (not found or _DECIMALS.search(match["number"])):
                bare.append(FoundAmount(match.start(), match.end(), amount, None))
    return sorted(found + bare, key=lambda item: item.start)


def read_amount(*, text: str) -> FoundAmount | None:
    """The one amount a short text names, with its currency where one is written; None when it names none, or several."""
    marked = list(_marked(text))
    if len({(item.amount, item.currency) for item in marked}) == 1:
        return marked[0]
    if marked:
        return None
    bare = list(_BARE.finditer(text))
    amounts = {read_number(match["number"]) for match in bare} - {None}
    if len(amounts) != 1:
        return None
    amount = amounts.pop()
    return FoundAmount(bare[0].start(), bare[0].end(), amount, None) if amount is not None else None


def read_number(text: str) -> Decimal | None:
    """The last separator is the decimal one, unless it comes twice or three digits follow a number that does not begin
    with 0: then it sets thousands apart. "1.250" is 1250, "0.125" is 0.125. None when the text is no number."""
    cleaned = re.sub(r"[\s\u00a0\u202f'’_]", "", text).replace("−", "-").replace("–", "-")
    if not re.fullmatch(r"[+-]?\d[\d.,]{0,30}", cleaned):
        return None
    separators = re.findall(r"[.,]", cleaned)
    if separators:
        last = separators[-1]
        head, tail = cleaned.rsplit(last, 1)
        apart = separators.count(last) > 1 or (
            len(tail) == 3 and len(set(separators)) == 1 and head.lstrip("+-") != "0"
        )
        head = re.sub(r"[.,]", "", head)
        cleaned = head + tail if apart else f"{head}.{tail or '0'}"
    try:
        return Decimal(cleaned)
    except InvalidOperation:
        return None


def write_amount(amount: Decimal) -> str:
    """Two decimals, more where more are written: the shape money is stored in."""
    exponent = amount.as_tuple().exponent
    return f"{amount:.2f}" if isinstance(exponent, int) and exponent >= -2 else f"{amount.normalize():f}"


def _marked(text: str) -> Iterator[FoundAmount]:
    taken = Stretches(length=len(text))
    for pattern in (_BEFORE, _AFTER):
        for match in pattern.finditer(text):
            number = read_number(match["number"])
            if number is None or taken.overlap(match.start(), match.end()):
                continue
            number *= _SCALES.get((match["scale"] or "").strip().lower(), 1)
            minus = pattern is _BEFORE and match["minus"] is not None
            closed = minus and "(" in match["minus"]
            if closed and text[match.end() : match.end() + 1] != ")":
                minus = False  # "(EUR 12.50 a month)" is no credit
            start = match.start() if minus else min(match.start("mark"), match.start("number"))
            end = match.end() + (1 if closed and minus else 0)
            taken.add(start, end)
            yield FoundAmount(
                start, end, -abs(number) if minus else number, currency_of(match["mark"]), match["number"]
            )
