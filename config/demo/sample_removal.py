"""All of the sample history goes, with whatever people did to its items meanwhile, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models import ProtectedError, QuerySet

from config.demo.history import sample_items, sample_spending
from config.demo.loading import SLUGS
from config.demo.sample_people import sample_people
from config.demo.sample_versions import forget_sample_use, sample_versions
from workflows.errors import Refused
from workflows.models import CaseSource, Item, Source, Version, Workflow


def remove_history() -> int:
    """How many items went. Raises Refused where something real stands on the sample; then nothing was removed."""
    count = sample_items().count()
    files = dict(Source.objects.filter(item__in=sample_items()).values_list("sha256", "file"))
    with transaction.atomic():
        _remove_below(Item, sample_items)
        for workflow in Workflow.objects.filter(slug__in=SLUGS):
            _bare(sample_spending(workflow=workflow))
        _remove_versions()
        _remove_people()
        forget_sample_use()
    for sha256, file in files.items():
        kept = (Source.objects.filter(sha256=sha256), CaseSource.objects.filter(sha256=sha256))
        if not any(rows.exists() for rows in kept):
            default_storage.delete(file)
    return count


def _remove_below(root: type[models.Model], rows: Callable[[], QuerySet[Any]]) -> None:
    """Each row that belongs to one of these rows, however far below, and then the rows."""
    near: list[tuple[type[models.Model], str]] = [(root, "")]
    known = {root}
    for model, path in near:  # grows while it is read
        for relation in _pointing_at(model):
            child = relation.related_model
            if relation.on_delete is models.CASCADE and child not in known:
                known.add(child)
                near.append((child, f"{relation.field.name}__{path}" if path else relation.field.name))
    for model, path in reversed(near[1:]):
        _remove(model._default_manager.filter(**{f"{path}__in": rows().values("pk")}))
    _remove(rows())


def _pointing_at(model: type[models.Model]) -> Iterator[Any]:
    for one in model._meta.get_fields(include_hidden=True):
        if one.auto_created and not one.concrete and (one.one_to_many or one.one_to_one):
            yield one


def _remove(rows: QuerySet[Any]) -> None:
    """With their histories. Not by `delete()`, which would write a line of history about each."""
    model = rows.model
    if hasattr(model._meta, "simple_history_manager_attribute"):
        history = getattr(model, model._meta.simple_history_manager_attribute)
        _bare(history.filter(**{f"{model._meta.pk.attname}__in": rows.values("pk")}))
    for relation in _pointing_at(model):
        if relation.on_delete is models.SET_NULL:
            pointing = relation.related_model._base_manager.filter(
                **{f"{relation.field.name}__in": rows.values("pk")}
            )
            pointing.update(**{relation.field.name: None})
    _bare(rows)


def _bare(rows: QuerySet[Any]) -> None:
    rows.order_by()._raw_delete(using=rows.db)


def _remove_versions() -> None:
    for version in sample_versions():
        if (
            version.items.exists()
            or version.runs.exists()
            or Workflow.objects.filter(version=version).exists()
        ):
            raise Refused(
                f"{version.workflow.name} works with version {version.number}, which is of the sample history. "
                "Nothing was removed. Make another version active, and remove the items that were drafted with this one."
            )
    _remove_below(Version, sample_versions)


def _remove_people() -> None:
    try:
        sample_people().delete()
    except ProtectedError as error:
        raise Refused(
            "One of the sample's reviewers did something outside the sample history, or was given a permission. "
            "Nothing was removed. Take that back first."
        ) from error
