from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows import workflow_file
from workflows.errors import Refused
from workflows.models import Workflow


class Command(BaseCommand):
    help = "Print a workflow as a YAML file, with its active version or another one."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Our --version takes the place of Django's own, which is of no use behind the name of a command.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workflow", help="its short name, such as inbound-leads")
        parser.add_argument(
            "--version", type=int, dest="number", help="the number of the version; the active one if not said"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workflow = Workflow.objects.filter(slug=options["workflow"]).first()
        if workflow is None:
            raise CommandError(f"There is no workflow “{options['workflow']}”.")
        version = None
        if options["number"] is not None:
            version = workflow.versions.filter(number=options["number"]).first()
            if version is None:
                raise CommandError(f"{workflow.name} has no version {options['number']}.")
        try:
            self.stdout.write(workflow_file.export_workflow(workflow=workflow, version=version), ending="")
        except Refused as refused:
            raise CommandError(str(refused)) from None
