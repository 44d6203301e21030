from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows.audit.scheduled import check_whole


class Command(BaseCommand):
    help = (
        "Verify the whole audit log: every hash and link, its end, the contents that are there, the anchors, and whether the "
        "database still refuses changes. Exit code 1 when it is broken."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = check_whole()
        if not verdict.whole:
            raise CommandError(
                f"BROKEN at event {verdict.broken_at}. {verdict.words} Nothing was repaired. Keep a copy of the database and of the "
                "anchors' file as they are, then read docs/audit.md."
            )
        self.stdout.write(verdict.words)
