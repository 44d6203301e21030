from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from workflows import audit
from workflows.audit.exporting import export_lines
from workflows.models import Workflow


class Command(BaseCommand):
    help = (
        "Write the audit log as JSON Lines. workflows/audit/verify_file.py verifies such a file with plain python3 and "
        "nothing else."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workflow", default="", help="the events of this one alone, by its short name")
        parser.add_argument("--since", default="", help="a day or a moment, such as 2026-11-01")
        parser.add_argument(
            "--with-content",
            action="store_true",
            help="the personal part too: values, reasons, names, with its salts",
        )
        parser.add_argument(
            "--output", default="", help="a file; without it the log is written to the standard output"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workflow = Workflow.objects.filter(slug=options["workflow"]).first()
        if options["workflow"] and workflow is None:
            raise CommandError(f"There is no workflow “{options['workflow']}”. Nothing was written.")
        lines = export_lines(
            workflow=workflow, since=_moment(options["since"]), with_content=options["with_content"]
        )
        try:
            count = self._write(lines=lines, path=options["output"])
        except OSError as error:
            raise CommandError(f"The file was not written: {error}.") from None
        audit.record(
            kind=audit.Kind.LOG_EXPORTED, by=None, workflow=workflow,
            facts={"events": count, "since": options["since"], "content": options["with_content"]},
        )  # fmt: skip
        self.stderr.write(f"{count:,} events were written.")

    def _write(self, *, lines: Iterator[bytes], path: str) -> int:
        """How many events: the first and the last line tell of the file."""
        count = -2
        if path:
            with open(path, "wb") as file:
                for line in lines:
                    file.write(line + b"\n")
                    count += 1
            return count
        for line in lines:
            self.stdout.write(line.decode())
            count += 1
        return count


def _moment(given: str) -> datetime | None:
    if not given:
        return None
    try:
        read = datetime.fromisoformat(given)
    except ValueError:
        raise CommandError(
            f"“{given}” is no day and no moment; write it like 2026-11-01 or 2026-11-01T08:00+01:00. Nothing was written."
        ) from None
    return (read if read.tzinfo else timezone.make_aware(read)).astimezone(UTC)
