from __future__ import annotations

import pytest

from tests.workflows.audit.writers import write_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_eight_writers_that_hold_items_neither_fork_the_chain_nor_deadlock() -> None:
    write_at_once(events=60)
