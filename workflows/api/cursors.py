"""Where a page of items ends. Opaque to the caller, and signed: what comes back is ours or it is refused."""

from __future__ import annotations

from datetime import datetime

from django.core import signing
from django.db.models import Q, QuerySet

from workflows.errors import InvalidInput
from workflows.models import Item

SALT = "countersign.items-cursor"


def write_cursor(*, item: Item) -> str:
    return signing.dumps([item.workflow_id, item.updated_at.isoformat(), item.pk], salt=SALT, compress=False)


def after_cursor(*, items: QuerySet[Item], cursor: str, workflow_id: int) -> QuerySet[Item]:
    try:
        of, at, pk = signing.loads(cursor, salt=SALT)
        moment = datetime.fromisoformat(at)
    except (signing.BadSignature, ValueError, TypeError):
        of = None
    if of != workflow_id:
        said = "This cursor is not one of ours for this workflow. Begin without a cursor."
        raise InvalidInput(said, problems={"cursor": said})
    return items.filter(Q(updated_at__gt=moment) | Q(updated_at=moment, pk__gt=pk))
