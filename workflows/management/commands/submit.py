from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows import intake
from workflows.errors import Refused
from workflows.models import Workflow


class Command(BaseCommand):
    help = "Submit one item and print its id. All files and the text together are that one item."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workflow", help="its short name, such as inbound-leads")
        parser.add_argument(
            "files", nargs="*", type=Path, metavar="FILE", help="a file of the item; several make one item"
        )
        parser.add_argument("--text", default="", help="text to work on, in place of files or beside them")
        parser.add_argument("--title", default="", help="what people call the item")
        parser.add_argument("--external-id", default="", help="your own name of it; once per workflow")
        parser.add_argument(
            "--as",
            dest="user",
            default="",
            metavar="USER",
            help="who submits it; the workflow's owner if not said",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workflow = Workflow.objects.select_related("owner").filter(slug=options["workflow"]).first()
        if workflow is None:
            raise CommandError(f"There is no workflow “{options['workflow']}”. Nothing was kept.")
        try:
            submitted = intake.submit(
                workflow=workflow, by=_user(workflow=workflow, name=options["user"]), channel="command",
                text=options["text"], title=options["title"], external_id=options["external_id"],
                files=[_upload(path) for path in options["files"]],
            )  # fmt: skip
        except Refused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(str(submitted.item.public_id))


def _user(*, workflow: Workflow, name: str) -> Any:
    if name:
        user = get_user_model().objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user “{name}”. Nothing was kept.")
        return user
    if workflow.owner is None:
        raise CommandError(
            f"{workflow.name} has no owner. Nothing was kept. Say who submits it with --as USER."
        )
    return workflow.owner


def _upload(path: Path) -> intake.Upload:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}. Nothing was kept.") from None
    return intake.Upload(name=path.name, content=content, media_type=mimetypes.guess_type(path.name)[0] or "")
