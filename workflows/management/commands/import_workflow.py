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

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["files"]:
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise CommandError(
                    f"{path} cannot be read ({error.__class__.__name__}). Nothing of it was imported."
                ) from None
            try:
                workflow, version, changed = workflow_file.import_workflow(text=text)
            except Refused as refused:
                raise CommandError(f"{path}: {refused}") from None
            self.stdout.write(
                f"{workflow.slug}: {'imported' if changed else 'nothing to change'}, {version} is active"
            )
