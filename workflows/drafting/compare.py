"""Whether a drafted value is the one known to be right, as a person would count it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any

from workflows.drafting.fields import FieldSpec, Kind
from workflows.drafting.folding import fold

LONG_TEXT_SHARE = 0.6  # of words in common (F1) from which two wordings of a summary count as the same


def same_value(*, spec: FieldSpec, drafted: Any, gold: Any) -> bool:
    """Values in their stored shapes. Nothing (None, empty text, empty list) is the same as nothing. Rows count in order,
    each cell by its own kind; texts without case, spacing, punctuation and accents; a long text by its words."""
    if _is_nothing(drafted) or _is_nothing(gold):
        return _is_nothing(drafted) and _is_nothing(gold)
    match spec.kind:
        case Kind.MONEY:
            return _same_money(drafted, gold)
        case Kind.INTEGER | Kind.DECIMAL:
            return _decimal(drafted) is not None and _decimal(drafted) == _decimal(gold)
        case Kind.YES_NO:
            return isinstance(drafted, bool) and drafted == gold
        case Kind.CHOICES:
            return isinstance(drafted, list) and set(drafted) == set(gold)
        case Kind.ROWS:
            return _same_rows(spec, drafted, gold)
        case Kind.DATE | Kind.DATETIME | Kind.CHOICE | Kind.PHONE:
            return str(drafted) == str(gold)
        case Kind.URL:
            return str(drafted).rstrip("/").casefold() == str(gold).rstrip("/").casefold()
        case Kind.EMAIL:
            return str(drafted).strip().casefold() == str(gold).strip().casefold()
        case Kind.LONG_TEXT:
            return _share_of_words(fold(str(drafted)), fold(str(gold))) >= LONG_TEXT_SHARE
        case Kind.TEXT:
            return fold(str(drafted)).replace(" ", "") == fold(str(gold)).replace(" ", "")


def _is_nothing(value: Any) -> bool:
    return value is None or value == "" or value == []


def _same_money(drafted: Any, gold: Any) -> bool:
    if not isinstance(drafted, dict) or not isinstance(gold, dict):
        return False
    amount = _decimal(drafted.get("amount"))
    return (
        amount is not None
        and amount == _decimal(gold.get("amount"))
        and drafted.get("currency") == gold.get("currency")
    )


def _same_rows(spec: FieldSpec, drafted: Any, gold: Any) -> bool:
    if not isinstance(drafted, list) or len(drafted) != len(gold):
        return False
    return all(
        same_value(spec=column, drafted=ours.get(column.key), gold=theirs.get(column.key))
        for ours, theirs in zip(drafted, gold, strict=True)
        for column in spec.columns
    )


def _decimal(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _share_of_words(one: str, other: str) -> float:
    ours, theirs = Counter(one.split()), Counter(other.split())
    common = sum((ours & theirs).values())
    total = sum(ours.values()) + sum(theirs.values())
    return 2 * common / total if total else 1.0
