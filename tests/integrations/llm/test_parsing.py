import pytest

from integrations.llm.parsing import NotAnObject, parse_object
from integrations.llm.schemas import NotStrict, strict_schema


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        ' {"a": 1}\n',
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}```',
        '<think>maybe 2</think>\n{"a": 1}',
    ],
)
def test_an_object_is_read_from_a_fence_and_after_reasoning(text: str) -> None:
    assert parse_object(text) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("``` \n\n```", "empty"),
        ("[1]", "not an object"),
        ('{"a": 1', "not JSON"),
        ('{"a": NaN}', "no number"),
        ('{"a": 1} and more', "not JSON"),
        ('Here you are: {"a": 1}', "not JSON"),
        ('{"a": "\\ud800"}', "broken character"),
        ('{"a": ["\\u0000"]}', "NUL"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON"),
    ],
)
def test_what_cannot_be_kept_is_said_in_words(text: str, problem: str) -> None:
    with pytest.raises(NotAnObject, match=problem):
        parse_object(text)


def test_a_schema_with_all_required_and_nothing_else_is_strict() -> None:
    row = {
        "type": "object",
        "properties": {"b": {"type": "string"}},
        "required": ["b"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {"rows": {"anyOf": [{"type": "array", "items": row}, {"type": "null"}]}},
        "required": ["rows"],
        "additionalProperties": False,
    }
    assert strict_schema(schema) is schema


def test_what_is_not_strict_is_named_with_its_place() -> None:
    row = {"type": "object", "properties": {"b": {"type": "string"}}, "required": []}
    schema = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": row}},
        "required": ["rows"],
        "additionalProperties": False,
    }
    with pytest.raises(NotStrict) as raised:
        strict_schema(schema)
    assert str(raised.value) == (
        "the schema > rows > each does not require b; the schema > rows > each allows other properties"
    )
