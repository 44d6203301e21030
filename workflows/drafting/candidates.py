"""What stands in the text that a field could be: offered to the model as choices, so that it picks and does not retype.

A small model copies a long number wrongly and picks it rightly. The value is worked out here, in code, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from workflows.drafting.amounts import find_amounts, write_amount
from workflows.drafting.contacts import find_emails, find_phones, find_urls
from workflows.drafting.conventions import Conventions, read_conventions
from workflows.drafting.dates import FoundDate, find_dates
from workflows.drafting.documents import PageText, older_mails, passed_on_mail
from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.references import (
    asks_for_iban,
    asks_for_model,
    asks_for_reference,
    find_ibans,
    find_models,
    find_references,
)
from workflows.drafting.stretches import Stretches

MOST_CANDIDATES = (
    40  # of one kind: a longer list costs more than it helps, and "other, as written" stays open
)
MOST_CHARACTERS = 60_000  # of the material searched


@dataclass(frozen=True)
class Candidate:
    text: str  # verbatim
    value: Any  # normalised, in the shape of the field's kind; None where the text is no complete value
    source: int
    page: int
    start: int  # offsets in the page's text
    end: int
    derived: bool = False  # the value stands nowhere as such: it was worked out
    doubtful: bool = False  # the text can be read in two ways
    shorter: str = ""  # a part of the text that says the same: the number without its currency, the day without its weekday


_TIME = re.compile(
    r"\b(?P<hour>[01]?\d|2[0-3])(?:[:.h](?P<minute>[0-5]\d)\s?(?:Uhr|h|hrs)?|\s?(?:Uhr|heures|o'clock|uur))?\s?(?P<half>[ap]\.?m\b\.?)?"
    r"(?:\s?(?P<zone>Z|[+-]\d{2}:?\d{2})\b)?",
    re.I,
)
_DEADLINE = re.compile(
    r"\b(?:due|deadline|needed by|wanted by|latest|frist|fällig\w*|échéance|vervaldatum|scadenza|vencimiento)\b",
    re.I,
)
_DATE_LINE = re.compile(
    r"^[ \t>*|]{0,6}(?:date|sent|sent on|datum|gesendet|envoyé|fecha|enviado|data|inviato|verzonden|recorded|call date|date of call|received|call)"
    r"\b[^\n:]{0,20}:\s?(?P<rest>[^\n]{4,60})",
    re.I | re.M,
)

_TO_LINE = re.compile(r"^(?:to|cc|an|kopie|à|aan|para|delivered-to)\s?:[^\n]*", re.I | re.M)


def find_candidates(
    *, fields: Sequence[FieldSpec], pages: Sequence[PageText], reference_date: date | None
) -> dict[str, tuple[Candidate, ...]]:
    """Per key of a field (`total`) or column (`lines[].amount`) of a kind that can be found; in text order, one for each
    different text. Nothing is offered for kinds that cannot be found: free text, choices, yes or no."""
    wanted = [*_named(fields)]
    finders = {finder for _, spec in wanted if (finder := _finder_of(spec))}
    conventions = read_conventions(pages=pages)
    written = written_on(pages=pages, reference_date=reference_date)
    found: dict[str, list[Candidate]] = {finder: [] for finder in finders}
    left = MOST_CHARACTERS
    for page in pages:
        _search_page(page, page.text[:left], finders, conventions, written, found)
        left -= len(page.text)
        if left <= 0:
            break
    distinct = {finder: _distinct(_newest(finder, several, pages)) for finder, several in found.items()}
    return {
        key: _to_come(distinct[finder], written, pages, reference_date is not None)
        if asks_for_deadline(spec)
        else distinct[finder]
        for key, spec in wanted
        if (finder := _finder_of(spec))
    }


def asks_for_deadline(spec: FieldSpec) -> bool:
    """A date by which something is to happen, by its name: it cannot lie before the day the material was written."""
    words = f"{spec.key.replace('_', ' ')} {spec.label}"
    return spec.kind is Kind.DATE and bool(_DEADLINE.search(words))


def _to_come(
    several: tuple[Candidate, ...], written: date | None, pages: Sequence[PageText], received: bool
) -> tuple[Candidate, ...]:
    """Without the days that are past, and without the day of writing where it only dates the material or its lines. All of
    them where that day is a guess: no date line names it, and either nothing is known of when the material was
    `received` or nothing else would be left."""
    if written is None:
        return several
    text = "\n".join(page.text for page in pages)
    day, dated = written.isoformat(), bool(_DATE_LINE.search(text[:600]))
    if not dated and not received:
        return several
    kept = tuple(
        one
        for one in several
        if one.value > day or (one.value == day and (one.derived or _stands_elsewhere(one.text, text)))
    )
    return kept if kept or dated else several


def _stands_elsewhere(written: str, text: str) -> bool:
    """Besides the head of the material and the stamps near the beginning of lines, of which there are many."""
    times = text.count(written)
    stamps = len(re.findall(rf"^.{{0,12}}{re.escape(written)}", text, re.M))
    return times == 2 or times - stamps > 1


def written_on(*, pages: Sequence[PageText], reference_date: date | None) -> date | None:
    """The day the material was written, from which its relative dates count: its own date line near the top, else the first
    complete date there (not more than a month before `reference_date`, the day it was sent or came in), else that."""
    if not pages:
        return reference_date
    return _written_in(pages[0].text[:600], read_conventions(pages=pages), reference_date)


@lru_cache(maxsize=256)  # asked for the same material by the candidates, the prompt and the draft
def _written_in(head: str, conventions: Conventions, reference_date: date | None) -> date | None:
    if own := _date_of_line(head, conventions):
        return own
    complete = find_dates(text=head, written=None, conventions=conventions)
    if reference_date is None:
        return complete[0].day if complete else None
    recent = [item.day for item in complete if 0 <= (reference_date - item.day).days <= 31]
    return recent[0] if recent else reference_date


def _date_of_line(head: str, conventions: Conventions) -> date | None:
    for line in _DATE_LINE.finditer(head):
        if found := find_dates(text=line["rest"], written=None, conventions=conventions):
            return found[0].day
    return None


def _named(fields: Iterable[FieldSpec]) -> Iterable[tuple[str, FieldSpec]]:
    for spec in fields:
        if spec.kind is Kind.ROWS:
            yield from ((f"{spec.key}[].{column.key}", column) for column in spec.columns)
        else:
            yield spec.key, spec


def _finder_of(spec: FieldSpec) -> str | None:
    if spec.kind is Kind.TEXT:
        asked = (asks_for_iban, "iban"), (asks_for_reference, "reference"), (asks_for_model, "model")
        return next((finder for asks, finder in asked if asks(spec)), None)
    return spec.kind.value if spec.kind in _FINDABLE else None


_FINDABLE = frozenset({Kind.DATE, Kind.DATETIME, Kind.MONEY, Kind.EMAIL, Kind.PHONE, Kind.URL})


def _search_page(
    page: PageText,
    text: str,
    finders: set[str],
    conventions: Conventions,
    written: date | None,
    found: dict[str, list[Candidate]],
) -> None:
    taken = Stretches(length=len(text))

    def keep(
        finder: str,
        start: int,
        end: int,
        value: Any,
        derived: bool = False,
        doubtful: bool = False,
        shorter: str = "",
    ) -> None:
        taken.add(start, end)
        if finder in finders:
            found[finder].append(
                Candidate(
                    text[start:end], value, page.source, page.number, start, end, derived, doubtful, shorter
                )
            )

    every = "reference" in finders  # a reference is what nothing else is
    emails = [*find_emails(text=text)] if finders & {"email", "url"} or every else []
    to = [line.span() for line in _TO_LINE.finditer(text)]
    senders = [one for one in emails if not any(start < one.start < end for start, end in to)]
    for item in senders or emails:  # whoever wrote it is not among those it was sent to
        keep("email", item.start, item.end, item.value)
    for item in emails:
        taken.add(item.start, item.end)
    if "url" in finders or every:
        for item in find_urls(text=text):
            keep("url", item.start, item.end, item.value)
    if "iban" in finders or every:
        for item in find_ibans(text=text):
            keep("iban", item.start, item.end, item.value)
    if finders & {"date", "datetime", "phone"} or every:
        for day in find_dates(text=text, written=written, conventions=conventions):
            bare = text[day.bare : day.end] if day.bare is not None else ""
            keep("date", day.start, day.end, day.day.isoformat(), day.derived, day.doubtful, bare)
            if "datetime" in finders:
                found["datetime"].append(_with_time(page, text, day))
    if "money" in finders or every:
        others = taken.copy()
        for amount in find_amounts(text=text):
            if not others.overlap(amount.start, amount.end):
                currency = amount.currency or conventions.currency
                value = {"amount": write_amount(amount.amount), "currency": currency}
                keep("money", amount.start, amount.end, value, amount.currency is None, shorter=amount.number)
    if "phone" in finders or every:
        for item in find_phones(text=text, regions=conventions.regions):
            if not taken.overlap(item.start, item.end):
                keep("phone", item.start, item.end, item.value)
    if "model" in finders:
        for item in find_models(text=text):
            if not taken.overlap(item.start, item.end):
                keep("model", item.start, item.end, item.value)
    if every:
        for item in find_references(text=text, taken=taken):
            keep("reference", item.start, item.end, item.value)


def _with_time(page: PageText, text: str, day: FoundDate) -> Candidate:
    """A time of day counts as the date's when it follows within a few words of its line, or stands just before it."""
    after = text[day.end : day.end + 28].split("\n", 1)[0]
    before_from = max(0, day.start - 24)
    before = text[before_from : day.start].rsplit("\n", 1)[-1]
    for stretch, offset, side in ((after, day.end, "after"), (before, day.start - len(before), "before")):
        for match in _TIME.finditer(stretch):
            if time := read_time(match.group()):
                start = day.start if side == "after" else offset + match.start()
                end = offset + match.end() if side == "after" else day.end
                value = f"{day.day.isoformat()}T{time}"
                return Candidate(
                    text[start:end], value, page.source, page.number, start, end, day.derived, day.doubtful
                )
    return Candidate(
        text[day.start : day.end],
        None,
        page.source,
        page.number,
        day.start,
        day.end,
        day.derived,
        day.doubtful,
    )


