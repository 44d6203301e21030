from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows import workflow_file
from workflows.errors import Refused


class Command(BaseCommand):
    help = "Make or change workflows from YAML files. A file whose content is there already changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument(
            "--break-glass", default="", metavar="REASON",
            help="make the imported version of a live workflow active at once, with a reason that is kept, shown and mailed",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["files"]:
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise CommandError(
                    f"{path} cannot be read ({error.__class__.__name__}). Nothing of it was imported."
                ) from None
            try:
                workflow, version, changed = workflow_file.import_workflow(
                    text=text, break_glass=options["break_glass"]
                )
            except Refused as refused:
                raise CommandError(f"{path}: {refused}") from None
            is_active = workflow.version_id == version.pk
            waits = "waits: the workflow went live, so somebody who manages it makes it active in the admin (or --break-glass REASON)"
            closed = "" if workflow.takes_work else f", {workflow.get_stage_display().lower()}"
            self.stdout.write(
                f"{workflow.slug}: {'imported' if changed else 'nothing to change'}, {version} {'is active' if is_active else waits}{closed}"
            )
