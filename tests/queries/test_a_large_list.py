"""The review list with 100,000 open reviews on SQLite: few queries, and none that sorts them all."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reviews.models import Review
from tests.factories import STAFF, grant_all, make_item, make_user, make_workflow
from tests.queries.copies import copy
from workflows.models import Item

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        "sqlite" not in settings.DATABASES["default"]["ENGINE"], reason="its rows are made by SQLite"
    ),
]

REVIEWS, MOST_QUERIES = 100_000, 10
SEEN, HIDDEN = 3, 1  # workflows


def test_the_review_list_with_a_hundred_thousand_reviews_takes_few_queries() -> None:
    person = make_user("reviewer")
    for number in range(SEEN + HIDDEN):
        workflow = make_workflow()
        if number < SEEN:
            grant_all(to=person, on=workflow, actions=STAFF)
        multiply(item=make_item(workflow=workflow), times=REVIEWS // (SEEN + HIDDEN))
    client = Client()
    client.force_login(person, backend="config.backends.PasswordBackend")
    address = "/admin/reviews/review/?state__exact=open"
    client.get(address)

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)

    assert answer.status_code == 200
    told = [query["sql"] for query in asked]
    assert len(told) <= MOST_QUERIES, "\n".join(one[:200] for one in told)
    sorting = [f"{plan}: {one[:200]}" for one in told for plan in plans(one) if "ORDER BY" in plan]
    assert not sorting, "\n".join(sorting)


def multiply(*, item: Item, times: int) -> None:
    """As many more items like this one, each with an open review that is due at a time of its own."""
    review = Review.objects.get(item=item)
    last = Item.objects.order_by("-pk").first()
    assert last is not None
    new = {
        "id": f"{last.pk} + n.i",
        "public_id": "lower(hex(randomblob(16)))",
        "content_hash": "printf('%%064x', n.i)",
    }
    copy(row=item, times=times, new=new)
    due = "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', t.due_at, (n.i %% 5000) || ' minutes')"
    copy(row=review, times=times, new={"item_id": f"{last.pk} + n.i", "due_at": due})


def plans(sql: str) -> list[str]:
    if "reviews_review" not in sql or not sql.startswith("SELECT"):
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [line[-1] for line in cursor.fetchall()]
