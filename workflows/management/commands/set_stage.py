from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows import stages
from workflows.errors import Refused
from workflows.models import Stage, Workflow


class Command(BaseCommand):
    help = "Change the stage of a workflow. Live takes all checks of the launch gate, or a reason, which is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workflow", help="its short name, such as inbound-leads")
        parser.add_argument("stage", choices=Stage.values)
        parser.add_argument("--reason", default="", help="why; it stands on the workflow's page")
        parser.add_argument(
            "--user",
            default="",
            help="who does it, with this person's rights; else the installation's operator",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workflow = Workflow.objects.filter(slug=options["workflow"]).first()
        if workflow is None:
            raise CommandError(f"There is no workflow “{options['workflow']}”. Nothing was changed.")
        by = None
        if options["user"]:
            by = get_user_model().objects.filter(username=options["user"], is_active=True).first()
            if by is None:
                raise CommandError(f"There is no active user “{options['user']}”. Nothing was changed.")
        try:
            workflow = stages.set_stage(
                workflow=workflow,
                stage=Stage(options["stage"]),
                by=by,
                reason=options["reason"],
                way="command",
            )
        except Refused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"{workflow.slug}: {workflow.get_stage_display().lower()}")
