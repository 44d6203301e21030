from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.drafting.material import LEAD, LINES, MAIL, TOPIC, page, spec
from workflows.drafting.amounts import read_number, write_amount
from workflows.drafting.candidates import find_candidates
from workflows.drafting.fields import Kind
from workflows.drafting.typed import normalise_value, validate_values
from workflows.drafting.values import FieldValue, read_values


def read(raw: dict[str, Any], text: str = MAIL, fields: Any = LEAD) -> dict[str, FieldValue]:
    pages = [page(text)]
    candidates = find_candidates(fields=fields, pages=pages, reference_date=None)
    return read_values(raw=raw, fields=fields, candidates=candidates, pages=pages, written=date(2026, 11, 10))


def test_what_the_model_copied_becomes_typed_values() -> None:
    values = read(
        {
            "topic": "quote",
            "contact_name": "Ines  Okafor",
            "company": None,
            "email": "ines@okafor-joinery.example",
            "phone": "01632 960 961",
            "order_number": "other: 77-A",
            "wanted_by": "next Friday",
            "budget": "£4,200",
        }
    )
    assert {key: value.value for key, value in values.items()} == {
        "topic": "quote",
        "contact_name": "Ines Okafor",
        "company": None,
        "email": "ines@okafor-joinery.example",
        "phone": "+441632960961",
        "order_number": "77-A",
        "wanted_by": "2026-11-20",
        "budget": {"amount": "4200.00", "currency": "GBP"},
    }
    assert values["wanted_by"].derived
    assert values["wanted_by"].doubtful
    assert not values["order_number"].offered
    assert all(value.problems == () for value in values.values())


def test_what_cannot_be_read_is_kept_as_written_with_a_problem_in_words() -> None:
    values = read({"email": "ask Ines", "wanted_by": "other: soonish", "budget": "a lot", "topic": "lunch"})
    for key, written in {
        "email": "ask Ines",
        "wanted_by": "soonish",
        "budget": "a lot",
        "topic": "lunch",
    }.items():
        assert values[key].value is None
        assert values[key].as_written == written
        assert len(values[key].problems) == 1
        assert "_" not in values[key].problems[0]


def test_a_server_that_enforces_no_schema_may_send_numbers_and_objects() -> None:
    values = read(
        {"budget": {"amount": 4200, "currency": "GBP"}, "contact_name": 7, "wanted_by": "N/A", "phone": ["x"]}
    )
    assert values["budget"].value == {"amount": "4200.00", "currency": "GBP"}
    assert values["contact_name"].value == "7"
    assert values["wanted_by"] == FieldValue(value=None)
    assert values["phone"].value is None


def test_an_amount_without_any_currency_is_a_problem() -> None:
    values = read({"budget": "12.50"}, text="Total 12.50", fields=[spec("budget", "money")])
    assert values["budget"].value == {"amount": "12.50", "currency": None}
    assert values["budget"].problems == ("No currency is written in the document.",)


def test_rows_keep_their_order_and_lose_empty_ones_with_a_word_about_it() -> None:
    raw = {
        "lines": [
            {"what": "Oak", "amount": "€12.00"},
            {"what": None, "amount": None},
            {"what": "Pine", "amount": "€9.00"},
        ]
    }
    value = read(raw, text="Oak €12.00\nPine €9.00", fields=[LINES])["lines"]
    assert [row["what"] for row in value.value] == ["Oak", "Pine"]
    assert value.value[1]["amount"] == {"amount": "9.00", "currency": "EUR"}
    assert value.problems == ("The model gave rows without any value; they were left out.",)


def test_a_list_as_long_as_it_may_be_is_not_taken_for_complete() -> None:
    lines = LINES.model_copy(update={"max_length": 1})
    value = read({"lines": [{"what": "Oak", "amount": None}]}, text="Oak", fields=[lines])["lines"]
    assert value.problems == ("The list is as long as it may be: rows may be missing.",)


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("integer", "1,250", 1250),
        ("integer", "40 panels", 40),
        ("decimal", "0,125", "0.125"),
        ("money", "1.250,50 eur", {"amount": "1250.50", "currency": "EUR"}),
        ("date", "30 Nov 2026", "2026-11-30"),
        ("date", "30 listopada 2026", "2026-11-30"),
        ("datetime", "2026-11-30T14:30+01:00", "2026-11-30T14:30+01:00"),
        ("datetime", "30.11.2026 14:30", "2026-11-30T14:30"),
        ("yes_no", "Ja", True),
        ("email", " Ines@Firm.example ", "ines@firm.example"),
        ("phone", "+44 1632 960961", "+441632960961"),
        ("url", "Firm.example/Page", "https://firm.example/Page"),
        ("text", "   ", None),
    ],
)
def test_a_typed_text_becomes_its_value(kind: str, typed: str, value: Any) -> None:
    assert normalise_value(spec=spec("value", kind), text=typed) == value


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("integer", "12.5"), ("integer", "many"), ("money", "12.50"), ("money", "one of 12 EUR or 13 EUR"), ("date", "31.02.2026"),
        ("date", "tomorrow"), ("datetime", "2026-11-30"), ("yes_no", "perhaps"), ("email", "ines@"), ("phone", "960 961"),
        ("url", "javascript:alert(1)"), ("url", "no spaces please"),
    ],
)  # fmt: skip
def test_what_is_not_of_its_kind_is_refused_with_a_way_on(kind: str, typed: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z0-9]") as refused:
        normalise_value(spec=spec("value", kind), text=typed)
    message = str(refused.value)
    assert message.endswith(".")
    assert not {"_", "!"} & set(message)


