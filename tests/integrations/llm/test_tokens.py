from typing import Any

import pytest

from integrations.llm.tokens import LOWEST_LOGPROB, locate_tokens, mean_logprob


def entry(piece: bytes, logprob: float = -1.0) -> dict[str, Any]:
    return {"token": piece.decode("utf-8", "replace"), "logprob": logprob, "bytes": list(piece)}


def test_tokens_get_the_offsets_of_their_characters() -> None:
    tokens = locate_tokens(entries=[entry(b'{"a'), entry(b'":1'), entry(b"}")], raw_text='{"a":1}')
    assert [(token.start, token.end) for token in tokens] == [(0, 3), (3, 6), (6, 7)]


def test_a_character_split_over_tokens_belongs_to_each_of_them() -> None:
    euro = "€".encode()
    tokens = locate_tokens(entries=[entry(b"5" + euro[:1]), entry(euro[1:]), entry(b"!")], raw_text="5€!")
    assert [(token.start, token.end) for token in tokens] == [(0, 2), (1, 2), (2, 3)]


def test_what_the_server_cut_from_the_text_is_left_out() -> None:
    """llama.cpp takes a fence from the content and leaves its tokens in."""
    pieces = [entry(b"```"), entry(b"json\n{"), entry(b"1}"), entry(b"\n```"), entry(b"")]
    tokens = locate_tokens(entries=pieces, raw_text="{1}")
    assert [(token.start, token.end) for token in tokens] == [(0, 1), (1, 3)]


def test_reasoning_that_quotes_the_answer_is_not_taken_for_it() -> None:
    pieces = [entry(b"<think>", -9), entry(b"{1}", -9), entry(b"</think>", -9), entry(b"{1}", -0.5)]
    [token] = locate_tokens(entries=pieces, raw_text="{1}")
    assert token.logprob == -0.5


@pytest.mark.parametrize(
    "entries",
    [[], [entry(b"other")], ["x"], [{"token": "{1}"}], [{"token": "{1}", "logprob": -1, "bytes": [999]}]],
)
def test_tokens_that_do_not_spell_the_text_are_worse_than_none(entries: list[Any]) -> None:
    assert locate_tokens(entries=entries, raw_text="{1}") == ()


def test_without_bytes_the_token_text_is_taken() -> None:
    [token] = locate_tokens(entries=[{"token": "ü", "logprob": float("-inf")}], raw_text="ü")
    assert (token.start, token.end, token.logprob) == (0, 1, LOWEST_LOGPROB)


def test_the_mean_is_over_the_tokens_that_touch_the_span() -> None:
    tokens = locate_tokens(entries=[entry(b"ab", -1), entry(b"cd", -2), entry(b"ef", -6)], raw_text="abcdef")
    assert mean_logprob(tokens=tokens, start=1, end=4) == -1.5
    assert mean_logprob(tokens=tokens, start=6, end=9) is None
    assert mean_logprob(tokens=(), start=0, end=9) is None
