from __future__ import annotations

from datetime import date
from time import process_time

import pytest

from tests.workflows.drafting.material import LEAD, LINES, MAIL, PASSED_ON, page, spec
from workflows.drafting.candidates import find_candidates, read_time, written_on


def found(
    text: str, kind: str, key: str = "value", written: date | None = date(2026, 11, 10)
) -> dict[str, object]:
    several = find_candidates(fields=[spec(key, kind)], pages=[page(text)], reference_date=written).get(
        key, ()
    )
    return {candidate.text: candidate.value for candidate in several}


def test_candidates_are_verbatim_and_know_their_place() -> None:
    candidates = find_candidates(fields=LEAD, pages=[page(MAIL)], reference_date=None)
    assert set(candidates) == {"email", "phone", "order_number", "wanted_by", "budget"}
    for several in candidates.values():
        for candidate in several:
            assert MAIL[candidate.start : candidate.end] == candidate.text
    assert [candidate.text for candidate in candidates["order_number"]] == ["PO-2026-1187", "INV-00233"]
    assert candidates["phone"][0].value == "+441632960961"
    assert candidates["budget"][0].value == {"amount": "4200.00", "currency": "GBP"}


def test_a_relative_date_counts_from_the_day_the_mail_was_sent() -> None:
    days = found(MAIL, "date", written=None)
    assert days["next Friday"] == "2026-11-20"
    assert days["28 November"] == "2026-11-28"


def test_the_documents_own_date_line_beats_the_day_it_came_in() -> None:
    assert written_on(pages=[page(MAIL)], reference_date=date(2026, 12, 1)) == date(2026, 11, 10)
    assert written_on(pages=[page("See you tomorrow")], reference_date=date(2026, 12, 1)) == date(2026, 12, 1)
    assert written_on(pages=[page("Minutes of 3 March 2026\nAna: hello")], reference_date=None) == date(
        2026, 3, 3
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("due 2026-12-01.", "2026-12-01"),
        ("fällig am 01.12.2026", "2026-12-01"),
        ("bis 1. Dezember 2026", "2026-12-01"),
        ("le 1er décembre 2026", "2026-12-01"),
        ("el 1 de diciembre de 2026", "2026-12-01"),
        ("entro il 1 dicembre 2026", "2026-12-01"),
        ("op 1 december 2026", "2026-12-01"),
        ("December 1st, 2026", "2026-12-01"),
        ("Tue, 1 Dec 2026", "2026-12-01"),
        ("01-Dec-26", "2026-12-01"),
        ("31/12/2026", "2026-12-31"),
        ("12/31/2026", "2026-12-31"),
        ("on Thursday", "2026-11-12"),
        ("tomorrow", "2026-11-11"),
        ("übermorgen", "2026-11-12"),
        ("in two weeks", "2026-11-24"),
        ("dans 3 jours", "2026-11-13"),
        ("within 5 working days", "2026-11-17"),
        ("Ende des Monats", "2026-11-30"),
        ("by the end of the month", "2026-11-30"),
        ("by the 20th", "2026-11-20"),
        ("let us say the 20th", "2026-11-20"),
        ("on Friday the 20th", "2026-11-20"),
        ("it is Tuesday the 10th that I mean", "2026-11-10"),
        ("it left on Thursday the 5th", "2026-11-05"),
        ("vendredi prochain", "2026-11-13"),
        ("next week Wednesday", "2026-11-18"),
        ("3 January", "2027-01-03"),
        ("15. Oktober", "2026-10-15"),
    ],
)
def test_a_day_is_read_however_it_is_written(text: str, day: str) -> None:
    assert list(found(text, "date").values()) == [day]


@pytest.mark.parametrize(
    "text",
    [
        "Guten Morgen",
        "10:45",
        "version 1.2.3",
        "next month",
        "you may 3 of them",
        "12.50 EUR",
        "99/99/2026",
        "31.02.2026",
        "room 12-3",
    ],
)
def test_what_is_no_day_is_not_offered_as_one(text: str) -> None:
    assert found(text, "date") == {}


def test_day_and_month_follow_the_documents_other_dates_and_else_are_flagged() -> None:
    def first(text: str) -> tuple[str, bool]:
        candidate = find_candidates(fields=[spec("due", "date")], pages=[page(text)], reference_date=None)[
            "due"
        ][0]
        return candidate.value, candidate.doubtful

    assert first("03/04/2026") == ("2026-04-03", True)
    assert first("03/04/2026 and 12/25/2026") == ("2026-03-04", False)
    assert first("03/04/2026 and 25/12/2026") == ("2026-04-03", False)
    assert first("Invoice 03/04/2026, total USD 12.00, Austin, TX 78701") == ("2026-03-04", True)
    assert first("03.04.2026") == ("2026-04-03", False)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("by the twenty-seventh", "2026-11-27"),
        ("the first of December", "2026-12-01"),
        ("Friday 20th", "2026-11-20"),
        ("Freitag, den 27.", "2026-11-27"),
        ("le vendredi 27", "2026-11-27"),
        ("vrijdag de 27e", "2026-11-27"),
        ("Friday 9", "2026-11-20"),
        ("bis zum 27.", "2026-11-27"),
        ("the 3rd of next month", "2026-12-03"),
        ("a week on Friday", "2026-11-27"),
        ("in a fortnight", "2026-12-02"),
        ("bis Freitagmittag", "2026-11-20"),
        ("this afternoon", "2026-11-18"),
        ("so the 27th", "2026-11-27"),
    ],
)
def test_a_day_is_read_as_it_is_said_on_the_telephone(text: str, day: str) -> None:
    assert list(found(text, "date", written=date(2026, 11, 18)).values()) == [day]


