"""Many rows like one, made by the database itself."""

from __future__ import annotations

from typing import Any

from django.db import connection


def copy(*, row: Any, times: int, new: dict[str, str]) -> None:
    """`new` are SQL expressions by column: `n.i` counts from 1, `t` is the row that is copied."""
    fields = [field for field in row._meta.concrete_fields if field.column in new or not field.primary_key]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    values = ", ".join(
        new.get(field.column, f"t.{connection.ops.quote_name(field.column)}") for field in fields
    )
    table = connection.ops.quote_name(row._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times - 1}) "
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} t, n WHERE t.id = %s",
            [row.pk],
        )
