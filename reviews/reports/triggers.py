"""The database itself notes what changes in old items, so that no verb, command or erasure can forget to.

A note is written for items older than a day; figures are kept of days that ended longer ago than that and two hours more
(reviews.reports.rollup). So a transaction that is still open while its day is counted has written its note already.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

from reviews.models import DayFigures, Recount, Review
from workflows.models import Decision, Item, Run

# The columns that reports count; a lease or a claim that is renewed is no news.
WATCHED: dict[Any, tuple[str, ...]] = {
    Item: ("workflow_id", "version_id", "state", "state_since", "channel", "submitted_by_id", "created_at"),
    Run: ("item_id", "outcome", "model", "cost", "cpu_seconds"),
    Decision: ("item_id", "kind", "by_id", "created_at"),
    Review: ("item_id", "state", "group_id", "worked_seconds", "reason_kinds"),
}
ACTS = {"insert": ("NEW",), "update": ("OLD", "NEW"), "delete": ("OLD",)}
OLD_ON_SQLITE = (
    "strftime('%Y-%m-%d %H:%M:%S', 'now', '-1 day')"  # Django's own format of a time, so that texts compare
)
OLD_ON_POSTGRESQL = "(now() - interval '1 day')"


def make_triggers(*, using: str = "default", **sent: Any) -> None:
    """After each migration: changing a table drops its triggers on SQLite. If any was gone, what was counted is not trusted."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not {model._meta.db_table for model in (*WATCHED, DayFigures, Recount)} <= tables:
        return
    wanted = {
        f"{model._meta.db_table}_{act}_recount": (model, act, columns)
        for model, columns in WATCHED.items()
        for act in ACTS
    }
    make = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with connection.cursor() as cursor:
        missing = set(wanted) - _there(cursor, connection.vendor)
        for name in missing:
            model, act, columns = wanted[name]
            event = f"UPDATE OF {', '.join(columns)}" if act == "update" else act.upper()
            for statement in make(name=name, table=model._meta.db_table, event=event, rows=ACTS[act]):
                cursor.execute(statement)
    if missing:
        DayFigures.objects.using(using).all().delete()


def _there(cursor: Any, vendor: str) -> set[str]:
    if vendor == "postgresql":
        cursor.execute(
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace"
        )
    else:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return {name for (name,) in cursor.fetchall()}


def _notes(*, table: str, rows: tuple[str, ...], old: str) -> str:
    """A note for each row of the change. Names of ours, and no value from anywhere."""
    into = f"INSERT INTO {Recount._meta.db_table} (workflow_id, created_at)"
    items = Item._meta.db_table
    if table == items:
        return " ".join(
            f"{into} SELECT {row}.workflow_id, {row}.created_at WHERE {row}.created_at < {old};"
            for row in rows
        )
    return " ".join(
        f"{into} SELECT workflow_id, created_at FROM {items} WHERE id = {row}.item_id AND created_at < {old};"  # noqa: S608
        for row in rows
    )


def _on_sqlite(*, name: str, table: str, event: str, rows: tuple[str, ...]) -> list[str]:
    notes = _notes(table=table, rows=rows, old=OLD_ON_SQLITE)
    return [f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {notes} END"]


def _on_postgresql(*, name: str, table: str, event: str, rows: tuple[str, ...]) -> list[str]:
    notes = _notes(table=table, rows=rows, old=OLD_ON_POSTGRESQL)
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {notes} RETURN NULL; END $$",
        f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]
