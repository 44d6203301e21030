"""What a version says, read once: it is immutable from its first use on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal, cast

from django.utils import timezone

from workflows.drafting.fields import FieldSpec
from workflows.models import Version
from workflows.routing import RuleSpec


@dataclass(frozen=True, slots=True)
class Snapshot:
    fields: tuple[FieldSpec, ...]
    rules: tuple[RuleSpec, ...]


def read_version(*, version: Version) -> Snapshot:
    """The fields and rules. Kept in memory once the version was used; before that it may still be edited."""
    if version.used_at is None:
        return _read(version)
    return _kept(version.pk, version.created_at)


@lru_cache(maxsize=256)
def _kept(pk: int, _created_at: datetime) -> Snapshot:
    return _read(Version.objects.get(pk=pk))


def _read(version: Version) -> Snapshot:
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
    return Snapshot(fields=version.specs(), rules=rules)


def mark_used(*, version: Version) -> None:
    """From its first use on a version is immutable."""
    if version.used_at is None:
        version.used_at = timezone.now()
        Version.objects.filter(pk=version.pk, used_at=None).update(used_at=version.used_at)
