"""The database itself refuses to change or delete an event, whoever asks.

Made again after each migration: one that alters the table drops them on SQLite. A system check demands them.
"""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "workflows_auditevent"
SAID = "an audit event is never changed and never deleted"
TAKEN = f"SELECT 1 FROM {TABLE} WHERE sequence = NEW.sequence"  # noqa: S608 - names of ours alone
# INSERT OR REPLACE deletes a row without asking a trigger for deletes, so a number that is taken is refused beforehand.
SQLITE = {
    "audit_event_no_update": f"CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{SAID}'); END",
    "audit_event_no_delete": f"CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{SAID}'); END",
    "audit_event_no_replace": f"CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON {TABLE} WHEN EXISTS ({TAKEN}) "
    f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END",
}
FUNCTION = "audit_event_refuse"
BODY = f" BEGIN RAISE EXCEPTION '{SAID}'; END "
POSTGRESQL = {
    "audit_event_no_change": f"CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
    f"FOR EACH ROW EXECUTE FUNCTION {FUNCTION}()",
    "audit_event_no_truncate": f"CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON {TABLE} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()",
}
# In force as they were made: not switched off, and calling the function that refuses, as it was written.
IN_FORCE = """SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE c.relname = %s AND c.relnamespace = current_schema()::regnamespace AND t.tgenabled IN ('O', 'A')
      AND p.proname = %s AND p.prosrc = %s
      AND ((t.tgname = 'audit_event_no_change' AND t.tgtype = 27) OR (t.tgname = 'audit_event_no_truncate' AND t.tgtype = 34))"""


def make_triggers(*, using: str, **_: Any) -> None:
    """Received after each migration. Made anew: one of the same name that does nothing is none."""
    connection = connections[using]
    if not _has_table(connection):
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${BODY}$$"
            )
        for name, statement in _statements(connection).items():
            cursor.execute(drop_statement(vendor=connection.vendor, name=name))
            cursor.execute(statement)


def drop_statement(*, vendor: str, name: str) -> str:
    return f"DROP TRIGGER IF EXISTS {name}" + (f" ON {TABLE}" if vendor == "postgresql" else "")


def missing_triggers(*, using: str = "default") -> list[str]:
    connection = connections[using]
    if not _has_table(connection):
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(IN_FORCE, [TABLE, FUNCTION, BODY])
            there = {name for (name,) in cursor.fetchall()}
        else:
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE]
            )
            there = {name for name, sql in cursor.fetchall() if sql == SQLITE.get(name)}
    return sorted(_statements(connection).keys() - there)


def check_triggers(*, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Runs with `manage.py check --database default` and before each migration."""
    return [
        Error(
            f"The audit log is not protected: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing or changed.",
            hint="Run `manage.py migrate --skip-checks`, which makes them again, then `manage.py verify_audit`.",
            id="countersign.E001",
        )
        for using in databases or ()
        if (missing := missing_triggers(using=using))
    ]


def _statements(connection: BaseDatabaseWrapper) -> dict[str, str]:
    return POSTGRESQL if connection.vendor == "postgresql" else SQLITE


def _has_table(connection: BaseDatabaseWrapper) -> bool:
    return TABLE in connection.introspection.table_names()
