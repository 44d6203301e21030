"""Nothing that can hold content is forgotten: every text, JSON and file column that hangs on an item is spoken for."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import models

from workflows.erasure.registry import HISTORY_REASON, history_of, spoken_for
from workflows.models import Case, Item

KINDS = (models.CharField, models.TextField, models.JSONField, models.FileField, models.BinaryField)
# Reached from an item by a key, but not part of one: what many items share, and who works here.
NOT_OF_AN_ITEM = {"workflows.erasure"}
# Tables of others, or without a key to an item, that hold some of its content all the same.
BESIDE = {
    "admin.logentry.object_repr", "admin.logentry.change_message", "django_q.task.args", "django_q.task.kwargs",
    "django_q.task.result", "sessions.session.session_data", "workflows.try.text", "workflows.try.result", "workflows.try.said",
    "workflows.registerexport.filters",
}  # fmt: skip


def hanging_on(root: type[models.Model]) -> set[type[models.Model]]:
    """The root, each model with a key to one of these, and their histories; also by a bare `item_id` or `case_id`."""
    found = {root}
    grew = True
    while grew:
        grew = False
        for model in apps.get_models():
            if model in found or model._meta.proxy or model._meta.label_lower in NOT_OF_AN_ITEM:
                continue
            keys = {field.related_model for field in model._meta.concrete_fields if field.is_relation}
            bare = {f"{root._meta.model_name}_id"} & {field.name for field in model._meta.concrete_fields}
            if keys & found or bare or any(history_of(one) is model for one in found):
                found.add(model)
                grew = True
    return found


def columns_of(model: type[models.Model]) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if isinstance(field, KINDS) and not field.is_relation:
            yield f"{model._meta.label_lower}.{field.name}"


def test_every_column_that_hangs_on_an_item_is_erased_or_declared_free() -> None:
    models_found = hanging_on(Item) | hanging_on(Case)
    assert len(models_found) > 15, "the walk found the models"
    columns = {column for model in models_found for column in columns_of(model)} | BESIDE
    forgotten = sorted(columns - spoken_for())
    assert not forgotten, (
        "These columns can hold content of an item. Register them in workflows/erasure/tables.py (or in the app's "
        f"ready()), or declare them free of it: {', '.join(forgotten)}"
    )


def test_nothing_is_spoken_for_that_is_not_there() -> None:
    there = {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
    }
    assert not sorted(column for column in spoken_for() - there if not column.endswith(HISTORY_REASON))


def test_the_walk_finds_models_that_are_new() -> None:
    found = {model._meta.label_lower for model in hanging_on(Item)}
    assert {
        "workflows.page", "workflows.fieldresult", "workflows.deliveryattempt", "workflows.historicalitem",
        "workflows.historicalregisterentry", "reviews.review", "reviews.historicalreview", "workflows.caseresult",
    } <= found  # fmt: skip
