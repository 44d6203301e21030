"""Days as people write them, in English, German, French, Spanish, Italian and Dutch: found in text and read.

A prefilter and a parser in one: `dateparser.search` reads everything as a date and takes tens of milliseconds a
page, so shapes are matched here and only what a person or a model typed, and no shape fits, goes to `dateparser`.
Relative words ("next Friday", "in two weeks") are worked out from the day the document was written; "next week" and "next
month" name no day and are left alone.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from workflows.drafting.conventions import Conventions
from workflows.drafting.stretches import Stretches


@dataclass(frozen=True)
class FoundDate:
    start: int
    end: int
    day: date
    derived: bool = False  # the text names no complete day: worked out from the day it was written
    doubtful: bool = False  # day and month could be swapped, or people understand the words differently
    bare: int | None = None  # where it begins without its weekday


_MONTH_NAMES = (
    "january jan januar jänner janvier janv enero ene gennaio gen januari",
    "february feb februar février févr fevrier febrero febbraio februari",
    "march mar märz maerz mars marzo maart mrt mrz",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag mei",
    "june jun juni juin junio giugno giu",
    "july jul juli juillet juil julio luglio lug",
    "august aug août aout agosto ago augustus",
    "september sep sept septembre septiembre settembre set",
    "october oct oktober okt octobre octubre ottobre ott",
    "november nov novembre noviembre",
    "december dec dezember dez décembre decembre déc diciembre dic dicembre",
)
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
_ALSO_WORDS = frozenset({"may", "march", "mar", "set", "ago", "gen"})  # when written small
_WEEKDAY_NAMES = (
    "monday montag lundi lunes lunedì maandag",
    "tuesday dienstag mardi martes martedì dinsdag",
    "wednesday mittwoch mercredi miércoles mercoledì woensdag",
    "thursday donnerstag jeudi jueves giovedì donderdag",
    "friday freitag vendredi viernes venerdì vrijdag",
    "saturday samstag sonnabend samedi sábado sabato zaterdag",
    "sunday sonntag dimanche domingo domenica zondag",
)
_WEEKDAYS = {name: number for number, names in enumerate(_WEEKDAY_NAMES) for name in names.split()}
for _name, _number in list(_WEEKDAYS.items()):
    if _name.endswith(("tag", "woch", "abend")):  # "Freitagvormittag"
        for _part in ("früh", "morgen", "vormittag", "mittag", "nachmittag", "abend"):
            _WEEKDAYS[_name + _part] = _number
    if _name.endswith("dag"):
        for _part in ("ochtend", "middag", "avond"):
            _WEEKDAYS[_name + _part] = _number
_SHORT_WEEKDAYS = "mon tue tues wed thu thur thurs fri sat sun mo di mi do fr sa so"
_ALSO_SHORT = frozenset(
    ["so", "do", "mi", "sa", "sat", "sun", "mo", "fr", "di"]
)  # when written small: "so the 27th"
_NUMBERS = {
    word: number
    for number, words in {
        1: "a an one ein eine einem einer un une uno una één een",
        2: "two couple zwei deux dos due twee",
        3: "three drei trois tres tre drie",
        4: "four vier quatre cuatro quattro",
        5: "five fünf cinq cinco cinque vijf",
        6: "six sechs seis sei zes",
        7: "seven sieben sept siete sette zeven",
        8: "eight acht huit ocho otto",
        10: "ten zehn dix diez dieci tien",
        14: "fourteen vierzehn quatorze catorce quattordici veertien",
        15: "quinze quince quindici",
    }.items()
    for word in words.split()
}
_UNITS = {
    word: unit
    for unit, words in {
        "fortnight": "fortnight fortnights",
        "day": "day days tag tage tagen jour jours día días giorno giorni dag dagen",
        "week": "week weeks woche wochen semaine semaines semana semanas settimana settimane weken",
        "month": "month months monat monate monaten monats mois mes meses mese mesi maand maanden",
        "year": "year years jahr jahre jahren jahres an ans année año años anno anni jaar",
    }.items()
    for word in words.split()
}
_DAYS_OF = {"day": 1, "week": 7, "fortnight": 14}
_OFFSETS = {
    "today": 0, "tonight": 0, "heute": 0, "aujourd'hui": 0, "hoy": 0, "oggi": 0, "vandaag": 0,
    "this morning": 0, "this afternoon": 0, "this evening": 0, "cet après-midi": 0, "ce soir": 0, "vanmiddag": 0, "vanavond": 0,
    "tomorrow": 1, "morgenochtend": 1, "morgenmiddag": 1, "a week today": 7, "a week tomorrow": 8, "morgen": 1, "demain": 1, "mañana": 1, "domani": 1,
    "yesterday": -1, "gestern": -1, "ayer": -1, "ieri": -1, "gisteren": -1,
    "day after tomorrow": 2, "übermorgen": 2, "après-demain": 2, "pasado mañana": 2, "dopodomani": 2, "overmorgen": 2,
}  # fmt: skip


_SPOKEN = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth twenty-fifth "
    "twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
)  # as a transcript writes a day that was said
_ORDINALS = {
    word: number
    for number, spoken in enumerate(_SPOKEN.split(), 1)
    for word in (spoken, spoken.replace("-", " "))
}


def _either(words: object) -> str:
    """Longest first, so that no word is taken for the one it begins with."""
    return "|".join(re.escape(str(word)) for word in sorted(words, key=lambda w: -len(str(w))))  # type: ignore[call-overload]


_MONTH = rf"(?P<month>{_either(_MONTHS)})"
_WEEKDAY = rf"(?P<weekday>{_either(_WEEKDAYS)})"
_LEAD = re.compile(
    rf"(?<![\w-])(?:{_either([*_WEEKDAYS, *_SHORT_WEEKDAYS.split()])})\b\.?,?\s+(?:(?:the|den|dem|le|el|de)\s+)?$",
    re.I,
)
_YEAR = r"(?P<year>\d{4}|['’]\d{2})"
_NEXT = r"(?:next|coming|nächsten?r?s?|kommenden?r?s?|volgende|aanstaande|komende|próximo|prossimo|proximo)"
_THIS = r"(?:this|diesen?r?s?|ce|este|questo|deze)"
_AFTER = r"(?:prochaine?|qui vient|que viene|próximo|prossimo)"

_ISO = re.compile(r"(?<![\d.-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d|[-/]\d)")
_NUMERIC = re.compile(r"(?<![\d./-])(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?![\d/-]|[.,]\d)", re.I)
_NO_YEAR = re.compile(r"(?<![\d./:-])(\d{1,2})\.\s?(\d{1,2})\.(?![\d])", re.I)
_DAY_MONTH = re.compile(
    rf"(?<![\d.,:])(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|°|\.)?[\s-]*(?:(?:of|de|d')\s+)?{_MONTH}\b"
    rf"(?:\.?[\s,-]*(?:(?:de|del|of)\s+)?{_YEAR}(?!\d))?",
    re.I,
)
_MONTH_DAY = re.compile(
    rf"\b{_MONTH}\b\.?\s*(?:the\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:]|[.,]\d)(?:[\s,]+{_YEAR}(?!\d))?",
    re.I,
)
_OFFSET = re.compile(rf"(?<![\w-])(?:the\s+)?(?P<word>{_either(_OFFSETS)})(?![\w-])", re.I)
_NAMED = re.compile(
    rf"\b(?:(?:(?P<next>{_NEXT})|(?P<this>{_THIS}))\s+)?{_WEEKDAY}\b(?:\s+(?P<after>{_AFTER})\b)?"
    r"(?P<week>\s+(?:next week|of next week|nächster woche|nächste woche|week)\b)?(?:,?\s+the\s+(?P<nth>\d{1,2})(?:st|nd|rd|th)\b|,?\s+(?P<bare>\d{1,2})(?:st|nd|rd|th)\b"
    r"|,?\s+(?:de[nmr]|de|le|el|il)\s+(?P<with_article>\d{1,2})(?:\.(?!\d)|e\b|er\b|(?![\w.,:/-]))"
    rf"|,?\s+the\s+(?P<spoken>{_either(_ORDINALS)})\b|\s+(?P<plain>\d{{1,2}})(?![\w:/-]|\.\d|,\d| (?:uur|heures|o'clock)))?",
    re.I,
)
_A_WEEK_ON = re.compile(rf"\ba week (?:on|from)\s+{_WEEKDAY}\b", re.I)
_WEEK_DAY = re.compile(rf"\b(?:next|volgende|nächste)\s+(?:week|woche)\s+(?:on\s+)?{_WEEKDAY}\b", re.I)
_IN = re.compile(
    rf"\b(?:in|within|innerhalb von|binnen|dans|sous|en|dentro de|tra|fra|entro|over)\s+(?:the next\s+|the\s+)?"
    rf"(?:an? (?=couple))?(?P<number>\d{{1,3}}|{_either(_NUMBERS)})\s+(?:of\s+)?(?P<working>(?:working|business)\s+)?(?P<unit>{_either(_UNITS)})\b",
    re.I,
)
_END = re.compile(
    rf"\b(?:(?:the\s+)?end of|ende|fin de|fin du|fine|einde?(?: van)?)\s+(?P<which>the|this|next|der|des|dieser|dieses|nächster|nächsten|la|le"
    rf"|l'|de|del|volgende|cette|deze)?\s*(?P<unit>{_either(_UNITS)})\b|\b(?P<month_end>monatsende|month end|EOM)\b|\b(?P<week_end>EOW)\b",
    re.I,
)
_ORDINAL = re.compile(
    r"(?P<before>\b(?:on|by|before|until|due|for)\s+)?\b(?P<text>the\s+(?:(?P<day>\d{1,2})(?:st|nd|rd|th)"
    rf"|(?P<spoken>{_either(_ORDINALS)})))\b(?:\s+of\s+(?P<which>this|next)\s+month\b)?(?!\s+(?:of|floor|time|one|thing)\b)",
    re.I,
)
_BARE_DAY = re.compile(
    r"\b(?:bis zum|spätestens am|bis|avant le|d'ici le|pour le|le|antes del|entro il|vóór de|voor de|uiterlijk de)\s+"
    r"(?P<text>(?P<day>\d{1,2})(?:\.(?=\s|$)|e\b|(?=[.,;!?)]?(?:\s+(?:au|à|bei|an|sein|fertig)\b|\s*\n|\s*$|[.,;!?)]))))",
    re.I | re.M,
)
_SPOKEN_MONTH = re.compile(
    rf"\b(?:(?P<spoken>{_either(_ORDINALS)})\s+of\s+{_MONTH}|{_MONTH.replace('month', 'before')}\s+(?:the\s+)?"
    rf"(?P<after>{_either(_ORDINALS)}))\b(?:[\s,]+(?P<year>\d{{4}})(?!\d))?",
    re.I,
)

# Regular expressions this long are slow on every word; almost all documents lack most of these words.
_WORDS = re.compile(r"[^\W\d_]+")
_MONTH_WORDS = frozenset(_MONTHS)
_RELATIVE_WORDS = frozenset(
    word for phrase in [*_OFFSETS, *_WEEKDAYS, "eow", "aujourd"] for word in phrase.split()
) - {"a", "day", "this", "week"}
_UNIT_WORDS = frozenset([*_UNITS, "eow", "eom", "monatsende"])


def find_dates(*, text: str, written: date | None, conventions: Conventions) -> list[FoundDate]:
    """In text order, none overlapping. `written`: the day the document was written; without it relative words and
    days without a year are left out, since nothing could be said of them."""
    named = [(match.start(), match.end(), match.group().casefold()) for match in _WORDS.finditer(text)]
    words = {word for _, _, word in named}
    found = [*_numeric(text, written, conventions)]
    if words & _MONTH_WORDS:
        near_months = _around(named, _MONTH_WORDS, len(text))
        found += _with_month_names(text, written, near_months)
        found += _with_spoken_days(text, written, near_months)
    if written and (words & _RELATIVE_WORDS):
        found += _by_weekday_or_word(text, written, _around(named, _RELATIVE_WORDS, len(text)))
    if written and words & _UNIT_WORDS:
        found += _by_unit(text, written, _around(named, _UNIT_WORDS, len(text)))
    if written:
        found += _by_ordinal(text, written)
    return _without_overlaps([_with_weekday(text, item) for item in found])


def _around(named: list[tuple[int, int, str]], words: frozenset[str], length: int) -> list[tuple[int, int]]:
    """Stretches around the words, merged where they meet: only there are the long expressions tried."""
    stretches: list[tuple[int, int]] = []
    for start, end, word in named:
        if word in words:
            first, last = max(0, start - 32), min(length, end + 32)
            if stretches and stretches[-1][1] >= first:
                stretches[-1] = (stretches[-1][0], last)
            else:
                stretches.append((first, last))
    return stretches


def _search(pattern: re.Pattern[str], text: str, stretches: list[tuple[int, int]]) -> Iterator[re.Match[str]]:
    for first, last in stretches:
        yield from pattern.finditer(text, first, last)


def read_date(*, text: str, written: date | None, conventions: Conventions) -> FoundDate | None:
    """The one day that a short text names; None when it names none, or several."""
    found = find_dates(text=text, written=written, conventions=conventions)
    if len({item.day for item in found}) == 1:
        return found[0]
    if found or not re.search(r"\d", text) or not re.search(r"[^\W\d_]{3}", text) or len(text) > 40:
        return None
    return _read_with_dateparser(text, conventions)


def _read_with_dateparser(text: str, conventions: Conventions) -> FoundDate | None:
    import dateparser  # half a second to import: only for what no shape here fits

    parsed = dateparser.parse(
        text,
        languages=["en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv"],
        settings={
            "DATE_ORDER": "DMY" if conventions.day_first else "MDY",
            "REQUIRE_PARTS": ["day", "month", "year"],
            "PARSERS": ["absolute-time"],
        },
    )
    return FoundDate(0, len(text), parsed.date()) if parsed else None


def _numeric(text: str, written: date | None, conventions: Conventions) -> Iterator[FoundDate]:
    for match in _ISO.finditer(text):
        if day := _day(int(match[1]), int(match[3]), int(match[4])):
            yield FoundDate(match.start(), match.end(), day)
    for match in _NUMERIC.finditer(text):
        first, second, year = int(match[1]), int(match[3]), _full_year(match[4])
        dotted = match[2] == "."  # nobody writes month.day.year
        day_first = dotted or conventions.day_first
        if first > 12 or second > 12:
            day_first = first > 12
        if day := _day(year, second, first) if day_first else _day(year, first, second):
            doubtful = (
                first <= 12
                and second <= 12
                and first != second
                and not dotted
                and not conventions.order_is_shown
            )
            yield FoundDate(match.start(), match.end(), day, doubtful=doubtful)
    if written:
        for match in _NO_YEAR.finditer(text):
            if day := _nearest_year(written, int(match[2]), int(match[1])):
                yield FoundDate(match.start(), match.end(), day, derived=True)


def _with_month_names(text: str, written: date | None, where: list[tuple[int, int]]) -> Iterator[FoundDate]:
    for pattern in (_DAY_MONTH, _MONTH_DAY):
        for match in _search(pattern, text, where):
            month, number = _MONTHS[match["month"].casefold()], int(match["day"])
            if pattern is _MONTH_DAY and match["month"] in _ALSO_WORDS and not match["year"]:
                continue  # "you may 3 times"
            if match["year"]:
                if day := _day(_full_year(match["year"].lstrip("'’")), month, number):
                    yield FoundDate(match.start(), match.end(), day)
            elif written and (day := _nearest_year(written, month, number)):
                yield FoundDate(match.start(), match.end(), day, derived=True)


def _with_spoken_days(text: str, written: date | None, where: list[tuple[int, int]]) -> Iterator[FoundDate]:
    for match in _search(_SPOKEN_MONTH, text, where):
        month = _MONTHS[(match["month"] or match["before"]).casefold()]
        number = _ORDINALS[(match["spoken"] or match["after"]).casefold()]
        if match["year"]:
            if day := _day(int(match["year"]), month, number):
                yield FoundDate(match.start(), match.end(), day)
        elif written and (day := _nearest_year(written, month, number)):
            yield FoundDate(match.start(), match.end(), day, derived=True)


def _by_weekday_or_word(text: str, written: date, where: list[tuple[int, int]]) -> Iterator[FoundDate]:
    for match in _search(_OFFSET, text, where):
        greeting = text[max(0, match.start() - 7) : match.start()].casefold().strip()
        if match["word"].casefold() in {"morgen", "mañana"} and greeting.endswith(
            ("guten", "goede", "la", "heute", "am")
        ):
            continue  # "Guten Morgen", "por la mañana": the time of day
        day = written + timedelta(days=_OFFSETS[match["word"].casefold()])
        yield FoundDate(match.start(), match.end(), day, derived=True)
    for match in _search(_WEEK_DAY, text, where):
        monday = _monday_after(written)
        yield FoundDate(
            match.start(),
            match.end(),
            monday + timedelta(days=_WEEKDAYS[match["weekday"].casefold()]),
            derived=True,
        )
    for match in _search(_A_WEEK_ON, text, where):
        coming = (_WEEKDAYS[match["weekday"].casefold()] - written.weekday() - 1) % 7 + 1
        yield FoundDate(match.start(), match.end(), written + timedelta(days=coming + 7), derived=True)
    for match in _search(_NAMED, text, where):
        yield _named_weekday(match, written)


def _named_weekday(match: re.Match[str], written: date) -> FoundDate:
    """A bare weekday is the coming one. "Next Friday" is the Friday of the next week to most and the coming one to some,
    so it is doubtful unless both agree."""
    number = _WEEKDAYS[match["weekday"].casefold()]
    coming = written + timedelta(days=(number - written.weekday() - 1) % 7 + 1)
    of_next_week = _monday_after(written) + timedelta(days=number)
    week = (match["week"] or "").casefold().strip()
    if match["plain"]:
        # "vendredi 27" is a day, "Friday 9" may be a time: the weekday tells.
        near = _coming_ordinal(written, int(match["plain"]))
        if near and near.weekday() == number:
            return FoundDate(match.start(), match.end(), near, derived=True)
        return FoundDate(match.start(), match.end("weekday"), coming, derived=True)
    if number_of_month := _day_beside(match):
        near = _ordinal_on_weekday(written, number_of_month, number)
        return FoundDate(
            match.start(),
            match.end(),
            near or coming,
            derived=True,
            doubtful=near is None or near.weekday() != number,
        )
    if week == "week":  # "Friday week": a week after the coming one
        return FoundDate(
            match.start(),
            match.end(),
            coming + timedelta(days=7),
            derived=True,
            doubtful=True,
        )
    if week:
        return FoundDate(match.start(), match.end(), of_next_week, derived=True)
    if match["next"] and match["next"].casefold() in {"next", "nächsten", "nächster", "volgende"}:
        return FoundDate(
            match.start(), match.end(), of_next_week, derived=True, doubtful=of_next_week != coming
        )
    return FoundDate(match.start(), match.end(), coming, derived=True)


def _day_beside(match: re.Match[str]) -> int | None:
    """The day of the month said after a weekday: "Friday the 20th", "Friday 20th", "Freitag, den 20.", "Friday the twentieth"."""
    if match["spoken"]:
        return _ORDINALS[match["spoken"].casefold()]
    written = match["nth"] or match["bare"] or match["with_article"]
    return int(written) if written else None


def _by_unit(text: str, written: date, where: list[tuple[int, int]]) -> Iterator[FoundDate]:
    for match in _search(_IN, text, where):
        spoken = match["number"].casefold()
        number = int(spoken) if spoken.isdecimal() else _NUMBERS[spoken]
        unit = _UNITS[match["unit"].casefold()]
        day = (
            _after_working_days(written, number)
            if match["working"] and unit == "day"
            else _later(written, number, unit)
        )
        if day:
            yield FoundDate(match.start(), match.end(), day, derived=True)
    for match in _search(_END, text, where):
        unit = (
            _UNITS[match["unit"].casefold()] if match["unit"] else ("month" if match["month_end"] else "week")
        )
        later = (match["which"] or "").casefold() in {"next", "nächster", "nächsten", "volgende"}
        if unit not in {"day", "fortnight"} and (day := _end_of(written, unit, later=later)):
            # a working week ends on Friday; some mean Sunday
            yield FoundDate(match.start(), match.end(), day, derived=True, doubtful=unit == "week")


def _by_ordinal(text: str, written: date) -> Iterator[FoundDate]:
    for match in _ORDINAL.finditer(text):
        spoken = match["spoken"]
        number = _ORDINALS[spoken.casefold()] if spoken else int(match["day"])
        before = (match["before"] or "").casefold().strip()
        announced = before in {"by", "before", "until", "due"} if spoken else before
        if number < (13 if spoken else 4) and not match["which"] and not announced:
            continue  # "the 2nd one", "the 1st time", "for the second roll"
        day = (
            _of_month(written, number, match["which"]) if match["which"] else _coming_ordinal(written, number)
        )
        if day:
            yield FoundDate(match.start("text"), match.end(), day, derived=True)
    for match in _BARE_DAY.finditer(text):
        if day := _coming_ordinal(written, int(match["day"])):
            yield FoundDate(match.start("text"), match.end("text"), day, derived=True)


def _of_month(written: date, number: int, which: str) -> date | None:
    month = written.month - 1 + (which.casefold() == "next")
    return _day(written.year + month // 12, month % 12 + 1, number)


def _with_weekday(text: str, found: FoundDate) -> FoundDate:
    """Takes in the weekday that stands before a date, so that the two are one."""
    before = text[max(0, found.start - 24) : found.start]
    lead = _LEAD.search(before)
    if lead is None or lead.group()[:3].strip() in _ALSO_SHORT:
        return found
    return replace(found, start=found.start - (len(before) - lead.start()), bare=found.start)


def _without_overlaps(found: list[FoundDate]) -> list[FoundDate]:
    """The longer reading wins: "Friday 28 November" over "Friday", "end of next week" over "next week"."""
    kept: list[FoundDate] = []
    taken = Stretches(length=max((item.end for item in found), default=0))
    for item in sorted(found, key=lambda item: (item.start - item.end, item.start)):
        if not taken.overlap(item.start, item.end):
            kept.append(item)
            taken.add(item.start, item.end)
    return sorted(kept, key=lambda item: item.start)


def _day(year: int, month: int, day: int) -> date | None:
    if not 1900 <= year <= 2199:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _full_year(written: str) -> int:
    year = int(written)
    return year if year > 99 else (2000 + year if year < 70 else 1900 + year)


def _nearest_year(written: date, month: int, day: int) -> date | None:
    """Work looks ahead: a day without a year lies between three months back and nine months on."""
    for year in (written.year - 1, written.year, written.year + 1):
        candidate = _day(year, month, day)
        if candidate and -92 <= (candidate - written).days <= 273:
            return candidate
    return None


def _coming_ordinal(written: date, number: int) -> date | None:
    for ahead in range(3):
        month = written.month - 1 + ahead
        candidate = _day(written.year + month // 12, month % 12 + 1, number)
        if candidate and candidate > written:
            return candidate
    return None


def _ordinal_on_weekday(written: date, number: int, weekday: int) -> date | None:
    """The coming such day, or today's or the last one where that falls on the weekday and the coming one does not."""
    coming = _coming_ordinal(written, number)
    if coming is None or coming.weekday() == weekday:
        return coming
    before = written.replace(day=1) - timedelta(days=1)
    past = (_day(month.year, month.month, number) for month in (written, before))
    return next((day for day in past if day and day <= written and day.weekday() == weekday), coming)


def _monday_after(written: date) -> date:
    return written + timedelta(days=7 - written.weekday())


def _later(written: date, number: int, unit: str) -> date | None:
    if unit in _DAYS_OF:
        return written + timedelta(days=number * _DAYS_OF[unit])
    months = written.month - 1 + number * (12 if unit == "year" else 1)
    year, month = written.year + months // 12, months % 12 + 1
    if year > 2199:
        return None
    return date(year, month, min(written.day, calendar.monthrange(year, month)[1]))


def _after_working_days(written: date, number: int) -> date:
    day = written
    for _ in range(min(number, 400)):
        day += timedelta(days=3 if day.weekday() == 4 else 2 if day.weekday() == 5 else 1)
    return day


def _end_of(written: date, unit: str, *, later: bool) -> date:
    if unit == "week":
        friday = written + timedelta(days=4 - written.weekday())
        return friday + timedelta(days=7) if later or friday < written else friday
    if unit == "year":
        return date(written.year + later, 12, 31)
    month = written.month - 1 + later
    year, month = written.year + month // 12, month % 12 + 1
    return date(year, month, calendar.monthrange(year, month)[1])
