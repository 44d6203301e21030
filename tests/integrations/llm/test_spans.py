import json

import pytest

from integrations.llm.spans import value_spans


def test_every_value_is_found_under_its_path() -> None:
    text = '{ "total" : "12,50 €", "n":-3.5e2, "none": null, "lines": [ {"amount":"1"}, {"amount": true} ], "e": [] }'

    found = {path: text[start:end] for path, (start, end) in value_spans(text).items()}

    assert found == {
        "total": "12,50 €",
        "n": "-3.5e2",
        "none": "null",
        "lines": '[ {"amount":"1"}, {"amount": true} ]',
        "lines[0]": '{"amount":"1"}',
        "lines[0].amount": "1",
        "lines[1]": '{"amount": true}',
        "lines[1].amount": "true",
        "e": "[]",
    }


def test_escapes_and_braces_inside_strings_do_not_end_them() -> None:
    values = {"a": 'he said "}" \\ [', "b\n": "ü\t😀"}
    text = json.dumps(values, ensure_ascii=True, indent=3)

    spans = value_spans(text)

    for key, value in values.items():
        start, end = spans[key]
        assert json.loads(f'"{text[start:end]}"') == value


def test_a_fence_shifts_the_spans() -> None:
    text = '```json\n{"total": "9"}\n```'
    start, end = value_spans(text)["total"]
    assert text[start:end] == "9"


@pytest.mark.parametrize(
    "text", ["", "no", '{"a": ', '{"a": 1', '{"a" 1}', "[1,", '{"a": [1 2]}', "{1: 2}", "{" * 5000]
)
def test_what_is_no_json_has_no_spans(text: str) -> None:
    assert value_spans(text) == {}


def test_an_empty_string_has_an_empty_span() -> None:
    assert value_spans('{"a":""}')["a"] == (6, 6)
