"""Counting what must not happen too often: none is lost, whoever counts at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from workflows import tallies
from workflows.models import Tally


@pytest.mark.django_db(transaction=True)
def test_connections_that_count_at_once_lose_none() -> None:
    def count_many(_: int) -> list[int]:
        try:
            return [tallies.count(name="calls", seconds=60).count for _ in range(25)]
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=4) as pool:
        seen = [count for each in pool.map(count_many, range(4)) for count in each]
    assert Tally.objects.get().count == 100
    assert max(seen) == 100  # whoever came last knows it: a limit is not passed by anybody


@pytest.mark.django_db
def test_a_count_ends_and_begins_again_in_the_same_row() -> None:
    for expected in (1, 2):
        assert tallies.count(name="calls", seconds=60).count == expected
    Tally.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert tallies.count(name="calls", seconds=60).count == 1
    assert Tally.objects.count() == 1


@pytest.mark.django_db
def test_what_has_ended_is_swept_and_what_runs_stays() -> None:
    Tally.objects.create(name="over", count=1, ends_at=timezone.now() - timedelta(seconds=1))
    tallies.count(name="runs", seconds=60)
    tallies.sweep()
    assert list(Tally.objects.values_list("name", flat=True)) == ["runs"]
