"""Which country's habits a document follows: the order of day and month, the currency meant, the region of a phone number.

Nothing here is certain. The strongest evidence is the document's own (a date whose day is above 12); then come country
codes, currencies and the language. Without any, dates are day first and no region is assumed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from workflows.drafting.documents import PageText

SYMBOLS = {
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "zł": "PLN",
    "Kč": "CZK",
    "US$": "USD",
    "C$": "CAD",
    "A$": "AUD",
    "$": "USD",
}
CODES = frozenset(
    [
        "EUR",
        "USD",
        "GBP",
        "CHF",
        "SEK",
        "NOK",
        "DKK",
        "PLN",
        "CZK",
        "HUF",
        "RON",
        "BGN",
        "CAD",
        "AUD",
        "NZD",
        "JPY",
        "CNY",
        "INR",
        "SGD",
        "HKD",
        "ZAR",
        "BRL",
        "MXN",
        "TRY",
        "AED",
        "ILS",
        "KRW",
    ]
)
CURRENCY_WORDS = {
    "euro": "EUR", "euros": "EUR", "pounds": "GBP", "sterling": "GBP", "quid": "GBP", "dollars": "USD", "dollar": "USD",
    "franken": "CHF", "sfr": "CHF", "fr.": "CHF", "kronor": "SEK",
}  # fmt: skip

_CURRENCY_REGION = {
    "GBP": "GB", "USD": "US", "CHF": "CH", "SEK": "SE", "NOK": "NO", "DKK": "DK", "PLN": "PL", "CZK": "CZ", "CAD": "CA",
    "AUD": "AU", "INR": "IN", "JPY": "JP",
}  # fmt: skip
_CALLING_CODES = {
    "44": "GB", "49": "DE", "33": "FR", "34": "ES", "39": "IT", "31": "NL", "43": "AT", "41": "CH", "32": "BE", "353": "IE",
    "1": "US", "46": "SE", "47": "NO", "45": "DK", "48": "PL", "351": "PT", "420": "CZ", "61": "AU", "64": "NZ",
}  # fmt: skip
_TOP_LEVEL = {
    "uk": "GB", "de": "DE", "fr": "FR", "es": "ES", "it": "IT", "nl": "NL", "at": "AT", "ch": "CH", "be": "BE", "ie": "IE",
    "us": "US", "se": "SE", "no": "NO", "dk": "DK", "pl": "PL", "pt": "PT", "au": "AU", "ca": "CA", "nz": "NZ",
}  # fmt: skip
_COUNTRIES = {
    "united kingdom": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "germany": "DE", "deutschland": "DE", "france": "FR",
    "spain": "ES", "españa": "ES", "italy": "IT", "italia": "IT", "netherlands": "NL", "nederland": "NL", "austria": "AT",
    "österreich": "AT", "switzerland": "CH", "schweiz": "CH", "suisse": "CH", "belgium": "BE", "belgique": "BE", "belgië": "BE",
    "ireland": "IE", "united states": "US", "usa": "US", "u.s.a": "US", "sweden": "SE", "norway": "NO", "denmark": "DK", "poland": "PL",
    "portugal": "PT", "canada": "CA", "australia": "AU",
}  # fmt: skip
_LANGUAGES = {  # words that stand in any paragraph of one language and in none of the others
    "DE": "und nicht wir für mit bitte ist sie auch freundlichen grüßen straße",
    "FR": "nous vous pour avec merci est les bonjour cordialement rue",
    "ES": "para usted gracias nuestro pero hola saludos calle muy",
    "IT": "gentile grazie per della saluti buongiorno sono nostro via",
    "NL": "het een niet wij voor graag bedankt groet onze straat",
    "SE": "och för att är inte jag vänliga hälsningar tack",
    "DK": "og ikke jeg venlig hilsen tak på",
    "PL": "dzień dobry proszę dziękuję jest pozdrawiam się",
    "GB": "the and you for with please our thanks colour organise",
}
_LANGUAGE_OF = {
    word: region
    for region, words in _LANGUAGES.items()
    for word in words.split()
    if sum(word in other.split() for other in _LANGUAGES.values()) == 1
}
_WORD = re.compile(r"[^\W\d_]+")
_CALLING = re.compile(r"(?<![\w+])(?:\+|00)(\d{1,3})[\s(./-]")
_CALLING_SOLID = re.compile(r"(?<![\w+])\+(\d{8,14})(?!\d)")
_DOMAIN = re.compile(r"[\w-]\.([a-z]{2})(?![\w.-])", re.I)
_VAT = re.compile(r"\b(GB|DE|FR|ES|IT|NL|ATU|BE|IE|CHE|SE|PL|DK)[ -]?\d{8,11}\b")
_UK_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b")
_US_STATE = re.compile(r"\b[A-Z]{2} \d{5}(?:-\d{4})?\b")
_COUNTRY = re.compile(r"\b(?:" + "|".join(map(re.escape, _COUNTRIES)) + r")\b", re.I)
_NUMERIC_DATE = re.compile(r"(?<![\d./-])(\d{1,2})([/-])(\d{1,2})\2(?:\d{4}|\d{2})(?![\d/-])")
_MONEY_SIGN = re.compile(
    r"US\$|C\$|A\$|[€£¥₹$]|\b(?:"
    + "|".join(sorted(CODES))
    + r")\b|zł|Kč|\b(?:euros?|dollars?|pounds|sterling|Franken|sFr)\b"
)


@dataclass(frozen=True)
class Conventions:
    regions: tuple[str, ...]  # ISO 3166 two letters, the likeliest first; empty when nothing shows one
    currency: str | None  # ISO 4217
    day_first: bool
    order_is_shown: bool  # the document itself shows the order; else it is a guess to be flagged


def read_conventions(*, pages: Sequence[PageText]) -> Conventions:
    return _read("\n".join(page.text for page in pages)[:60_000])


def currency_of(mark: str) -> str | None:
    """ISO code of a symbol, a code or a word as written; None when it is none of them."""
    mark = mark.strip()
    if mark.upper() in CODES:
        return mark.upper()
    return SYMBOLS.get(mark) or CURRENCY_WORDS.get(mark.casefold())


@lru_cache(maxsize=64)
def _read(text: str) -> Conventions:
    currency = _dominant_currency(text)
    regions = _likely_regions(text, currency)
    day_first, shown = _order_of_dates(text)
    if day_first is None:
        day_first = regions[:1] != ("US",)
    return Conventions(regions, currency, day_first, shown)


def _dominant_currency(text: str) -> str | None:
    counted = Counter(filter(None, (currency_of(match.group()) for match in _MONEY_SIGN.finditer(text))))
    if counted["USD"] and (
        dollars := [code for code in ("CAD", "AUD", "NZD", "SGD", "HKD") if counted[code]]
    ):
        return dollars[0]  # a lone $ beside a named dollar is that dollar
    return counted.most_common(1)[0][0] if counted else None


def _likely_regions(text: str, currency: str | None) -> tuple[str, ...]:
    votes: Counter[str] = Counter()
    for match in _CALLING.finditer(text):
        if region := _CALLING_CODES.get(match.group(1)):
            votes[region] += 4
    for match in _CALLING_SOLID.finditer(text):
        for length in (3, 2, 1):
            if region := _CALLING_CODES.get(match.group(1)[:length]):
                votes[region] += 4
                break
    for match in _DOMAIN.finditer(text):
        if region := _TOP_LEVEL.get(match.group(1).lower()):
            votes[region] += 2
    for match in _VAT.finditer(text):
        votes[match.group(1)[:2]] += 4
    for match in _COUNTRY.finditer(text):
        votes[_COUNTRIES[match.group().casefold()]] += 3
    if _UK_POSTCODE.search(text):
        votes["GB"] += 4
    if _US_STATE.search(text):
        votes["US"] += 3
    if currency and (region := _CURRENCY_REGION.get(currency)):
        votes[region] += 3
    language = Counter(_LANGUAGE_OF.get(word.casefold(), "") for word in _WORD.findall(text[:6000]))
    del language[""]
    if language:
        spoken, times = language.most_common(1)[0]
        votes[spoken] += 2 if times > 2 and spoken != "GB" else 1  # English is written everywhere
    return tuple(region for region, _ in votes.most_common(4))


def _order_of_dates(text: str) -> tuple[bool | None, bool]:
    day_first = month_first = 0
    for match in _NUMERIC_DATE.finditer(text):
        first, second = int(match.group(1)), int(match.group(3))
        day_first += first > 12 >= second
        month_first += second > 12 >= first
    if day_first == month_first:
        return None, False
    return day_first > month_first, True
