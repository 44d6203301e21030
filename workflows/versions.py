"""What a version says, read once: it is immutable from its first use on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, cast

from django.utils import timezone

from integrations.llm.profiles import Profile
from workflows.drafting.fields import FieldSpec
from workflows.models import Version
from workflows.routing import RuleSpec


@dataclass(frozen=True, slots=True)
class Snapshot:
    pk: int
    instructions: str
    examples: list[dict[str, Any]]
    fields: tuple[FieldSpec, ...]
    rules: tuple[RuleSpec, ...]
    review_bar: Decimal
    max_calls: int
    profile: Profile


def use_version(*, pk: int) -> Snapshot:
    """Mark the version as used, which makes it immutable, and give what it says. Kept in memory from then on."""
    return _used(pk)


@lru_cache(maxsize=256)
def _used(pk: int) -> Snapshot:
    # Marked before it is read: what is read can no longer change.
    Version.objects.filter(pk=pk, used_at=None).update(used_at=timezone.now())
    return read_version(pk=pk)


def read_version(*, pk: int) -> Snapshot:
    """What it says at this moment. It may change afterwards, unless it was marked as used."""
    version = Version.objects.get(pk=pk)
    rules = tuple(
        RuleSpec(
            field=rule.field,
            operator=rule.operator,
            value=rule.value,
            action=cast(Literal["review", "escalate"], rule.action),
            reason=rule.reason,
        )
        for rule in version.rules.all()
    )
    return Snapshot(
        pk=pk,
        instructions=version.instructions,
        examples=version.examples,
        fields=version.specs(),
        rules=rules,
        review_bar=version.review_bar,
        max_calls=version.max_calls,
        profile=version.model_profile(),
    )


def forget_versions() -> None:
    """For tests, whose databases give an id to more than one version."""
    _used.cache_clear()
