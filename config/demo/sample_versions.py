"""The version before the first one, with which the older half of the sample history was drafted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, Min, QuerySet

from workflows.models import Field, Rule, Run, Version

NUMBER = 0  # real versions begin with 1


def sample_versions() -> QuerySet[Version]:
    return Version.objects.filter(number=NUMBER)


def make_older_version(*, of: Version, made: datetime) -> Version:
    """The same fields and rules under other instructions. It is written in bulk: nothing uses it yet, and nobody wrote it."""
    there = sample_versions().filter(workflow=of.workflow_id).first()
    if there is not None:
        return there
    [version] = Version.objects.bulk_create(
        [
            Version(
                workflow_id=of.workflow_id, number=NUMBER, review_bar=of.review_bar, max_calls=of.max_calls,
                instructions="Sample history: an earlier wording, from before the examples.", used_at=made, created_at=made,
            )
        ]
    )  # fmt: skip
    Field.objects.bulk_create(_copies(of.fields.all(), version=version))
    Rule.objects.bulk_create(_copies(of.rules.all(), version=version))
    return version


def _copies[Row: (Field, Rule)](rows: Iterable[Row], *, version: Version) -> list[Row]:
    copies = list(rows)
    for row in copies:
        row.pk, row._state.adding, row.version = None, True, version
    return copies


def mark_sample_use(*, of: Version, at: datetime) -> None:
    """Items were drafted with it now, so it stays as it is. A mark from before it was made is the sample's."""
    before = min(at, of.created_at - timedelta(seconds=1))
    Version.objects.filter(pk=of.pk, used_at=None).update(used_at=before)


def forget_sample_use() -> None:
    """A version that only the sample history used was not used."""
    for version in Version.objects.filter(used_at__lt=F("created_at")):
        began = Run.objects.filter(version=version).aggregate(at=Min("started_at"))["at"]
        Version.objects.filter(pk=version.pk).update(used_at=began)
