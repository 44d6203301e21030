"""What a person may have to be told. Each message says what happened, what was kept and what to do next."""

from __future__ import annotations


class Refused(Exception):
    """The act was not done, and nothing was changed."""


class NotPermitted(Refused):
    pass


class Conflict(Refused):
    """Something else was first: another person, another tab, another content under the same name."""


class InvalidInput(Refused):
    """What was given cannot be taken as it is; `problems` names each place in words."""

    def __init__(self, message: str, *, problems: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.problems = problems or {}


class TooLarge(InvalidInput):
    pass
