"""Three more reviewers for the sample history. Nobody can sign in as them, and no mail goes to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet

from workflows.errors import Refused
from workflows.models import Workflow

NAMES = ("reviewer-2", "reviewer-3", "reviewer-4")
MARK = "@sample.example"


def sample_people() -> QuerySet[Any]:
    return get_user_model().objects.filter(username__in=NAMES, email__endswith=MARK)


def make_sample_people(*, workflows: Iterable[Workflow], joined: datetime) -> dict[str, Any]:
    users = get_user_model().objects
    if taken := users.filter(username__in=NAMES).exclude(email__endswith=MARK).first():
        raise Refused(
            f"There is a person with the name {taken.get_username()}, who is not of the sample history. Nothing was added."
        )
    people = {}
    for name in NAMES:
        # Not active: whoever counts those who can really decide, or hands an item to a colleague, does not find them.
        person, _ = users.get_or_create(
            username=name,
            defaults={
                "first_name": "Sample", "last_name": name.replace("-", " "), "email": f"{name}{MARK}",
                "is_active": False, "password": make_password(None), "date_joined": joined,
            },
        )  # fmt: skip
        for workflow in workflows:
            if workflow.reviewers is not None:
                person.groups.add(workflow.reviewers)
        people[name] = person
    return people
