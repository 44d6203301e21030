import io

import pytest

from config.prefixed_log import PrefixedLog


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(out: io.StringIO) -> list[str]:
    log = PrefixedLog(out, names=["web", "workers"])
    log.write("web", "one")
    log.write("workers", "two")
    log.close()
    return out.getvalue().splitlines()


def test_lines_stand_in_columns():
    assert lines(io.StringIO()) == ["web     | one", "workers | two"]


def test_colour_is_for_terminals_and_for_who_wants_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert lines(Terminal())[0] == "\033[36mweb     | \033[0mone"
    monkeypatch.setenv("NO_COLOR", "1")
    assert lines(Terminal())[0] == "web     | one"


def test_a_reader_that_went_away_is_no_error():
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    assert lines(Closed()) == []
