from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows import api_keys
from workflows.errors import Refused
from workflows.models import ApiKey


class Command(BaseCommand):
    help = (
        "Make a new key of the HTTP API in the place of an old one, and print it. It cannot be shown again. The old one "
        "lives on for some hours, so that nothing fails until the new one is in place."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "prefix", help="how the old key begins, as the admin shows it, such as cs_Ab3dE6g"
        )
        parser.add_argument(
            "--hours", type=int, default=api_keys.DEFAULT_OVERLAP_HOURS,
            help="how long the old key lives on (%(default)s)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        prefix = options["prefix"].rstrip("…")
        found = list(ApiKey.objects.filter(prefix=prefix)[:2]) if prefix else []
        if len(found) != 1:
            raise CommandError(
                f"{'No key begins' if not found else 'More than one key begins'} with “{prefix}”. Nothing was changed."
            )
        try:
            row, key = api_keys.rotate_api_key(key=found[0], hours=options["hours"])
        except Refused as refused:
            raise CommandError(str(refused)) from None
        found[0].refresh_from_db()
        self.stderr.write(
            f"{found[0]} lives on until {found[0].expires_at:%Y-%m-%d %H:%M} UTC; {row} until {row.expires_at:%Y-%m-%d}."
        )
        self.stdout.write(key)
