"""Text from the other side, and text on its way there, made fit for one line."""

from __future__ import annotations

import unicodedata

# Controls, line and paragraph separators, half surrogates, and the marks that turn text around: none belongs in a
# header or a message on a screen, and each has been used to make one line look like another.
UNFIT = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def one_line(text: str, *, at_most: int) -> str:
    """`text` as one printable line of `at_most` characters, cut with an ellipsis."""
    plain = "".join(" " if unicodedata.category(each) in UNFIT else each for each in text)
    plain = " ".join(plain.split())
    return plain if len(plain) <= at_most else plain[: at_most - 1].rstrip() + "…"
