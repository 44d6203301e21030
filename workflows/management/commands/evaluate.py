from __future__ import annotations

import json
import os
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.llm.deployment import Deployment, NoModel, current_deployment
from workflows import beats
from workflows.errors import Conflict, Refused
from workflows.evaluation import running
from workflows.evaluation.telling import as_json, report_lines, result_line
from workflows.models import CaseResult, Evaluation, Version, Workflow

LOOK_SECONDS = 0.5
WORKER_SECONDS = 30.0  # a sign of life younger than this: workers run, and they have a model


class Command(BaseCommand):
    help = "Run a version over the workflow's cases and say how many fields and cases are right."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Our --version takes the place of Django's own, which is of no use behind the name of a command.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workflow", help="its short name, such as inbound-leads")
        parser.add_argument(
            "--version", type=int, dest="number", help="the number of the version; the active one if not said"
        )
        parser.add_argument("--json", action="store_true", help="print the results as JSON, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        version = _version(slug=options["workflow"], number=options["number"])
        deployment = _deployment()
        row = _begin(version=version)
        self._told: set[int] = set()
        self._quiet = options["json"]
        while row.ended_at is None:
            if not self._work(row, deployment):
                time.sleep(LOOK_SECONDS)  # a worker has the slot: what it does is told as well
            self._tell_new(row)
            row.refresh_from_db()
        row = Evaluation.objects.select_related("version__workflow").get(pk=row.pk)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(row), ensure_ascii=False, indent=1))
        else:
            for line in report_lines(row):
                self.stdout.write(line)
        if row.said:
            raise CommandError(f"{row.done} of {row.total} cases were done. {row.said}")

    def _work(self, row: Evaluation, deployment: Deployment | None) -> bool:
        if deployment is None or (deployment.is_ready and not deployment.is_ready()):
            return False
        holder = beats.take_slot(name=running.SLOT, seconds=settings.LEASE_SECONDS)
        if holder is None:
            return False
        try:
            running.run_evaluations(
                deployment=deployment, only=row.pk, tell=self._tell,
                beat=lambda: beats.keep_slot(name=running.SLOT, holder=holder, seconds=settings.LEASE_SECONDS),
            )  # fmt: skip
        finally:
            beats.free_slot(name=running.SLOT, holder=holder)
        return True

    def _tell(self, result: CaseResult) -> None:
        self._told.add(result.pk)
        if not self._quiet:
            self.stdout.write(f"[{len(self._told)}/{result.evaluation.total}] {result_line(result)}")
            self.stdout.flush()

    def _tell_new(self, row: Evaluation) -> None:
        new = row.results.exclude(pk__in=self._told).select_related("case", "evaluation").order_by("pk")
        for result in new:
            self._tell(result)


def _version(*, slug: str, number: int | None) -> Version:
    workflow = Workflow.objects.filter(slug=slug).first()
    if workflow is None:
        raise CommandError(f"There is no workflow “{slug}”. Nothing was begun.")
    versions = workflow.versions.select_related("workflow")
    version = versions.filter(number=number).first() if number is not None else workflow.version
    if version is None:
        which = f"no version {number}" if number is not None else "no active version; name one with --version"
        raise CommandError(f"{workflow.name} has {which}. Nothing was begun.")
    return version


def _deployment() -> Deployment | None:
    """None: no model is named here, but workers run that have one."""
    try:
        return current_deployment(os.environ)
    except NoModel as missing:
        age = beats.age(name=beats.TICK)
        if age is None or age > WORKER_SECONDS:
            raise CommandError(f"{missing} Nothing was begun.") from None
        return None


def _begin(*, version: Version) -> Evaluation:
    """The one that is under way is gone on with: a command that was killed is given again."""
    try:
        return running.begin_evaluation(version=version, by=None)
    except Conflict:
        return Evaluation.objects.filter(version=version, ended_at=None).earliest("pk")
    except Refused as refused:
        raise CommandError(str(refused)) from None
