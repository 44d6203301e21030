from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows.errors import Refused
from workflows.evaluation.cases import import_case_file
from workflows.models import Workflow


class Command(BaseCommand):
    help = "Import labelled cases from a YAML or CSV file. A case whose name is there already is changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workflow", help="its short name, such as inbound-leads")
        parser.add_argument(
            "file", type=Path, metavar="FILE", help="input files stand beside it, or in inputs/ beside it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workflow = Workflow.objects.filter(slug=options["workflow"]).first()
        if workflow is None:
            raise CommandError(f"There is no workflow “{options['workflow']}”. Nothing was imported.")
        try:
            imported = import_case_file(workflow=workflow, path=options["file"], by=None)
        except Refused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"{workflow.slug}: {imported}")