def test_a_persons_values_are_checked_by_field_and_cell() -> None:
    fields = [TOPIC, spec("budget", "money", maximum="100"), LINES, spec("note", max_length=3)]
    problems = validate_values(
        values={
            "budget": {"amount": "250", "currency": "EUR"},
            "lines": [{"what": "Oak", "amount": {"amount": "x", "currency": "EUR"}}, {"what": ""}],
            "note": "long",
            "topic": "",
            "extra": 1,
        },
        fields=fields,
    )
    assert set(problems) == {"topic", "budget", "lines[0].amount", "lines[1].what", "note", "extra"}
    assert problems["topic"] == "Topic is needed and empty. Fill it in, or send the item back with a note."
    assert problems["budget"] == "Budget is 250; the most allowed is 100."


def test_stored_values_given_again_have_no_problem() -> None:
    values = {
        "topic": "quote",
        "contact_name": "Ines",
        "email": "a@b.example",
        "phone": "+441632960961",
        "wanted_by": "2026-11-20",
    }
    values_with_money = values | {"budget": {"amount": "4200.00", "currency": "GBP"}}
    assert validate_values(values=values_with_money, fields=LEAD) == {}


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=2),
    st.sampled_from([(",", "."), (".", ","), ("'", "."), ("\u00a0", ",")]),
)
def test_a_number_survives_being_written_in_any_country(number: Any, separators: tuple[str, str]) -> None:
    thousands, point = separators
    written = f"{number:,.2f}".replace(",", "T").replace(".", "P").replace("T", thousands).replace("P", point)
    assert read_number(written) == number
    assert write_amount(number) == f"{number:.2f}"


@given(
    st.sampled_from([kind for kind in Kind if kind not in {Kind.CHOICE, Kind.CHOICES, Kind.ROWS}]),
    st.text(max_size=60),
)
def test_any_text_is_read_or_refused_and_reading_again_changes_nothing(kind: Kind, text: str) -> None:
    one = spec("value", kind.value)
    try:
        value = normalise_value(spec=one, text=text)
    except ValueError:
        return
    if isinstance(value, str) and value:
        assert normalise_value(spec=one, text=value) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda deep: st.lists(deep) | st.dictionaries(st.text(max_size=5), deep),
        max_leaves=6,
    )
)
def test_nothing_that_a_model_can_write_raises(anything: Any) -> None:
    fields = [
        *LEAD,
        LINES,
        spec("sure", "yes_no"),
        spec("pieces", "integer"),
        spec("at", "datetime"),
        spec("link", "url"),
    ]
    values = read(
        {one.key: anything for one in fields} | {"lines": [{"what": anything, "amount": anything}]},
        fields=fields,
    )
    assert set(values) == {one.key for one in fields}


def test_a_shorter_way_to_write_a_found_text_means_the_same() -> None:
    fields = [spec("due", "date"), spec("total", "money")]
    values = read(
        {"due": "4 December 2026", "total": "1,284.60"}, text="Fri, 4 December 2026: £1,284.60", fields=fields
    )
    assert values["due"].value == "2026-12-04"
    assert values["total"] == FieldValue({"amount": "1284.60", "currency": "GBP"}, "1,284.60", offered=True)


def test_words_without_a_number_are_no_reference() -> None:
    value = read({"order_number": "other: by phone"})["order_number"]
    assert (value.value, value.as_written) == (None, "by phone")
    assert value.problems == ("“by phone” holds no number.",)


def test_the_letter_of_a_logo_is_no_part_of_the_name() -> None:
    assert normalise_value(spec=spec("supplier"), text="O Oakfield Ltd") == "Oakfield Ltd"
    assert normalise_value(spec=spec("supplier"), text="J Sainter Ltd") == "J Sainter Ltd"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Dr. Henrike Saal", "Henrike Saal"),
        ("Mrs Ann Lee", "Ann Lee"),
        ("i. A. Prof. Dr. Jan Moor", "Jan Moor"),
        ("Dr. Saal", "Dr. Saal"),
        ("M Lee Smith", "M Lee Smith"),
        ("Ingrid Mrsa", "Ingrid Mrsa"),
    ],
)
def test_a_title_is_no_part_of_a_contacts_full_name(written: str, kept: str) -> None:
    assert read({"contact_name": written})["contact_name"].value == kept


