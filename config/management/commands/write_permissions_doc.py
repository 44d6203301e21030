"""Writes docs/permissions.md from the code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.permissions_doc import PATH, written


class Command(BaseCommand):
    help = "Write docs/permissions.md from the code; with --check, only say whether it is stale."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail when the file is stale"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        text = written()
        if PATH.exists() and PATH.read_text(encoding="utf-8") == text:
            self.stdout.write("docs/permissions.md is as the code says.")
        elif options["check"]:
            raise CommandError("docs/permissions.md is stale. Run: manage.py write_permissions_doc")
        else:
            PATH.write_text(text, encoding="utf-8")
            self.stdout.write("docs/permissions.md written.")