def read_time(text: str) -> str | None:
    """ "HH:MM", with the offset appended where one is written; None when the text is a bare number or no time."""
    match = _TIME.search(text)
    if not match or not (match["minute"] or match["half"] or re.search(r"[^\d\s]", match.group())):
        return None
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"].lower().startswith("p") else 0)
    return f"{hour:02d}:{match['minute'] or '00'}{match['zone'] or ''}"


def _newest(finder: str, several: list[Candidate], pages: Sequence[PageText]) -> list[Candidate]:
    """What stands in the newest mail of a chain: dates, amounts and addresses of the older ones are other people's or past. A
    reference there still names the matter, so it counts where the newest has none. Of a mail that was passed on, what
    stands in it and not above it: who passed it on is nobody who asks."""
    older = _places(pages, older_mails)
    passed_on = _places(pages, passed_on_mail)
    if passed_on:
        own = [one for one in several if one.start >= passed_on.get((one.source, one.page), 0)]
        several = own or several
    if not older:
        return several
    newest = [one for one in several if one.start < older.get((one.source, one.page), one.start + 1)]
    return newest or (several if finder in {"reference", "iban"} else [])


def _places(pages: Sequence[PageText], find: Callable[[PageText], int | None]) -> dict[tuple[int, int], int]:
    return {(page.source, page.number): begins for page in pages if (begins := find(page)) is not None}


def _distinct(several: list[Candidate]) -> tuple[Candidate, ...]:
    """The first of each text. A plain reading is kept before one that had to be worked out or doubted."""
    kept: dict[str, Candidate] = {}
    for candidate in several:
        kept.setdefault(" ".join(candidate.text.split()), candidate)
    return tuple(kept.values())[:MOST_CANDIDATES]