REPLY = """From: Ines Okafor <ines@okafor-joinery.example>

Thank you, that is fine with us. The older price was £900.

On Tue, 3 Nov 2026, Tom <tom@x.example> wrote:
> It would be £1,200. Ring me on 01632 960 555.
"""


def test_an_optional_value_written_out_from_an_older_mail_alone_is_nothing() -> None:
    values = read({"budget": "other: £1,200", "phone": "other: 01632 960 555"}, REPLY)
    for key in ("budget", "phone"):
        assert values[key].value is None
        assert values[key].as_written is not None
        assert "only in an older message" in values[key].problems[0]


def test_a_value_written_out_from_the_newest_mail_is_kept() -> None:
    assert read({"budget": "£900"}, REPLY)["budget"].value == {"amount": "900.00", "currency": "GBP"}
    required = [spec("budget", "money", required=True)]
    assert read({"budget": "other: £1,200"}, REPLY, required)["budget"].value is not None
    assert read({"contact_name": "Tom"}, REPLY)["contact_name"].value == "Tom", "people are named in both"


@pytest.mark.parametrize("written", ["TS-3", "CL 12", "E31"])
def test_a_machine_or_an_alarm_written_out_is_no_reference(written: str) -> None:
    text = f"Our {written} has stopped. The order is AB-4417."
    value = read({"order_number": f"other: {written}"}, text)["order_number"]
    assert (value.value, value.as_written) == (None, written)
    assert "not a number of this kind" in value.problems[0]
    required = [spec("order_number", required=True)]
    assert read({"order_number": f"other: {written}"}, text, required)["order_number"].value == written


def test_a_short_reference_that_is_labelled_as_one_is_kept() -> None:
    value = read({"order_number": "AB-12"}, "Order no. AB-12 is late.")["order_number"]
    assert (value.value, value.problems) == ("AB-12", ())


def test_a_telephone_number_that_stands_nowhere_is_nothing() -> None:
    made_up = read({"phone": "other: 07700 900 355"})["phone"]
    assert (made_up.value, made_up.as_written) == (None, "07700 900 355")
    assert "stands nowhere" in made_up.problems[0]
    assert read({"phone": "other: +44 1632 960961"})["phone"].value == "+441632960961", (
        "only written otherwise"
    )


@pytest.mark.parametrize(
    ("key", "made_up", "said", "value"),
    [
        ("budget", "£180 a month", "£ 9.400,-", {"amount": "9400.00", "currency": "GBP"}),
        ("wanted_by", "2027-07-01", "2026-12-04", "2026-12-04"),
    ],
)
def test_an_amount_or_a_day_that_stands_nowhere_is_nothing(
    key: str, made_up: str, said: str, value: Any
) -> None:
    fields = [spec("budget", "money"), spec("wanted_by", "date")]
    text = "We have £9,400 for it and need it by 4 December 2026."
    answer = read({key: f"other: {made_up}"}, text, fields)[key]
    assert (answer.value, answer.as_written) == (None, made_up)
    assert "stands nowhere" in answer.problems[0]
    assert read({key: f"other: {said}"}, text, fields)[key].value == value, "only written otherwise"


def test_a_text_of_which_no_word_stands_in_the_document_was_not_copied_from_it() -> None:
    fields = [spec("company"), spec("topic", needs_evidence=False), spec("name", required=True)]
    text = "First name: Ines\nLast name: Okafor\nWe ask for a visit. Kestrel Foods"
    values = read({"company": "Tollund Honey", "topic": "Besuch", "name": "Somebody"}, text, fields)
    assert (values["company"].value, values["company"].as_written) == (None, "Tollund Honey")
    assert "stands nowhere" in values["company"].problems[0]
    assert (values["topic"].value, values["name"].value) == ("Besuch", "Somebody"), (
        "worked out; a person looks"
    )
    assert read({"company": "Kestrel Foods Ltd"}, text, fields)["company"].value == "Kestrel Foods Ltd"


def test_a_field_for_a_code_is_offered_those_in_the_text_and_takes_no_words() -> None:
    fields = [spec("product", hint="The code of the machine.")]
    text = "We saw your CL-12 and the BX 40 at the fair; write to a@b-40.example. No small machines."
    candidates = find_candidates(fields=fields, pages=[page(text)], reference_date=None)["product"]
    assert [one.text for one in candidates] == ["CL-12", "BX 40"]
    assert read({"product": "CL-12"}, text, fields)["product"].value == "CL-12"
    assert read({"product": "other: small machines"}, text, fields)["product"].value is None
