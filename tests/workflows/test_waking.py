from __future__ import annotations

import pytest
from django_q.models import OrmQ

from workflows.waking import MOST_QUEUED, send_wake_up

pytestmark = pytest.mark.django_db


def test_a_burst_of_work_leaves_room_in_the_queue_for_the_sign_of_life() -> None:
    for _ in range(50):
        send_wake_up("workflows.tasks.work")
    assert OrmQ.objects.count() == MOST_QUEUED