def test_an_ordinal_that_counts_things_is_no_day() -> None:
    assert found("the offer for the second machine, the fifth roll", "date") == {}


def test_a_deadline_is_not_before_the_day_of_writing_nor_the_date_line_itself() -> None:
    text = "Date: 18 November 2026\nYou called yesterday. We send it by Friday."
    assert found(text, "date", key="due_on") == {"Friday": "2026-11-20"}
    assert len(found(text, "date", key="called_on")) == 3


def test_a_deadline_may_be_the_day_of_writing_where_it_is_said_again() -> None:
    text = "Date: 18.11.2026\nWe send it by 18.11.2026."
    assert found(text, "date", key="due_on") == {"18.11.2026": "2026-11-18"}


def test_stamps_of_lines_are_no_deadline() -> None:
    lines = [f"time: 2026-11-18 07:0{minute} | text: hello" for minute in range(4)]
    text = "\n".join([*lines, "We come on Monday"])
    assert found(text, "date", key="due_on", written=date(2026, 11, 18)) == {"Monday": "2026-11-23"}


def test_an_american_number_among_british_english_stays_american() -> None:
    text = "Thank you for your call, and please ring our office. My number is 928-555-0142."
    assert list(found(text, "phone").values()) == ["+19285550142"]


def test_a_number_said_with_pauses_is_one_number() -> None:
    text = "Please ring me on 0113, 496, 0355, and thank you for your help with the order."
    assert found(text, "phone") == {"0113, 496, 0355": "+441134960355"}


def test_relative_days_are_left_out_when_nobody_knows_when_it_was_written() -> None:
    assert found("by next Friday", "date", written=None) == {}


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("€1,250.00", "1250.00", "EUR"),
        ("1.250,00 €", "1250.00", "EUR"),
        ("CHF 1'250.00", "1250.00", "CHF"),
        ("1 250,50 EUR", "1250.50", "EUR"),
        ("£4,200", "4200.00", "GBP"),
        ("US$ 15k", "15000.00", "USD"),
        ("- €12.50", "-12.50", "EUR"),
        ("(£12.50)", "-12.50", "GBP"),
        ("about 300 euros", "300.00", "EUR"),
        ("EUR 0,99", "0.99", "EUR"),
    ],
)
def test_an_amount_is_read_with_the_separators_of_any_country(text: str, amount: str, currency: str) -> None:
    assert list(found(text, "money").values()) == [{"amount": amount, "currency": currency}]


def test_a_bare_amount_takes_the_currency_of_the_document_and_says_so() -> None:
    text = "All prices in EUR\nTotal due 4,182.60"
    (candidate,) = find_candidates(fields=[spec("total", "money")], pages=[page(text)], reference_date=None)[
        "total"
    ]
    assert candidate.value == {"amount": "4182.60", "currency": "EUR"}
    assert candidate.derived


def test_dates_quantities_and_percentages_are_no_amounts() -> None:
    assert found("12.11.2026, 40 panels at 20 %, ISO 9001, 01632 960 961", "money") == {}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+44 (0)1632 960961", "+441632960961"),
        ("0049 30 5550 1234", "+493055501234"),
        ("Telefon 030 / 5550 1234, Deutschland", "+493055501234"),
        ("call (202) 555-0142, USA", "+12025550142"),
        ("Tel. 01632 960 961, England", "+441632960961"),
    ],
)
def test_a_phone_number_is_read_with_the_country_the_text_shows(text: str, number: str) -> None:
    assert list(found(text, "phone").values()) == [number]


def test_order_numbers_ibans_and_dates_are_no_phone_numbers() -> None:
    assert found("Order 20261110 of 10.11.2026, IBAN DE89 3704 0044 0532 0130 00", "phone") == {}


def test_reference_numbers_are_found_for_fields_that_ask_for_one() -> None:
    text = (
        "Rechnung Nr. 4711 vom 10.11.2026, Bestellung PO-77/2026, IBAN DE89 3704 0044 0532 0130 00, 12,50 EUR"
    )
    assert list(found(text, "text", key="invoice_number")) == [
        "PO-77/2026",
        "4711",
    ]
    assert list(found(text, "text", key="iban")) == ["DE89 3704 0044 0532 0130 00"]
    assert found(text, "text", key="company_name") == {}


def test_columns_of_a_table_are_not_read_as_one_amount() -> None:
    text = "Oak    486,00 €   6 804,00 €\n10 Pine   312,40 €"
    assert list(found(text, "money")) == ["486,00 €", "6 804,00 €", "312,40 €"]


