"""What stands beside an item and holds some of its content: cases, labels, tries, exports, the admin's log, the queue.

Each pair counts and erases; an eraser runs in the transaction of the erasure, and may run twice.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django_q.models import Task

from workflows.audit import Kind
from workflows.erasure.registry import HISTORY_REASON, Batch, bare, history_of, logged, rows_of
from workflows.models import (
    AuditContent,
    AuditEvent,
    Case,
    CaseResult,
    CaseSource,
    Item,
    Label,
    RegisterExport,
    Try,
)

SHORTEST = 3  # letters of a search that can mean one item
ERASED = "erased"

# Labels and cases


def count_labels(batch: Batch) -> int:
    return rows_of(Label, "item", batch).count()


def erase_labels(batch: Batch) -> int:
    bare(rows_of(Label.history.model, "item", batch))
    return bare(rows_of(Label, "item", batch))


def _cases(batch: Batch) -> QuerySet[Case]:
    """No key leads from an item to a case: what they have in common is the content."""
    same = Q(content_hash__in=batch.contents) | Q(sources__sha256__in=batch.hashes) | Q(pk__in=batch.cases)
    return Case.objects.filter(same, workflow=batch.workflow_id, erased_at=None).distinct()


def count_cases(batch: Batch) -> int:
    return _cases(batch).count()


def erase_cases(batch: Batch) -> int:
    """Evaluations keep their counts of right and wrong; what was right is gone."""
    cases = list(_cases(batch))
    pks = [case.pk for case in cases]
    bare(Label.history.filter(case__in=pks))
    bare(Label.objects.filter(case__in=pks))
    bare(Case.history.filter(id__in=pks))  # its name and its tags; the row below says that it was erased
    bare(CaseSource.objects.filter(case__in=pks))
    for result in CaseResult.objects.filter(case__in=pks).only("pk", "fields"):
        kept = [{**one, "drafted": None, "gold": None} for one in result.fields]
        CaseResult.objects.filter(pk=result.pk).update(values=None, error="", input_hash="", fields=kept)
    for case in cases:
        Case.objects.filter(pk=case.pk).update(
            name=f"erased {case.pk}", messy=[ERASED] if case.messy else [], content_hash="", active=False,
            erased_at=timezone.now(),
        )  # fmt: skip
    return len(cases)


# What people pasted and searched for


def _tries(batch: Batch) -> QuerySet[Try]:
    """Nothing says what a pasted text was taken from, so those go that can have been taken from the item. They are
    cleared at their person's next try anyhow."""
    ended = Try.objects.filter(version__workflow=batch.workflow_id).exclude(ended_at=None)
    later = Q(asked_at__gte=batch.since) if batch.since else Q(pk__in=())
    return ended.filter(later | Q(pk__in=batch.tries)).exclude(text="", said="", result__isnull=True)


def count_tries(batch: Batch) -> int:
    return _tries(batch).count()


def erase_tries(batch: Batch) -> int:
    return _tries(batch).update(text="", result=None, said="")


def _searched(batch: Batch) -> list[int]:
    rows = RegisterExport.objects.filter(workflow=batch.workflow_id, filters__contains="search: ")
    found = set(batch.exports)
    for pk, filters in rows.values_list("pk", "filters"):
        term = filters.partition("search: ")[2].partition("; ")[0].strip().casefold()
        if len(term) >= SHORTEST and term in batch.words:
            found.add(pk)
    return list(found)


def count_exports(batch: Batch) -> int:
    return len(_searched(batch))


def erase_exports(batch: Batch) -> int:
    """The record of an export is never changed but here: who took how many rows and when stays."""
    pks = _searched(batch)
    told = AuditEvent.objects.filter(kind=Kind.EXPORTED, workflow_id=batch.workflow_id, facts__export__in=pks)
    bare(AuditContent.objects.filter(pk__in=list(told.values_list("pk", flat=True))))
    return RegisterExport.objects.filter(pk__in=pks).update(filters=f"a search: {ERASED}")


# Its name in other items


def _copies(batch: Batch) -> QuerySet[Item]:
    return Item.objects.filter(problem__item__in=batch.public_ids).exclude(pk__in=batch.items)


def count_mentions(batch: Batch) -> int:
    return _copies(batch).count() + Item.objects.filter(origin__in=batch.items).count()


def erase_mentions(batch: Batch) -> int:
    """A copy says of what it is one, and a second half what it was split from: by its title."""
    found = 0
    past: Any = history_of(Item)
    for model in (Item, past):
        rows = model._base_manager.filter(problem__item__in=batch.public_ids)
        for pk, problem in rows.values_list("pk", "problem"):
            told = {**(problem or {}), "happened": "The same content came in before."}
            found += model._base_manager.filter(pk=pk).update(problem=told)
    halves = past.objects.filter(origin_id__in=batch.items, history_change_reason__startswith="Split from")
    found += halves.update(**{HISTORY_REASON: f"Split from an {ERASED} item"})
    return int(found)


# Django's own tables


def _log(batch: Batch) -> list[QuerySet[LogEntry]]:
    known = set(LogEntry.objects.order_by().values_list("content_type", flat=True).distinct())
    if not known:
        return []
    named: list[tuple[type[Model], list[Any]]] = [(Item, list(batch.items))]
    for model, path in logged():
        if _kinds_of(model) & known:
            named.append((model, list(rows_of(model, path, batch).values_list("pk", flat=True))))
    named.append((Case, list(_cases(batch).values_list("pk", flat=True))))
    return [
        LogEntry.objects.filter(content_type__in=kinds, object_id__in=[str(pk) for pk in pks]).exclude(object_repr=ERASED)
        for model, pks in named
        if pks and (kinds := _kinds_of(model) & known)
    ]  # fmt: skip


def _kinds_of(model: type[Model]) -> set[int]:
    """With its proxies: each has a screen of its own."""
    same = (one for one in apps.get_models(include_auto_created=True) if one._meta.concrete_model is model)
    return {ContentType.objects.get_for_model(one, for_concrete_model=False).pk for one in same}


def count_log(batch: Batch) -> int:
    return sum(rows.count() for rows in _log(batch))


def erase_log(batch: Batch) -> int:
    return sum(rows.update(object_repr=ERASED, change_message="") for rows in _log(batch))


def _tasks(batch: Batch) -> QuerySet[Any]:
    """Only what failed is kept, with a traceback that may quote anything, and pickled, so nothing can be looked for in it."""
    return Task.objects.filter(started__gte=batch.since) if batch.since else Task.objects.none()


def count_tasks(batch: Batch) -> int:
    return int(_tasks(batch).count())


def erase_tasks(batch: Batch) -> int:
    return bare(_tasks(batch))


def erase_messages(batch: Batch) -> int:
    """“… was approved”, not read yet: kept in a session when it is too long for a cookie."""
    bare(Session.objects.filter(expire_date__lt=timezone.now()))
    found = 0
    for session in Session.objects.all():
        kept = session.get_decoded()
        told = str(kept.get("_messages", ""))
        if any(title in told for title in batch.titles):
            del kept["_messages"]
            found += Session.objects.filter(pk=session.pk).update(session_data=SessionStore().encode(kept))
    return found
