from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows import api_keys
from workflows.errors import Refused
from workflows.models import Workflow


class Command(BaseCommand):
    help = "Make a key of the HTTP API for one user and one workflow, and print it. It cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workflow", help="its short name, such as inbound-leads")
        parser.add_argument(
            "user", help="whose key it is: the key may do what this user may do on the workflow"
        )
        parser.add_argument(
            "--days", type=int, default=api_keys.DEFAULT_DAYS, help="how long it is valid (%(default)s)"
        )
        parser.add_argument(
            "--may", choices=list(api_keys.ACTIONS), default="all",
            help="what it may do of what its user may do (%(default)s)",
        )  # fmt: skip
        parser.add_argument("--name", default="", help="what it is for")

    def handle(self, *args: Any, **options: Any) -> None:
        workflow = Workflow.objects.filter(slug=options["workflow"]).first()
        if workflow is None:
            raise CommandError(f"There is no workflow “{options['workflow']}”. No key was made.")
        user = get_user_model().objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user “{options['user']}”. No key was made.")
        if not 1 <= options["days"] <= 3650:
            raise CommandError("A key is valid for 1 to 3,650 days. No key was made.")
        try:
            _, key = api_keys.create_api_key(
                workflow=workflow,
                user=user,
                days=options["days"],
                name=options["name"][:80],
                scope=options["may"],
            )
        except Refused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(key)