def test_the_newest_mail_of_a_chain_offers_its_own_values() -> None:
    chain = """From: Bo Lind <bo@lind.example>
Subject: Re: Offer

Please ring me on 020 7946 0482.

Bo

On Tue, 3 Nov 2026 at 16:05, Tom <tom@seller.example> wrote:

> My number is 0161 496 0204, the price of offer Q-5512 £14,200.
"""
    assert list(found(chain, "phone")) == ["020 7946 0482"]
    assert list(found(chain, "email")) == ["bo@lind.example"]
    assert found(chain, "money") == {}
    assert list(found(chain, "text", key="offer_number")) == ["Q-5512"]  # it names the same matter


def test_models_sizes_and_postcodes_are_no_reference_numbers() -> None:
    assert found("The CL-12 with M8x20 bolts, Leeds LS1 4AP, ticket SR-10552", "text", key="reference") == {
        "SR-10552": "SR-10552"
    }
    assert list(found("Order no. A-12", "text", key="order_number")) == ["A-12"]


def test_cells_of_rows_get_candidates_of_their_own() -> None:
    candidates = find_candidates(fields=[LINES], pages=[page("Oak €12.00\nPine €9.00")], reference_date=None)
    assert [candidate.text for candidate in candidates["lines[].amount"]] == ["€12.00", "€9.00"]


def test_a_date_and_its_time_of_day_are_one_candidate() -> None:
    assert found("Visit on 12 November at 3pm please", "datetime") == {
        "12 November at 3pm": "2026-11-12T15:00"
    }
    assert found("Termin: 12.11.2026, 14:30 Uhr", "datetime") == {"12.11.2026, 14:30 Uhr": "2026-11-12T14:30"}
    assert found("Visit on 12 November", "datetime") == {"12 November": None}


def test_a_bare_number_is_no_time_of_day() -> None:
    assert read_time("14") is None
    assert read_time("2:05 pm") == "14:05"
    assert read_time("14h30") == "14:30"


def test_a_very_long_text_is_searched_only_so_far() -> None:
    text = "x " * 40_000 + "late@firm.example"
    assert found(text, "email") == {}


@pytest.mark.parametrize(
    "stretch", ["123 456 ", "1/1/1/", "1-", "A1-", "EUR 1 ", "may 1 may 2 ", "DE12 3456 ", "a@", "www."]
)
def test_a_text_made_to_be_slow_to_search_is_not(stretch: str) -> None:
    hostile = [page((stretch * 60_000)[:60_000])]
    began = process_time()
    find_candidates(
        fields=[*LEAD, spec("link", "url"), spec("at", "datetime")],
        pages=hostile,
        reference_date=date(2026, 11, 10),
    )
    assert process_time() - began < 8  # a second where it is fine, minutes where an expression runs away


def test_those_a_mail_was_sent_to_did_not_write_it() -> None:
    sent = "From: Ann Lee <ann@lee.example>\nTo: sales@countersign.example\nCc: boss@lee.example\n\nHello"
    assert [*found(sent, "email")] == ["ann@lee.example"]
    assert [*found("To: sales@countersign.example\n\nHello", "email")] == ["sales@countersign.example"]


def test_nothing_is_due_before_the_document_was_written() -> None:
    text = "Date: Tue, 10 Nov 2026 09:12:44 +0000\n\nBought on 3 October 2026, wanted by 1 December 2026."
    assert [*found(text, "date", key="wanted_by").values()] == ["2026-12-01"]
    assert [*found(text, "date", key="bought_on").values()] == ["2026-11-10", "2026-10-03", "2026-12-01"]


def test_what_is_due_on_the_day_itself_is_offered() -> None:
    text = "Date: 10 November 2026\nDue date: 10 November 2026"
    assert [*found(text, "date", key="due_on").values()] == ["2026-11-10"]


def test_without_a_date_line_an_overdue_day_is_offered() -> None:
    assert [*found("Due 3 October 2026", "date", key="due_on").values()] == ["2026-10-03"]


def test_a_bracket_around_a_number_is_no_part_of_it_and_a_fax_is_no_phone() -> None:
    text = "My mobile (07700 900 461), fax 0113 496 0150, tel./fax 0113 496 0151, +44 20 7946 0612"
    assert [*found(text, "phone")] == ["07700 900 461", "0113 496 0151", "+44 20 7946 0612"]


def test_of_a_mail_that_was_passed_on_only_what_stands_in_it_is_offered() -> None:
    assert list(found(PASSED_ON, "email")) == ["ola@holm.example"]
    assert list(found(PASSED_ON, "phone").values()) == ["+441632960777"]
    without = PASSED_ON.replace("Ring me on 01632 960 777.", "")
    assert list(found(without, "phone").values()) == ["+441632960901"], "nothing better is there"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Hej, jag nås på 08-465 004 37 och inte före åtta. Tack, vänliga hälsningar", "+46846500437"),
        ("Dzień dobry, proszę o telefon: 22 555 01 43. Pozdrawiam, dziękuję", "+48225550143"),
    ],
)
def test_the_language_tells_the_country_of_a_national_number(text: str, number: str) -> None:
    assert number in found(text, "phone").values()
